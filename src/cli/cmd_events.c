/* SPDX-License-Identifier: MIT */
/* The journal: of a living lab from the lab, of a dead one from its file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/events_text.h"
#include "cli/labref.h"
#include "cli/ui.h"

/* Which: from a number on, or not earlier than so long ago. */
struct since {
	uint64_t number, ago_ns;
};

enum { CLOCK_MS = 5000 };

struct events {
	bool json, ended;
	uint64_t from_ns;
	struct why why;
};

static void print_entry(const struct events *events, const json_t *entry)
{
	char text[4096];

	if ((uint64_t)json_integer_value(json_object_get(entry, "t")) < events->from_ns)
		return;
	if (events->json) {
		ui_json_line(entry);
	} else {
		ui_safe(stdout, events_text(text, sizeof(text), entry), false);
		putchar('\n');
	}
}

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct events *events = ctx;

	if (last) {
		events->ended = true;
		client_verdict(line, &events->why);
		return;
	}
	if (json_is_object(json_object_get(line, "entry")))
		print_entry(events, json_object_get(line, "entry"));
	else if (json_object_get(line, "entries"))
		ui_note("(%" JSON_INTEGER_FORMAT
			" older events are only in the run directory)",
			json_integer_value(json_object_get(line, "entries")));
	ui_flush(stdout);
}

static uint64_t earlier(uint64_t now_ns, uint64_t ago_ns)
{
	return ago_ns < now_ns ? now_ns - ago_ns : 0;
}

static int find_from(struct command_call *call, struct events *events, const struct since *since,
		     struct why *why)
{
	json_t *clock = NULL;
	int rc;

	if (!since->ago_ns)
		return 0;
	rc = client_call(call->client, "clock", NULL, CLOCK_MS, &clock, why);
	if (!rc)
		events->from_ns = earlier(
			(uint64_t)json_integer_value(json_object_get(clock, "now_ns")),
			since->ago_ns);
	json_decref(clock);
	return rc;
}

static int of_living(struct command_call *call, const char *lab, const struct since *since,
		     struct why *why)
{
	struct events events = { .json = call->json };
	bool follow = call_option(call, "follow") != NULL;
	long id;
	int rc;

	rc = labref_connect(lab, &call->client, why);
	if (!rc)
		rc = find_from(call, &events, since, why);
	if (rc)
		return rc;
	id = client_request(
		call->client, "events",
		json_pack("{s:b, s:I}", "follow", follow, "since",
			  (json_int_t)since->number),
		got_line, &events, why);
	rc = id < 0 ? (int)id : 0;
	while (!rc && !events.ended && !ui_is_broken())
		rc = client_turn(call->client, -1, NULL, why);
	/* Who follows until the lab goes has seen all there was. */
	if (rc == -ENOTCONN && follow)
		return 0;
	if (!rc && events.why.text[0])
		rc = why_set(why, -EREMOTEIO, "%s", events.why.text);
	return rc;
}

/* When its last event was: there is no later time of a dead lab. */
static uint64_t last_of(FILE *file)
{
	cleanup_free char *line = NULL;
	size_t room = 0;
	uint64_t last_ns = 0;
	json_t *entry;

	while (getline(&line, &room, file) > 0) {
		entry = json_loads(line, 0, NULL);
		if (entry)
			last_ns = (uint64_t)json_integer_value(json_object_get(entry, "t"));
		json_decref(entry);
	}
	rewind(file);
	return last_ns;
}

static int of_dead(const struct command_call *call, const struct state_info *lab,
		   const struct since *since, struct why *why)
{
	struct events events = { .json = call->json };
	char path[PATH_MAX + 32];
	cleanup_file FILE *file = NULL;
	cleanup_free char *line = NULL;
	size_t room = 0;
	json_t *entry;

	if (!*lab->run_dir)
		return why_set(why, -ENOENT, "lab %s is dead and left no journal",
			       lab->name);
	snprintf(path, sizeof(path), "%s/journal.jsonl", lab->run_dir);
	file = fopen(path, "re");
	if (!file)
		return why_errno(why, -errno, "%s", path);
	if (since->ago_ns)
		events.from_ns = earlier(last_of(file), since->ago_ns);
	while (!ui_is_broken() && getline(&line, &room, file) > 0) {
		/* Its last line may be cut short. */
		entry = json_loads(line, 0, NULL);
		if (entry &&
		    (uint64_t)json_integer_value(json_object_get(entry, "n")) >=
			    since->number)
			print_entry(&events, entry);
		json_decref(entry);
	}
	if (!ui_is_broken() && !feof(file))
		return why_errno(why, -errno, "%s", path);
	ui_note("(lab %s is dead: this is what it wrote)", lab->name);
	return 0;
}

int cmd_events(struct command_call *call)
{
	const char *number = call_option(call, "since");
	struct state_info lab;
	struct since since = { 0 };
	struct why why;
	int rc;

	if (number && units_parse_count(number, &since.number, NULL) &&
	    units_parse_ns(number, &since.ago_ns, NULL)) {
		ui_error("--since %s: write the number of an event, or how long ago: 10s",
			 number);
		return STATUS_USAGE;
	}
	rc = labref_find(&lab, call->lab_wanted, false, &why);
	if (!rc && lab.kind == STATE_DEAD)
		rc = of_dead(call, &lab, &since, &why);
	else if (!rc)
		rc = of_living(call, lab.name, &since, &why);
	if (rc)
		ui_error("%s", why.text);
	return rc ? STATUS_FAILED : STATUS_DONE;
}
