/* SPDX-License-Identifier: MIT */
/* replay: a recorded run once more.  What it began with is read and looked at here; the
 * new lab does the rest (lab/rerun.h). */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/down.h"
#include "cli/host_clock.h"
#include "cli/progress.h"
#include "cli/rerun_text.h"
#include "cli/run_ref.h"
#include "cli/terminal.h"
#include "cli/ui.h"
#include "clock/vtime.h"
#include "lab/lab.h"
#include "run/origin.h"
#include "run/recorded.h"
#include "run/state.h"
#include "topology/compile.h"
#include "topology/cost.h"

enum { KILL_MS = 5000 };

/* Read from before there is a lab, so that none goes on that nobody waits for. */
static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0 };

struct rerun_call {
	const struct command_call *call;
	char run_dir[PATH_MAX], parent[PATH_MAX], topology[PATH_MAX];
	char name[PLAN_NAME_BYTES_MAX];
	struct origin origin;
	struct plan *plan;
	struct recorded *recorded;
	struct rerun_config config;

	struct lab_handle lab;
	int signals;
	struct client *client;
	struct progress progress;
	json_t *answer; /* of `replay` */
	bool answered;
	int stopped_by; /* a signal; 0: none */
};

static uint64_t number_at(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

/* ---- what was recorded
 * ----------------------------------------------------------------- */

static int find_run(struct rerun_call *rerun, struct why *why)
{
	char path[PATH_MAX];
	int rc = run_ref_find(path, rerun->call->argv[0], why);

	if (rc)
		return rc;
	if (!realpath(path, rerun->run_dir))
		return why_errno(why, -errno, "%s", path);
	snprintf(rerun->parent, sizeof(rerun->parent), "%s", rerun->run_dir);
	if (strrchr(rerun->parent, '/') > rerun->parent)
		*strrchr(rerun->parent, '/') = 0;
	if (snprintf(rerun->topology, sizeof(rerun->topology), "%s/topology.json",
		     rerun->run_dir) >= (int)sizeof(rerun->topology))
		return why_set(why, -ENAMETOOLONG, "%s: the path is too long",
			       rerun->run_dir);
	return origin_read(&rerun->origin, rerun->run_dir, why);
}

static void on_changed(void *ctx, const char *path, const char *what)
{
	(void)ctx;
	ui_warning("%s %s since the run", path, what);
}

static int look_at_files(const struct rerun_call *rerun, struct why *why)
{
	size_t count = origin_check(&rerun->origin, on_changed, NULL);

	if (!rerun->origin.all)
		ui_warning("the folder of %s has more files than were looked at",
			   rerun->origin.topology);
	if (!count || call_option(rerun->call, "anyway"))
		return 0;
	return why_set(why, -ESTALE,
		       "%zu file%s not what the run began with; --anyway runs it all the "
		       "same and finds the first difference",
		       count, count == 1 ? " is" : "s are");
}

static int compile_plan(struct rerun_call *rerun, struct why *why)
{
	const struct origin *origin = &rerun->origin;
	struct topology_options options = {
		.sets = origin->sets,
		.set_count = origin->set_count,
		.seed_given = true,
		.seed = origin->seed,
		.name = origin->name,
	};
	struct diagnostics diags = { 0 };
	struct plan_cost cost;
	int rc;

	if (origin->cost) {
		rc = cost_parse(origin->cost, &cost, why);
		if (rc)
			return why_wrap(why, rc, "%s/origin.json: cost", rerun->run_dir);
		options.cost = &cost;
	}
	rc = topology_compile_copy(rerun->topology, origin->topology, &options,
				   &rerun->plan, &diags);
	if (rc) {
		diagnostics_print(&diags, stderr);
		why_set(why, rc, "%s: the topology cannot be compiled any more",
			rerun->topology);
	}
	diagnostics_free(&diags);
	return rc;
}

/* A time, or digits only: nanoseconds. */
static int read_until(struct rerun_call *rerun, struct why *why)
{
	const char *text = call_option(rerun->call, "until");
	uint64_t end_ns = rerun->recorded->end_ns;
	char end[RERUN_TIME_BYTES];

	if (!text)
		return 0;
	if (units_parse_count(text, &rerun->config.until_ns, NULL) &&
	    units_parse_ns(text, &rerun->config.until_ns, why))
		return why_wrap(why, -EINVAL, "--until");
	if (!rerun->config.until_ns)
		return why_set(why, -EINVAL, "--until 0: that is where it begins");
	if (rerun->config.until_ns > end_ns)
		return why_set(why, -ERANGE, "--until %s: the run ended at %s", text,
			       rerun_time(end, end_ns));
	return 0;
}

static int name_it(struct rerun_call *rerun, struct why *why)
{
	const char *as = call_option(rerun->call, "as");
	int n = snprintf(rerun->name, sizeof(rerun->name), "%s%s",
			 as ? as : rerun->origin.name, as ? "" : "-replay");

	if (n >= (int)sizeof(rerun->name))
		return why_set(why, -ENAMETOOLONG,
			       "%s%s: too long for a lab's name; give one with --as",
			       as ? as : rerun->origin.name, as ? "" : "-replay");
	return 0;
}

static bool goes_on(const struct rerun_call *rerun)
{
	cleanup_free struct state_info *labs = NULL;
	size_t count = 0;
	bool found = false;

	if (state_list(&labs, &count, NULL))
		return false;
	for (size_t i = 0; i < count; i++)
		found |= labs[i].kind != STATE_DEAD &&
			 !strcmp(labs[i].run_dir, rerun->run_dir);
	return found;
}

static int read_record(struct rerun_call *rerun, struct why *why)
{
	int rc = recorded_read(&rerun->recorded, rerun->run_dir, rerun->plan, why);

	if (!rc && !rerun->recorded->ended && !goes_on(rerun))
		whole_lacks(&rerun->recorded->whole,
			    "it has no end: the lab was killed, or its files took no more");
	return rc;
}

static int read_run(struct rerun_call *rerun, struct why *why)
{
	int rc = find_run(rerun, why);

	if (!rc)
		rc = name_it(rerun, why);
	if (!rc)
		rc = look_at_files(rerun, why);
	if (!rc)
		rc = compile_plan(rerun, why);
	if (!rc)
		rc = read_record(rerun, why);
	if (!rc)
		rc = read_until(rerun, why);
	rerun->config.recorded = rerun->recorded;
	return rc;
}

/* ---- the new lab
 * ------------------------------------------------------------------------ */

static int start(struct rerun_call *rerun, struct why *why)
{
	const struct origin *origin = &rerun->origin;
	struct lab_options options = {
		.name = rerun->name,
		.known_as = origin->name,
		.out_dir = rerun->parent,
		.kernel = origin->kernel,
		.capture = call_option(rerun->call, "capture"),
		.seed_given = true,
		.seed = origin->seed,
		.boot_timeout_s = origin->boot_timeout_s,
		.guard_s = origin->guard_s,
		.epoch_s = origin->epoch_s,
		.topology = rerun->topology,
		.sets = origin->sets,
		.set_count = origin->set_count,
		.cost = origin->cost,
		.virtual_time = true,
		.pace_ppm = VTIME_PACE_MAX,
		.rerun = &rerun->config,
	};
	int rc;

	rerun->signals = signals_open(interrupts, why);
	rc = rerun->signals < 0 ? rerun->signals
				: lab_start(rerun->plan, &options, &rerun->lab, why);
	return rc ? rc : client_open(&rerun->client, rerun->lab.control_fd, why);
}

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct rerun_call *rerun = ctx;
	char what[PROGRESS_WHAT_BYTES], now[RERUN_TIME_BYTES];
	uint64_t end_ns = number_at(line, "end_ns"), now_ns = number_at(line, "now_ns");

	if (last) {
		rerun->answered = true;
		rerun->answer = json_incref((json_t *)line);
		return;
	}
	if (!rerun->progress.bar || !end_ns)
		return; /* nobody watches */
	snprintf(what, sizeof(what), "%s, the same until now: %" PRIu64 " frames",
		 rerun_time(now, now_ns / NS_PER_MS * NS_PER_MS),
		 number_at(line, "frames"));
	progress_part(&rerun->progress, what,
		      (uint32_t)((double)now_ns / (double)end_ns * 1e6));
}

