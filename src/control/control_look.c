/* SPDX-License-Identifier: MIT */
/* Long answers.  What is told of a large lab takes long to put together, and nothing of it
 * changes the lab: so a helper process, which has a copy of all that it tells, runs the verb
 * and leaves the line that it would have sent. */
#include "control/control_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/helper.h"

enum { ANSWER_BYTES_MAX = 256 << 20, ANSWER_MS_MAX = 60 * 1000 };

struct look {
	struct conn *conn;
	const struct verb *verb;
	json_int_t id;
	struct helper *helper;
	struct watch *watch;
};

struct order {
	const struct verb *verb;
	struct call *call;
	const char *trouble;
};

/* In the helper, which has no descriptors, so that it cannot look at the run directory. */
static int answer(void *ctx, uint8_t *result, size_t room, size_t *size, struct why *why)
{
	const struct order *order = ctx;
	struct conn *conn = order->call->conn;
	struct why refused = { "" };

	conn->control->trouble_then = &order->trouble;
	outbuf_take(&conn->out, outbuf_size(&conn->out));
	if (order->verb->run(conn->control->ctx, order->call, &refused))
		conn_send(conn, call_failure(order->call->id, NULL, refused.text));
	*size = outbuf_size(&conn->out);
	if (conn->dead || !*size)
		return why_set(why, -ENOMEM, "the lab is out of memory");
	if (*size > room)
		return why_set(why, -EFBIG, "the answer has %zu bytes, more than %zu",
			       *size, room);
	memcpy(result, outbuf_front(&conn->out), *size);
	return 0;
}

void look_drop(struct look *look)
{
	if (!look)
		return;
	look->conn->look = NULL;
	look->conn->control->looks--;
	loop_defer(look->conn->control->loop, &look->conn->control->look_over);
	watch_close(look->watch);
	helper_free(look->helper);
	free(look);
}

static void on_over(void *ctx, uint32_t events)
{
	struct look *look = ctx;
	struct conn *conn = look->conn;
	const uint8_t *bytes;
	struct why why;
	char message[sizeof(why.text) + 64];
	size_t size;

	(void)events;
	if (helper_wait(look->helper, &bytes, &size, &why)) {
		snprintf(message, sizeof(message), "%s: %s", look->verb->name, why.text);
		conn_send(conn, call_failure(look->id, NULL, message));
	} else if (!conn->dead && outbuf_append(&conn->out, bytes, size)) {
		conn->dead = true;
	}
	look_drop(look);
	conn_kick(conn); /* to be sent, whatever it waits for next */
	/* Its end may be waiting for the gate by now. */
	if (conn->waits == WAITS_FOR_ANSWER)
		conn_go_on(conn);
}

int look_begin(struct call *call, const struct verb *verb, struct why *why)
{
	struct conn *conn = call->conn;
	struct look *look = calloc(1, sizeof(*look));
	struct order order = { verb, call, control_trouble(conn->control) };
	int err;

	if (!look)
		return why_set(why, -ENOMEM, "%s: out of memory", verb->name);
	*look = (struct look){ .conn = conn, .verb = verb, .id = call->id };
	err = helper_start(&look->helper, answer, &order, ANSWER_BYTES_MAX,
			   ANSWER_MS_MAX, why);
	if (!err)
		err = loop_watch(conn->control->loop, helper_fd(look->helper), EPOLLIN,
				 on_over, look, &look->watch, why);
	conn->control->looks++;
	if (err) {
		look_drop(look);
		return err;
	}
	conn->look = look;
	conn->waits = WAITS_FOR_ANSWER;
	return 0;
}
