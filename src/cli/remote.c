/* SPDX-License-Identifier: MIT */
#include "cli/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/ui.h"

static void got_output(struct remote *r, enum remote_stream stream, const json_t *line)
{
	const json_t *data = json_object_get(line, "data");
	size_t chars = json_string_length(data);
	cleanup_free uint8_t *bytes = ui_need(malloc(chars / 4 * 3 + 1));
	long size = chars ? base64_decode(bytes, json_string_value(data), chars) : 0;

	if (size > 0 && r->output)
		r->output(r->ctx, stream, bytes, (size_t)size);
}

static void got_event(struct remote *r, const json_t *line)
{
	const char *event = json_string_value(json_object_get(line, "event"));
	size_t credit;

	if (!event)
		return;
	if (!strcmp(event, "stdout")) {
		r->unsaid++;
		got_output(r, REMOTE_STDOUT, line);
	} else if (!strcmp(event, "stderr")) {
		r->unsaid++;
		got_output(r, REMOTE_STDERR, line);
	} else if (!strcmp(event, "slow")) {
		ui_slow(json_string_value(json_object_get(line, "why")));
	} else if (!strcmp(event, "started")) {
		r->started = true;
	} else if (!strcmp(event, "credit")) {
		credit = (size_t)json_integer_value(json_object_get(line, "bytes"));
		r->under_way = credit < r->under_way ? r->under_way - credit : 0;
	}
}

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct remote *r = ctx;
	const json_t *exit_status, *number;

	if (!last) {
		got_event(r, line);
		return;
	}
	r->ended = true;
	exit_status = json_object_get(line, "exit");
	number = json_object_get(line, "signal");
	if (json_is_integer(exit_status))
		r->exit = (int)json_integer_value(exit_status);
	if (json_is_integer(number))
		r->signal = (int)json_integer_value(number);
	client_verdict(line, &r->error);
}

int remote_start(struct remote *r, struct client *client, const char *node, json_t *what,
		 struct why *why)
{
	long id;

	r->client = client;
	r->started = r->ended = r->closed_stdin = false;
	r->exit = REMOTE_FAILED;
	r->signal = 0;
	r->error.text[0] = 0;
	r->under_way = 0;
	r->unsaid = 0;
	json_object_set_new(what, "node", json_string(node));
	if (r->lockstep)
		json_object_set_new(what, "lockstep", json_true());
	id = client_request(client, "exec", what, got_line, r, why);
	r->id = id > 0 ? id : 0;
	return id < 0 ? (int)id : 0;
}

size_t remote_room(const struct remote *r)
{
	size_t room = REMOTE_WINDOW_BYTES - r->under_way;

	if (!r->started || r->ended || r->closed_stdin ||
	    client_backlog(r->client) >= CLIENT_BACKLOG_BYTES)
		return 0;
	return room < REMOTE_CHUNK_BYTES ? room : REMOTE_CHUNK_BYTES;
}

/* Answers only come if something is wrong, and by then it may have ended. */
static int tell(struct remote *r, const char *what, json_t *fields, struct why *why)
{
	long id;

	json_object_set_new(fields, "to", json_integer(r->id));
	id = client_request(r->client, what, fields, NULL, NULL, why);
	return id < 0 ? (int)id : 0;
}

int remote_write(struct remote *r, const uint8_t *bytes, size_t size, struct why *why)
{
	char text[BASE64_ROOM(REMOTE_CHUNK_BYTES)];
	json_t *fields = json_object();

	base64_encode(text, bytes, size);
	json_object_set_new(fields, "data", json_string_nocheck(text));
	r->under_way += size;
	return tell(r, "stdin", fields, why);
}

int remote_end_stdin(struct remote *r, struct why *why)
{
	json_t *fields = json_object();

	if (r->closed_stdin || r->ended) {
		json_decref(fields);
		return 0;
	}
	r->closed_stdin = true;
	json_object_set_new(fields, "data", json_string(""));
	return tell(r, "stdin", fields, why);
}

int remote_go_on(struct remote *r, struct why *why)
{
	unsigned events = r->unsaid;

	r->unsaid = 0;
	if (!r->lockstep || !events || r->ended)
		return 0;
	return tell(r, "go-on", json_pack("{s:i}", "events", (int)events), why);
}

int remote_signal(struct remote *r, int number, struct why *why)
{
	json_t *fields = json_object();

	json_object_set_new(fields, "signal", json_integer(number));
	return tell(r, "signal", fields, why);
}

int remote_resize(struct remote *r, unsigned rows, unsigned cols, struct why *why)
{
	json_t *fields = json_object();

	json_object_set_new(fields, "rows", json_integer(rows));
	json_object_set_new(fields, "cols", json_integer(cols));
	return tell(r, "resize", fields, why);
}

int remote_status(const struct remote *r)
{
	if (r->signal)
		return 128 + r->signal;
	return r->exit == REMOTE_FAILED ? 1 : r->exit;
}

void remote_close(struct remote *r)
{
	if (!r->id)
		return;
	client_forget(r->client, r->id);
	if (!r->ended)
		tell(r, "close", json_object(), NULL);
	r->id = 0;
}