static void interrupted(struct rerun_call *rerun, int number)
{
	progress_end(&rerun->progress);
	if (!rerun->stopped_by) {
		rerun->stopped_by = number;
		ui_note("netlab: interrupted; taking the lab down (again: by force)");
		client_request(rerun->client, "down", NULL, NULL, NULL, NULL);
	} else {
		state_kill(rerun->lab.name, KILL_MS, NULL);
	}
}

static int watch(struct rerun_call *rerun, struct why *why)
{
	long id = client_request(rerun->client, "replay", NULL, got_line, rerun, why);
	int rc = id < 0 ? (int)id : 0, number;

	while (!rc && !rerun->answered) {
		struct pollfd p[2] = {
			client_pollfd(rerun->client),
			{ .fd = rerun->signals, .events = POLLIN },
		};

		if (poll(p, 2, PROGRESS_TICK_MS) < 0)
			continue;
		while (p[1].revents && (number = signals_next(rerun->signals)))
			interrupted(rerun, number);
		if (p[0].revents)
			rc = client_serve(rerun->client, p[0].revents, why);
	}
	progress_end(&rerun->progress);
	return rc ? rc : client_verdict(rerun->answer, why);
}

static void take_down(struct rerun_call *rerun)
{
	if (!rerun->stopped_by)
		client_call(rerun->client, "down", NULL, CLIENT_CALL_MS, NULL, NULL);
	client_free(steal_ptr(&rerun->client));
	down_await(rerun->lab.name);
}

