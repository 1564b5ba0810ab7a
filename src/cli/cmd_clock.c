/* SPDX-License-Identifier: MIT */
/* The lab's clock: look at it, and say how virtual time passes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/pace.h"
#include "cli/ui.h"
#include "clock/clock.h"

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void print_state(const json_t *answer)
{
	char now[UNITS_TEXT_BYTES_MAX], pace[PACE_TEXT_BYTES_MAX];
	const json_t *digest = json_object_get(answer, "digest");
	const char *all = json_string_value(json_object_get(digest, "all"));

	printf("%s time %s", json_string_value(json_object_get(answer, "clock")),
	       units_format_ns(now, number(answer, "now_ns")));
	if (all) {
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

static int ask(struct call *call, json_t *fields, int timeout_ms)
{
	json_t *answer = NULL;
	struct why why;

	if (client_call(call->client, "clock", fields, timeout_ms, &answer, &why)) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	if (call->json) {
		json_object_del(answer, "id");
		json_object_del(answer, "ok");
		ui_json(answer);
	} else {
		print_state(answer);
		if (call_option(call, "stats"))
			print_stats(answer);
	}
	json_decref(answer);
	return STATUS_DONE;
}

int cmd_clock(struct call *call)
{
	return ask(call, json_object(), CLIENT_CALL_MS);
}

int cmd_clock_pace(struct call *call)
{
	uint64_t pace_ppm;
	struct why why;

	if (pace_parse(call->argv[0], &pace_ppm, &why)) {
		ui_error("%s", why.text);
		return STATUS_USAGE;
	}
	return ask(call, json_pack("{s:I}", "pace_ppm", (json_int_t)pace_ppm),
		   CLIENT_CALL_MS);
}

int cmd_clock_pause(struct call *call)
{
	return ask(call, json_pack("{s:b}", "paused", 1), CLIENT_CALL_MS);
}

int cmd_clock_resume(struct call *call)
{
	return ask(call, json_pack("{s:b}", "paused", 0), CLIENT_CALL_MS);
}

int cmd_clock_step(struct call *call)
{
	uint64_t ns;
	struct why why;

	if (units_parse_ns(call->argv[0], &ns, &why) || ns == 0) {
		ui_error("%s", ns ? why.text : "a step of no time");
		return STATUS_USAGE;
	}
	return ask(call, json_pack("{s:I}", "step_ns", (json_int_t)ns), -1);
}
