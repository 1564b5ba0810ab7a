/* SPDX-License-Identifier: MIT */
/* The control socket of a whole lab with fake machines, spoken to by anything.
 *
 * The input is what a client sends; a zero byte ends a piece (the lab has a turn
 * before the next), a byte 1 at the beginning of a piece sends a descriptor with
 * it.  The machines answer as an agent would.  What must hold: every line that
 * comes back is an object with an id and either ok or an event; the lab ends with
 * nothing left.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/fdio.h"
#include "lib/fake_lab.h"
#include "lib/fake_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char topology[] =
	"{\"name\":\"t\",\"seed\":5,\"nodes\":{\"n1\":{},\"n2\":{},\"n3\":{}},"
	"\"networks\":{\"lan\":{\"members\":[\"n1\",\"n2\",\"n3\"]}},"
	"\"links\":[{\"name\":\"backup\",\"endpoints\":[\"n1\",\"n2\"],\"delay\":\"2ms\"}"
	"]}";

static const char *const names[] = { "n1", "n2", "n3" };

static void answer(const char *node, const struct fake_message *message)
{
	uint8_t credit[4];

	switch (message->type) {
	case PROTO_EXEC:
		fake_agent_say_text(node, PROTO_STARTED, message->channel, "{\"pid\":7}");
		fake_agent_say_text(node, PROTO_STDOUT, message->channel, "hello\n");
		break;
	case PROTO_STDIN:
		if (message->size == 0) {
			fake_agent_say_text(node, PROTO_EXITED, message->channel,
					    "{\"exit\":0}");
			break;
		}
		proto_put_u32(credit, message->size);
		fake_agent_say(node, PROTO_CREDIT, message->channel, credit,
			       sizeof(credit));
		fake_agent_say(node, PROTO_STDERR, message->channel, message->payload,
			       message->size < 100 ? message->size : 100);
		break;
	case PROTO_SIGNAL:
	case PROTO_CLOSE:
		fake_agent_say_text(node, PROTO_EXITED, message->channel,
				    "{\"signal\":1}");
		break;
	case PROTO_SHUTDOWN:
		fake_machine_end(node, "powered off");
		break;
	default:
		break;
	}
}

static void let_machines_answer(struct fake_lab *fake)
{
	struct fake_message message;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		while (fake_agent_hear(names[i], &message)) {
			answer(names[i], &message);
			free(message.payload);
		}
	fake_lab_settle(fake);
}

static void check_lines(struct fake_client *client)
{
	json_t *line;

	while ((line = fake_client_line(client))) {
		const json_t *id = json_object_get(line, "id");

		ASSERT(json_is_integer(id) || json_is_null(id));
		ASSERT(json_is_boolean(json_object_get(line, "ok")) ||
		       json_is_string(json_object_get(line, "event")));
		if (json_is_false(json_object_get(line, "ok")))
			ASSERT(*text_of(line, "error"));
		json_decref(line);
	}
}

static void send_piece(struct fake_lab *fake, struct fake_client *client,
		       const uint8_t *piece, size_t size)
{
	bool with_fd = size && *piece == 1;
	int fd = with_fd ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

	piece += with_fd;
	size -= with_fd;
	while (size) {
		ssize_t n = fdio_send(client->fd, piece, size, &fd, fd >= 0);

		if (n < 0)
			break;
		piece += n;
		size -= (size_t)n;
		if (fd >= 0)
			close(fd);
		fd = -1;
		fake_lab_settle(fake);
	}
	if (fd >= 0)
		close(fd);
	fake_lab_settle(fake);
	let_machines_answer(fake);
	check_lines(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_lab fake;
	struct fake_client client;

	fake_lab_open(&fake, topology);
	fake.lab.boots_at_once = 3;
	fake_lab_boot(&fake);
	fake_client_open(&client, &fake);
	while (size) {
		const uint8_t *end = memchr(data, 0, size);
		size_t piece = end ? (size_t)(end - data) : size;

		send_piece(&fake, &client, data, piece);
		piece += end != NULL;
		data += piece;
		size -= piece;
	}
	fake_lab_advance(&fake, 20 * NS_PER_MS);
	fake_client_close(&client);
	let_machines_answer(&fake);
	fake_lab_close(&fake);
	return 0;
}