/* ---- how it ended
 * ------------------------------------------------------------------------- */

static void say_counts(const json_t *answer)
{
	uint64_t frames = number_at(answer, "frames"),
		 entries = number_at(answer, "entries");

	printf("%" PRIu64 " frame%s, %" PRIu64 " journal entr%s", frames,
	       UI_PLURAL(frames), entries, entries == 1 ? "y" : "ies");
}

static void say_same(const json_t *answer)
{
	const char *is = json_string_value(json_object_get(answer, "digest"));
	const char *was = json_string_value(json_object_get(answer, "recorded_digest"));
	char now[RERUN_TIME_BYTES];

	printf("%sthe same%s: ", ui_paint(stdout, PAINT_GREEN),
	       ui_paint(stdout, PAINT_OFF));
	say_counts(answer);
	printf(", consoles and logs until %s, digest %s\n",
	       rerun_time(now, number_at(answer, "now_ns")), is);
	if (!was)
		printf("the recording has no end of its own: the run goes on, or was "
		       "killed\n");
	else if (strcmp(is, was) != 0)
		printf("the recorded digest, %s, was taken in the middle of that "
		       "instant, or "
		       "has what a console said just after it\n",
		       was);
}

static void say_records(const struct rerun_call *rerun)
{
	printf("  then  %s\n  now   %s\n", rerun->run_dir, rerun->lab.run_dir);
}

static void say_incomplete(const struct rerun_call *rerun)
{
	char now[RERUN_TIME_BYTES];

	printf("what is kept of the run, until %s, is the same: ",
	       rerun_time(now, number_at(rerun->answer, "now_ns")));
	say_counts(rerun->answer);
	printf("\nthe record is incomplete: %s\n", rerun->recorded->whole.why.text);
	say_records(rerun);
}

