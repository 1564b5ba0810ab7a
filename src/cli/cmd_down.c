/* SPDX-License-Identifier: MIT */
/* Ask; wait; and where that does not help, kill and clear. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/down.h"
#include "cli/host_clock.h"
#include "cli/labref.h"
#include "cli/progress.h"
#include "cli/ui.h"
#include "fabric/fidelity.h"

enum {
	SILENCE_MS = 5000,           /* longer than this without a word: it hangs */
	GRACEFUL_SILENCE_MS = 30000, /* machines power off one by one, or not at all */
	GONE_MS = 5000,              /* from the answer to the end of the process */
	KILL_MS = 5000,
};

struct asked {
	bool answered;
	bool suspect; /* the run: its delays were not kept */
	json_int_t pool; /* frames that were lost for want of memory */
	uint64_t heard_ns;
	struct why why;
	struct why lost; /* of the record; "": nothing */
	struct progress_state state;
};

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct asked *asked = ctx;

	asked->heard_ns = clock_now_ns(host_clock());
	if (last) {
		asked->answered = true;
		client_verdict(line, &asked->why);
		if (json_object_get(line, "record_lost"))
			why_set(&asked->lost, -EIO, "%s",
				json_string_value(json_object_get(line, "record_lost")) ?: "?");
		asked->suspect = json_is_true(json_object_get(
			json_object_get(line, "fidelity"), "suspect"));
		asked->pool = json_integer_value(
			json_object_get(json_object_get(line, "fidelity"), "pool"));
	} else {
		down_progress(&asked->state, line);
	}
}

void down_progress(struct progress_state *state, const json_t *line)
{
	const char *node = json_string_value(json_object_get(line, "node"));
	const char *what = json_string_value(json_object_get(line, "what"));
	static const struct {
		const char *key;
		size_t offset;
	} numbers[] = {
		{ "booted", offsetof(struct progress_state, booted) },
		{ "nodes", offsetof(struct progress_state, nodes) },
		{ "ready", offsetof(struct progress_state, ready) },
		{ "services", offsetof(struct progress_state, services) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		const json_t *number = json_object_get(line, numbers[i].key);

		if (json_is_integer(number))
			*(unsigned *)((char *)state + numbers[i].offset) =
				(unsigned)json_integer_value(number);
	}
	if (node && what)
		snprintf(state->what, sizeof(state->what), "%s: %s", node, what);
	else if (what)
		snprintf(state->what, sizeof(state->what), "%s", what);
}

/* 0: it said that it goes, or went without a word. */
static int ask(const char *name, bool graceful, struct why *lost, struct why *why)
{
	uint64_t patience_ns = (graceful ? GRACEFUL_SILENCE_MS : SILENCE_MS) * NS_PER_MS;
	struct asked asked = { .heard_ns = clock_now_ns(host_clock()) };
	struct client *client = NULL;
	int rc, ms;
	long id;

	rc = labref_connect(name, &client, why);
	if (rc)
		return rc;
	client_quiet(client);
	id = client_request(client, "down", json_pack("{s:b}", "graceful", graceful),
			    got_line, &asked, why);
	rc = id < 0 ? (int)id : 0;
	while (!rc && !asked.answered) {
		ms = host_clock_ms_until(asked.heard_ns + patience_ns);
		if (!ms)
			rc = why_set(why, -ETIMEDOUT, "it does not answer");
		else
			rc = client_turn(client, ms, NULL, why);
	}
	client_free(client);
	if (asked.suspect)
		ui_warning("%s: " FIDELITY_SUSPECT
			   " (the journal's last \"fidelity\" says by how much)",
			   name);
	if (asked.pool)
		ui_warning("%s: %" JSON_INTEGER_FORMAT
			   " frames were lost for want of memory for those on their way, "
			   "which no fault asked for (`pool` in the journal)",
			   name, asked.pool);
	*lost = asked.lost;
	if (rc == -ENOTCONN)
		return 0;
	return !rc && asked.why.text[0] ? why_set(why, -EREMOTEIO, "%s", asked.why.text)
					: rc;
}

int down_lab(const struct state_info *lab, bool graceful, struct why *why)
{
	struct why reason, lost = { "" };
	int rc;

	if (lab->kind == STATE_DEAD) {
		rc = state_clear(lab->name, why);
		if (!rc)
			printf("%s was dead; what it left is cleared\n", lab->name);
		return rc == -ENOENT ? 0 : rc;
	}
	rc = ask(lab->name, graceful, &lost, &reason);
	if (!rc && state_wait_gone(lab, GONE_MS, &reason) == 0) {
		/* It was killed while it went: then there is something to clear. */
		state_clear(lab->name, NULL);
		printf("%s is down\n", lab->name);
		return *lost.text ? why_set(why, -EIO,
					    "the record of its run is incomplete: %s",
					    lost.text)
				  : 0;
	}
	ui_warning("%s: %s; it is ended by force", lab->name,
		   labref_without_name(reason.text, lab->name));
	rc = state_kill(lab->name, KILL_MS, why);
	if (rc && rc != -ENOENT)
		return rc;
	printf("%s is down (killed)\n", lab->name);
	return 0;
}

void down_await(const char *name)
{
	struct state_info info;
	struct why why;

	if (state_look(&info, name, &why))
		return; /* it has gone */
	if (info.kind != STATE_DEAD && !state_wait_gone(&info, GONE_MS, &why)) {
		state_clear(name, NULL);
		return;
	}
	if (state_kill(name, KILL_MS, &why) && !state_look(&info, name, NULL))
		ui_error("%s: %s; see: netlab ps", name,
			 labref_without_name(why.text, name));
}

static int down_all(bool graceful)
{
	cleanup_free struct state_info *labs = NULL;
	int status = STATUS_DONE;
	size_t count = 0, i;
	struct why why;

	if (state_list(&labs, &count, &why)) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	if (!count)
		printf("no labs\n");
	for (i = 0; i < count; i++)
		if (down_lab(&labs[i], graceful, &why)) {
			ui_error("%s: %s", labs[i].name,
				 labref_without_name(why.text, labs[i].name));
			status = STATUS_FAILED;
		}
	return status;
}

int cmd_down(struct command_call *call)
{
	bool graceful = call_option(call, "graceful") != NULL;
	const char *wanted = call->argc ? call->argv[0] : call->lab_wanted;
	struct state_info lab;
	struct why why;

	if (call_option(call, "all")) {
		if (call->argc || call_option(call, "lab")) {
			ui_error("down: either a lab or --all, not both");
			return STATUS_USAGE;
		}
		return down_all(graceful);
	}
	if (labref_find(&lab, wanted, false, &why) || down_lab(&lab, graceful, &why)) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}
