/* SPDX-License-Identifier: MIT */
/* console, input, events: streams that a client reads at its own pace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "control/control_args.h"
#include "lab/verbs.h"

enum { PIECE_BYTES = 16 << 10 };

/* ---- console ----------------------------------------------------------- */

struct console {
	struct request request;
	struct machine *machine;
	uint64_t at; /* place in the console's stream */
};

/* The oldest bytes may be gone before a slow client comes to read them. */
static void skip_lost(struct console *console, const struct ring *ring)
{
	uint64_t first = ring_first(ring);

	if (console->at >= first)
		return;
	request_event(&console->request, "skipped",
		      json_pack("{s:I}", "bytes", (json_int_t)(first - console->at)));
	console->at = first;
}

static bool pump_console(struct request *request)
{
	struct console *console = (struct console *)request;
	const struct ring *ring = machine_console(console->machine);
	char text[BASE64_ROOM(PIECE_BYTES)];

	skip_lost(console, ring);
	while (console->at < ring->end && request_has_room(request)) {
		const uint8_t *bytes;
		size_t n = ring_peek(ring, console->at, &bytes);

		n = n < PIECE_BYTES ? n : PIECE_BYTES;
		base64_encode(text, bytes, n);
		request_event(request, "console",
			      json_pack("{s:o}", "data", json_string_nocheck(text)));
		console->at += n;
	}
	return console->at < ring->end;
}

static void drop_request(struct request *request)
{
	free(request);
}

static void close_request(struct request *request)
{
	request_answer(request, NULL);
	free(request);
}

static const struct request_ops console_ops = {
	.pump = pump_console,
	.close = close_request,
	.drop = drop_request,
};

int verb_console(void *ctx, struct call *call, struct why *why)
{
	struct console *console;
	struct machine *machine;
	const struct ring *ring;
	json_int_t tail = 0;
	int err = lab_machine(ctx, call->body, &machine, why);

	if (!err)
		err = arg_integer(call->body, "tail", ARG_OPTIONAL, 0, INT64_MAX, &tail,
				  why);
	if (err)
		return err;
	console = calloc(1, sizeof(*console));
	if (!console)
		return why_set(why, -ENOMEM, "console: out of memory");
	ring = machine_console(machine);
	console->machine = machine;
	console->at = ring->end;
	if ((uint64_t)tail > ring->end - ring_first(ring))
		console->at = ring_first(ring);
	else
		console->at -= (uint64_t)tail;
	request_begin(&console->request, call, &console_ops, WAKE_CONSOLE);
	return 0;
}

int verb_input(void *ctx, struct call *call, struct why *why)
{
	cleanup_free uint8_t *bytes = NULL;
	struct console *console;
	json_int_t to;
	size_t size;
	ssize_t n;
	int err = arg_integer(call->body, "to", ARG_REQUIRED, INT64_MIN, INT64_MAX, &to,
			      why);

	(void)ctx;
	if (!err)
		err = arg_bytes(call->body, "data", &bytes, &size, why);
	if (err)
		return err;
	console = (struct console *)request_find(call, to);
	if (!console || console->request.ops != &console_ops)
		return why_set(why, -ENOENT, "request %lld is no console under way",
			       (long long)to);
	n = machine_type(console->machine, bytes, size);
	if (n == -ENOTCONN)
		return why_set(why, -ENOTCONN, "%s is %s",
			       machine_plan(console->machine)->name,
			       machine_state_name(machine_state(console->machine)));
	if (n == -EOPNOTSUPP)
		return why_set(why, -EOPNOTSUPP,
			       "the console of a machine in virtual time is for reading: "
			       "use netlab shell %s",
			       machine_plan(console->machine)->name);
	if (n < 0)
		return why_errno(why, (int)n, "console");
	if ((size_t)n < size)
		return why_set(
			why, -ENOBUFS,
			"the machine does not read its console; %zu bytes were dropped",
			size - (size_t)n);
	return 0;
}

/* ---- events ------------------------------------------------------------ */

struct reader {
	struct request request;
	const struct journal *journal;
	uint64_t at; /* number of the next entry */
	bool follow;
};

static bool pump_events(struct request *request)
{
	struct reader *reader = (struct reader *)request;
	uint64_t first = journal_first(reader->journal);

	if (reader->at < first) {
		request_event(
			request, "skipped",
			json_pack("{s:I}", "entries", (json_int_t)(first - reader->at)));
		reader->at = first;
	}
	while (reader->at < journal_next(reader->journal) && request_has_room(request)) {
		size_t size;
		const char *line = journal_line(reader->journal, reader->at++, &size);

		if (line)
			request_event(request, "journal",
				      json_pack("{s:o}", "entry",
						json_loadb(line, size, 0, NULL)));
		else
			request_event(request, "skipped", json_pack("{s:i}", "entries", 1));
	}
	if (reader->at < journal_next(reader->journal))
		return true;
	if (!reader->follow) {
		request_answer(request,
			       json_pack("{s:I}", "next", (json_int_t)reader->at));
		free(reader);
	}
	return false;
}

int verb_events(void *ctx, struct call *call, struct why *why)
{
	static const struct request_ops ops = {
		.pump = pump_events,
		.close = close_request,
		.drop = drop_request,
	};
	struct lab *lab = ctx;
	struct reader *reader;
	json_int_t since = 0;
	bool follow = false;
	int err =
		arg_integer(call->body, "since", ARG_OPTIONAL, 0, INT64_MAX, &since, why);

	if (!err)
		err = arg_flag(call->body, "follow", &follow, why);
	if (err)
		return err;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return why_set(why, -ENOMEM, "events: out of memory");
	reader->journal = lab->journal;
	reader->at = (uint64_t)since;
	reader->follow = follow;
	/* A number that is not there yet: from the next one on. */
	if (reader->at > journal_next(lab->journal))
		reader->at = journal_next(lab->journal);
	request_begin(&reader->request, call, &ops, WAKE_JOURNAL);
	return 0;
}
