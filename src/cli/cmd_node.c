/* SPDX-License-Identifier: MIT */
/* The life of machines: stop, kill, start, restart, reset, pause, resume. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/node_set.h"
#include "cli/ui.h"

struct one {
	const char *name;
	bool ended;
	json_t *answer; /* its last line; NULL: not yet, or out of memory */
};

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct one *one = ctx;

	if (!last)
		return;
	one->ended = true;
	one->answer = json_deep_copy(line);
}

/* All at one instant, and each until it has become what it is to be. */
static int order_all(struct command_call *call, struct one *ones, size_t count,
		     const char *order, struct why *why)
{
	size_t left = count;
	long rc = 0;

	client_together(call->client);
	for (size_t i = 0; rc >= 0 && i < count; i++)
		rc = client_request(call->client, "node-life",
				    json_pack("{s:s, s:s}", "node", ones[i].name, "order",
					      order),
				    got_line, &ones[i], why);
	if (rc >= 0)
		rc = client_together_end(call->client, why);
	while (rc >= 0 && left) {
		rc = client_turn(call->client, -1, NULL, why);
		left = 0;
		for (size_t i = 0; i < count; i++)
			left += !ones[i].ended;
	}
	return rc < 0 ? (int)rc : 0;
}

static bool is_ok(const struct one *one)
{
	return json_is_true(json_object_get(one->answer, "ok"));
}

static json_t *one_json(const struct one *one)
{
	json_t *o = json_pack("{s:s, s:O?, s:b}", "node", one->name, "state",
			      json_object_get(one->answer, "state"), "ok", is_ok(one));

	if (json_is_true(json_object_get(one->answer, "paused")))
		json_object_set_new(o, "paused", json_true());

	if (!is_ok(one))
		json_object_set(o, "error", json_object_get(one->answer, "error"));
	return o;
}

static int tell(struct command_call *call, const struct one *ones, size_t count)
{
	json_t *all = json_array();
	int status = STATUS_DONE;

	for (size_t i = 0; i < count; i++) {
		const char *error = json_string_value(
				   json_object_get(ones[i].answer, "error")),
			   *state = json_string_value(
				   json_object_get(ones[i].answer, "state"));

		json_array_append_new(all, one_json(&ones[i]));
		if (!is_ok(&ones[i])) {
			status = STATUS_FAILED;
			ui_error("%s", error ? error : "it went wrong");
		} else if (!call->json) {
			printf("%s is %s\n", ones[i].name,
			       json_is_true(json_object_get(ones[i].answer, "paused")) ?
				       "paused" :
			       state ? state :
				       "?");
		}
	}
	if (call->json)
		ui_json(all);
	json_decref(all);
	return status;
}

static int order(struct command_call *call, const char *order)
{
	struct nodes nodes = { 0 };
	cleanup_free struct one *ones = NULL;
	struct why why;
	int status = STATUS_FAILED;
	int rc = node_set_named(&nodes, call->client, call->argv[0], &why);

	if (!rc) {
		ones = calloc(nodes.count, sizeof(*ones));
		rc = ones ? 0 : why_set(&why, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; !rc && i < nodes.count; i++)
		ones[i].name = nodes.names[i];
	if (!rc)
		rc = order_all(call, ones, nodes.count, order, &why);
	if (rc)
		ui_error("%s", why.text);
	else
		status = tell(call, ones, nodes.count);
	for (size_t i = 0; ones && i < nodes.count; i++)
		json_decref(ones[i].answer);
	node_set_free(&nodes);
	return status;
}

int cmd_node_stop(struct command_call *call)
{
	return order(call, "stop");
}

int cmd_node_kill(struct command_call *call)
{
	return order(call, "kill");
}

int cmd_node_panic(struct command_call *call)
{
	return order(call, "panic");
}

int cmd_node_start(struct command_call *call)
{
	return order(call, "start");
}

int cmd_node_restart(struct command_call *call)
{
	return order(call, "restart");
}

int cmd_node_reset(struct command_call *call)
{
	return order(call, "reset");
}

int cmd_node_pause(struct command_call *call)
{
	return order(call, "pause");
}

int cmd_node_resume(struct command_call *call)
{
	return order(call, "resume");
}