static void say_halted(const struct rerun_call *rerun)
{
	const char *node = rerun->plan->node_count ? rerun->plan->nodes[0].name : "NODE";
	char now[RERUN_TIME_BYTES];

	printf("%s%s stands at %s%s, the same until there: ",
	       ui_paint(stdout, PAINT_GREEN), rerun->lab.name,
	       rerun_time(now, number_at(rerun->answer, "now_ns")),
	       ui_paint(stdout, PAINT_OFF));
	say_counts(rerun->answer);
	printf("\nFrom here on it is a lab of its own; nothing is compared any more:\n"
	       "  netlab -l %s shell %s\n  netlab -l %s clock step 1ms\n"
	       "  netlab down %s\n  records: %s\n",
	       rerun->lab.name, node, rerun->lab.name, rerun->lab.name,
	       rerun->lab.run_dir);
}

static int say(const struct rerun_call *rerun, const char *state)
{
	const json_t *answer = rerun->answer;
	const char *why = json_string_value(json_object_get(answer, "why"));
	bool whole = whole_is(&rerun->recorded->whole), good;

	if (!strcmp(state, "same") && !whole)
		state = "incomplete";
	good = !strcmp(state, "same") || !strcmp(state, "halted");

	if (rerun->call->json) {
		json_t *out = json_deep_copy(answer);

		json_object_del(out, "id");
		json_object_set_new(out, "ok", json_boolean(good));
		json_object_set_new(out, "state", json_string(state));
		if (!whole)
			json_object_set_new(out, "incomplete",
					    json_string(rerun->recorded->whole.why.text));
		json_object_set_new(out, "lab", json_string(rerun->lab.name));
		json_object_set_new(out, "recorded", json_string(rerun->run_dir));
		json_object_set_new(out, "run_dir", json_string(rerun->lab.run_dir));
		ui_json(out);
		json_decref(out);
	} else if (!strcmp(state, "same")) {
		say_same(answer);
	} else if (!strcmp(state, "incomplete")) {
		say_incomplete(rerun);
	} else if (!strcmp(state, "halted")) {
		say_halted(rerun);
	} else if (why) {
		ui_error("%s", why);
		say_records(rerun);
	} else {
		say_counts(answer);
		printf(" are the same; ");
		rerun_text_print(stdout, json_object_get(answer, "divergence"));
		printf("the records of both:\n");
		say_records(rerun);
	}
	return good ? STATUS_DONE : STATUS_FAILED;
}

static int run(struct rerun_call *rerun)
{
	struct why why = { "" };
	int rc = watch(rerun, &why);
	const char *state;

	state = json_string_value(json_object_get(rerun->answer, "state"));
	if (rerun->stopped_by || rc || !state || strcmp(state, "halted") != 0)
		take_down(rerun);
	if (rerun->stopped_by) {
		ui_note("netlab: %s is down again", rerun->lab.name);
		rc = 128 + rerun->stopped_by;
	} else if (rc || !state) {
		ui_error("%s: %s", rerun->lab.name, why.text);
		rc = STATUS_FAILED;
	} else {
		rc = say(rerun, state);
	}
	return rc;
}

int cmd_rerun(struct command_call *call)
{
	struct rerun_call rerun = { .call = call,
				    .lab = { .control_fd = -1 },
				    .signals = -1 };
	struct why why;
	int rc = read_run(&rerun, &why);

	progress_start(&rerun.progress, stderr, host_clock());
	if (!rc)
		rc = start(&rerun, &why);
	if (rc) {
		ui_error("%s", why.text);
		rc = rc == -EINVAL && call_option(call, "until") ? STATUS_USAGE
								 : STATUS_FAILED;
	} else {
		rc = run(&rerun);
	}
	signals_close(rerun.signals);
	client_free(rerun.client);
	json_decref(rerun.answer);
	recorded_free(rerun.recorded);
	plan_free(rerun.plan);
	origin_free(&rerun.origin);
	return rc;
}
