/* SPDX-License-Identifier: MIT */
/* The lab's clock: look at it, and say how virtual time passes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/pace.h"
#include "cli/ui.h"
#include "clock/clock.h"
#include "clock/vtime.h"
#include "topology/node_clock.h"

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* 604.080007809s: what `replay --until` and `clock step` take, to the nanosecond. */
static const char *time_text(char *text, size_t room, uint64_t ns)
{
	size_t size = (size_t)snprintf(text, room, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S,
				       ns % NS_PER_S);

	while (text[size - 1] == '0')
		size--;
	size -= text[size - 1] == '.';
	snprintf(text + size, room - size, "s");
	return text;
}

static void print_state(const json_t *answer)
{
	char now[UNITS_TEXT_BYTES_MAX], pace[PACE_TEXT_BYTES_MAX];
	uint64_t now_ns = number(answer, "now_ns");
	const json_t *digest = json_object_get(answer, "digest");
	const char *all = json_string_value(json_object_get(digest, "all")), *slow = NULL;

	printf("%s time %s", json_string_value(json_object_get(answer, "clock")),
	       time_text(now, sizeof(now), now_ns));
	if (all) {
		slow = json_string_value(
			json_object_get(json_object_get(answer, "slow"), "why"));
		printf(", pace %s%s%s\n", pace_format(pace, number(answer, "pace_ppm")),
		       json_is_true(json_object_get(answer, "paused")) ? ", paused" : "",
		       json_is_true(json_object_get(answer, "standing")) ? ", standing"
									 : "");
		printf("digest %s: %llu frames, %llu journal entries, %llu console "
		       "bytes, %llu log bytes",
		       all, (unsigned long long)number(digest, "frame_count"),
		       (unsigned long long)number(digest, "entry_count"),
		       (unsigned long long)number(digest, "console_bytes"),
		       (unsigned long long)number(digest, "log_bytes"));
	}
	putchar('\n');
	if (slow)
		printf("slow: %s\n", slow);
}

static unsigned percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned)(part * 100 / whole) : 0;
}

static void print_stats(const json_t *answer)
{
	const json_t *stats = json_object_get(answer, "stats");
	uint64_t netlab_ns = number(stats, "netlab_ns"),
		 guests_ns = number(stats, "guests_ns"), busy_ns = netlab_ns + guests_ns,
		 rounds = number(stats, "rounds"), now_ns = number(answer, "now_ns");
	char busy[32], standing[32];

	if (!stats) {
		printf("a lab in real time has no scheduling rounds\n");
		return;
	}
	printf("rounds %llu, %llu a second; instants with timers %llu; calls to "
	       "guests %llu\n",
	       (unsigned long long)rounds,
	       (unsigned long long)(busy_ns ? rounds * NS_PER_S / busy_ns : 0),
	       (unsigned long long)number(stats, "timers"),
	       (unsigned long long)number(stats, "calls"));
	printf("host time %s busy: %u %% in netlab, %u %% in guests; %s standing\n",
	       ui_duration(busy, sizeof(busy), busy_ns), percent(netlab_ns, busy_ns),
	       percent(guests_ns, busy_ns),
	       ui_duration(standing, sizeof(standing), number(stats, "standing_ns")));
	if (busy_ns)
		printf("virtual time passed at %.2f times the host's while busy\n",
		       (double)now_ns / (double)busy_ns);
}

static void print_node(const json_t *node)
{
	char offset[UNITS_TEXT_BYTES_MAX], drift[UNITS_TEXT_BYTES_MAX];

	printf("%s: offset %s, drift %s%s\n",
	       json_string_value(json_object_get(node, "node")),
	       units_format_signed_ns(offset, json_integer_value(json_object_get(
						      node, "offset_ns"))),
	       units_format_signed_ppb(drift, json_integer_value(json_object_get(
						      node, "drift_ppb"))),
	       json_is_true(json_object_get(node, "frozen")) ? ", frozen" : "");
}

static int show(struct command_call *call, json_t *answer)
{
	const json_t *nodes, *node;
	size_t i;

	if (call->json) {
		json_object_del(answer, "id");
		json_object_del(answer, "ok");
		ui_json(answer);
	} else if (json_object_get(answer, "node")) {
		print_node(answer);
	} else {
		print_state(answer);
		nodes = json_object_get(answer, "nodes");
		json_array_foreach(nodes, i, node)
			print_node(node);
		if (call_option(call, "stats"))
			print_stats(answer);
	}
	json_decref(answer);
	return STATUS_DONE;
}

