/* SPDX-License-Identifier: MIT */
/* What the machine's kernel prints, live, and keys for whoever listens there. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/node_set.h"
#include "cli/outlet.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "cli/ui.h"

enum { KEYS_BYTES = 4096, TAIL_BYTES = 16 << 10 };

struct console {
	struct client *client;
	long id;
	struct escape escape;
	bool stdin_open, leave, ended;
	int put_error;
	int signals; /* descriptor */
	struct outlet out;
	struct why why; /* of the lab, when it ended */
};

static int send_keys(struct console *c, const uint8_t *bytes, size_t size,
		     struct why *why)
{
	char text[BASE64_ROOM(KEYS_BYTES + 1)];
	long id;

	base64_encode(text, bytes, size);
	id = client_request(
		c->client, "input",
		json_pack("{s:I, s:s}", "to", (json_int_t)c->id, "data", text), NULL,
		NULL, why);
	return id < 0 ? (int)id : 0;
}

static int take_keys(struct console *c, struct why *why)
{
	uint8_t in[KEYS_BYTES], out[KEYS_BYTES + 1];
	ssize_t n = read(STDIN_FILENO, in, sizeof(in));
	size_t size;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		c->stdin_open = false;
		return 0;
	}
	size = escape_filter(&c->escape, in, (size_t)n, out, &c->leave);
	return size ? send_keys(c, out, size, why) : 0;
}

static struct pollfd keys_pollfd(const struct console *c)
{
	bool room = client_backlog(c->client) < CLIENT_BACKLOG_BYTES;

	return (struct pollfd){ .fd = c->stdin_open && room ? STDIN_FILENO : -1,
				.events = POLLIN };
}

static void take_signals(struct console *c)
{
	int number;

	while ((number = signals_next(c->signals)))
		c->leave |= number != SIGWINCH;
}

/* A terminal that takes nothing for now must not keep the user from leaving. */
static int put_or_leave(struct console *c, const uint8_t *bytes, size_t size)
{
	while (size && !c->leave) {
		struct pollfd p[3] = {
			{ .fd = c->out.fd, .events = POLLOUT },
			{ .fd = c->signals, .events = POLLIN },
			keys_pollfd(c),
		};
		ssize_t n = 0;

		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents)
			take_signals(c);
		if (p[2].revents && take_keys(c, NULL))
			c->leave = true; /* the lab has gone */
		if (p[0].revents && !c->leave)
			n = outlet_put(&c->out, bytes, size);
		if (n < 0)
			return (int)n;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct console *c = ctx;
	const json_t *data = json_object_get(line, "data");
	size_t chars = json_string_length(data);
	cleanup_free uint8_t *bytes = NULL;
	long size;

	if (last) {
		c->ended = true;
		client_verdict(line, &c->why);
		return;
	}
	if (json_object_get(line, "bytes") && outlet_has_room(STDERR_FILENO))
		ui_note("\r\n[%" JSON_INTEGER_FORMAT
			" bytes were too fast for this connection]\r",
			json_integer_value(json_object_get(line, "bytes")));
	bytes = ui_need(malloc(chars / 4 * 3 + 1));
	size = chars ? base64_decode(bytes, json_string_value(data), chars) : 0;
	if (size > 0 && !c->put_error)
		c->put_error = put_or_leave(c, bytes, (size_t)size);
}

static int follow(struct console *c, struct why *why)
{
	int rc = 0;

	while (!rc && !c->ended && !c->leave && !c->put_error) {
		struct pollfd p[3] = {
			client_pollfd(c->client),
			{ .fd = c->signals, .events = POLLIN },
			keys_pollfd(c),
		};

		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents)
			take_signals(c);
		/* Keys first: while output is written they are read, too. */
		if (p[2].revents)
			rc = take_keys(c, why);
		if (!rc && p[0].revents)
			rc = client_serve(c->client, p[0].revents, why);
	}
	return rc;
}

static int run(struct console *c, const char *node, struct why *why)
{
	static const int list[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGWINCH, 0 };
	bool terminal = isatty(STDIN_FILENO);
	int rc;

	c->id = client_request(c->client, "console",
			       json_pack("{s:s, s:i}", "node", node, "tail", TAIL_BYTES),
			       got_line, c, why);
	if (c->id < 0)
		return (int)c->id;
	c->signals = signals_open(list, why);
	rc = c->signals < 0 ? c->signals : 0;
	if (!rc && terminal) {
		ui_note("The console of %s. Ctrl-] leaves it.", node);
		rc = terminal_raw(STDIN_FILENO, why);
	}
	if (!rc)
		rc = follow(c, why);
	terminal_restore();
	if (terminal && outlet_has_room(STDERR_FILENO))
		fputs("\r\n", stderr);
	signals_close(c->signals);
	return rc;
}

int cmd_console(struct command_call *call)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct console c = { .client = call->client, .stdin_open = true };
	struct nodes one = { 0 };
	struct why why;
	int rc;

	sigaction(SIGPIPE, &ignore, NULL);
	outlet_open(&c.out, STDOUT_FILENO);
	c.escape.kind = isatty(STDIN_FILENO) ? ESCAPE_BRACKET : ESCAPE_NONE;
	rc = node_set_named(&one, call->client, call->argv[0], &why);
	if (!rc && one.count != 1)
		rc = why_set(&why, -EINVAL, "a console is of one machine");
	if (!rc)
		rc = run(&c, one.names[0], &why);
	if (!rc && c.why.text[0])
		rc = why_set(&why, -EREMOTEIO, "%s", c.why.text);
	if (!rc && c.put_error && c.put_error != -EPIPE)
		rc = why_errno(&why, c.put_error, "writing the output");
	if (rc)
		ui_error("%s", why.text);
	outlet_close(&c.out);
	node_set_free(&one);
	return rc ? STATUS_FAILED : STATUS_DONE;
}