static int ask(struct command_call *call, const char *verb, json_t *fields, int timeout_ms)
{
	json_t *answer = NULL;
	struct why why;

	if (client_call(call->client, verb, fields, timeout_ms, &answer, &why)) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	return show(call, answer);
}

int cmd_clock(struct command_call *call)
{
	return ask(call, "clock", json_object(), CLIENT_CALL_MS);
}

int cmd_clock_pace(struct command_call *call)
{
	uint64_t pace_ppm;
	struct why why;

	if (pace_parse(call->argv[0], &pace_ppm, &why)) {
		ui_error("%s", why.text);
		return STATUS_USAGE;
	}
	return ask(call, "clock", json_pack("{s:I}", "pace_ppm", (json_int_t)pace_ppm),
		   CLIENT_CALL_MS);
}

int cmd_clock_pause(struct command_call *call)
{
	return ask(call, "clock", json_pack("{s:b}", "paused", 1), CLIENT_CALL_MS);
}

int cmd_clock_resume(struct command_call *call)
{
	return ask(call, "clock", json_pack("{s:b}", "paused", 0), CLIENT_CALL_MS);
}

static void got_line(void *ctx, const json_t *line, bool last)
{
	json_t **answer = ctx;

	if (last)
		*answer = json_incref((json_t *)line);
	else
		ui_slow(json_string_value(json_object_get(line, "why")));
}

/* It takes as long as it takes; who makes it long is said meanwhile. */
static int take_step(struct command_call *call, uint64_t ns)
{
	json_t *answer = NULL;
	struct why why;
	long id = client_request(call->client, "clock",
				 json_pack("{s:I}", "step_ns", (json_int_t)ns), got_line,
				 &answer, &why);
	int rc = id < 0 ? (int)id : 0;

	while (!rc && !answer)
		rc = client_turn(call->client, -1, NULL, &why);
	if (!rc)
		rc = client_verdict(answer, &why);
	if (!rc)
		return show(call, answer);
	ui_error("%s", why.text);
	json_decref(answer);
	return STATUS_FAILED;
}

int cmd_clock_step(struct command_call *call)
{
	uint64_t ns;
	struct why why;

	int err = units_parse_ns(call->argv[0], &ns, &why);

	if (!err && !ns)
		err = why_set(&why, -EINVAL, "a step of no time");
	if (!err && ns > CLOCK_STEP_NS_MAX)
		err = why_set(&why, -ERANGE, "%s: a step is of at most a year (8760h)",
			      call->argv[0]);
	if (err) {
		ui_error("clock step: %s", why.text);
		return STATUS_USAGE;
	}
	return take_step(call, ns);
}

/* ---- a machine's own clock ---------------------------------------------------- */

/* One of offset=, step=, drift=. */
static int read_word(const char *word, json_t *fields, struct why *why)
{
	static const struct {
		const char *name, *key;
		int (*parse)(const char *text, int64_t *out, struct why *why);
	} words[] = {
		{ "offset=", "offset_ns", node_clock_parse_ns },
		{ "step=", "step_ns", node_clock_parse_ns },
		{ "drift=", "drift_ppb", node_clock_parse_drift },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i].name);
		int64_t value;
		int err;

		if (strncmp(word, words[i].name, length) != 0)
			continue;
		if (json_object_get(fields, words[i].key))
			return why_set(why, -EINVAL, "%s is given twice", words[i].name);
		err = words[i].parse(word + length, &value, why);
		if (!err)
			json_object_set_new(fields, words[i].key, json_integer(value));
		return err;
	}
	return why_set(why, -EINVAL,
		       "\"%.40s\": write offset=TIME, step=TIME or drift=PART, such as "
		       "offset=+3s, step=-5s, drift=200ppm",
		       word);
}

int cmd_clock_set(struct command_call *call)
{
	json_t *fields = json_pack("{s:s}", "node", call->argv[0]);
	struct why why;

	for (int i = 1; i < call->argc; i++)
		if (read_word(call->argv[i], fields, &why)) {
			json_decref(fields);
			ui_error("%s", why.text);
			return STATUS_USAGE;
		}
	return ask(call, "node-clock", fields, CLIENT_CALL_MS);
}

int cmd_clock_freeze(struct command_call *call)
{
	return ask(call, "node-clock",
		   json_pack("{s:s, s:b}", "node", call->argv[0], "frozen", 1),
		   CLIENT_CALL_MS);
}

int cmd_clock_thaw(struct command_call *call)
{
	return ask(call, "node-clock",
		   json_pack("{s:s, s:b}", "node", call->argv[0], "frozen", 0),
		   CLIENT_CALL_MS);
}
