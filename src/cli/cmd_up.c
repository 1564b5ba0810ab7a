/* SPDX-License-Identifier: MIT */
/* Compile, start, watch it come up, and say what to do with it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/open_topology.h"
#include "cli/down.h"
#include "cli/host_clock.h"
#include "cli/pace.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/ui.h"
#include "clock/vtime.h"
#include "topology/cost.h"
#include "plan/epoch.h"
#include "lab/lab.h"
#include "node/node.h"
#include "run/state.h"
#include "plan/plan_json.h"

enum { KILL_MS = 5000, CONSOLE_LINES = 20 };

/* Read from before there is a lab, so that none goes on that nobody waits for. */
static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0 };

struct up {
	struct lab_handle lab;
	int signals;
	struct client *client;
	struct progress progress;
	struct progress_state state;
	bool answered, stopping;
	int stopped_by; /* the first signal */
	json_t *answer; /* of `wait` */
};

static void got_line(void *ctx, const json_t *line, bool last)
{
	struct up *up = ctx;

	if (last) {
		up->answered = true;
		up->answer = json_incref((json_t *)line);
		return;
	}
	down_progress(&up->state, line);
	progress_show(&up->progress, &up->state);
}

/* The first Ctrl-C asks the lab to go, the second does not ask. */
static void interrupted(struct up *up, int number)
{
	progress_end(&up->progress);
	if (!up->stopping) {
		up->stopping = true;
		up->stopped_by = number;
		ui_note("netlab: interrupted; taking the lab down (again: by force)");
		client_request(up->client, "down", NULL, NULL, NULL, NULL);
	} else {
		state_kill(up->lab.name, KILL_MS, NULL);
	}
}

static int watch(struct up *up, struct why *why)
{
	long id = client_request(up->client, "wait", json_pack("{s:s}", "until", "ready"),
				 got_line, up, why);
	int rc = id < 0 ? (int)id : 0, number;

	while (!rc && !up->answered) {
		struct pollfd p[2] = {
			client_pollfd(up->client),
			{ .fd = up->signals, .events = POLLIN },
		};

		if (poll(p, 2, PROGRESS_TICK_MS) < 0)
			continue;
		while (p[1].revents && (number = signals_next(up->signals)))
			interrupted(up, number);
		if (p[0].revents)
			rc = client_serve(up->client, p[0].revents, why);
		progress_tick(&up->progress);
	}
	return rc;
}

/* ---- what to say ---------------------------------------------------------------------
 */

static void print_addresses(const struct plan_node *node)
{
	char addr[PLAN_ADDR_BYTES_MAX];
	size_t i, k;

	for (i = 0; i < node->interface_count; i++)
		for (k = 0; k < node->interfaces[i].addr_count; k++)
			printf("  %s %s", node->interfaces[i].name,
			       plan_addr_format(&node->interfaces[i].addrs[k], false,
						addr));
	putchar('\n');
}

static void print_nodes(const struct plan *plan)
{
	enum { SHOWN_MAX = 16 };
	size_t i, widest = 0;

	for (i = 0; i < plan->node_count; i++)
		if (strlen(plan->nodes[i].name) > widest)
			widest = strlen(plan->nodes[i].name);
	for (i = 0; i < plan->node_count && i < SHOWN_MAX; i++) {
		printf("  %-*s", (int)widest, plan->nodes[i].name);
		print_addresses(&plan->nodes[i]);
	}
	if (i < plan->node_count)
		printf("  ... and %zu more: netlab ps\n", plan->node_count - i);
}

static void print_next(const struct plan *plan)
{
	const char *a = plan->nodes[0].name;
	const char *b = plan->node_count > 1 ? plan->nodes[1].name : "localhost";

	printf("\nNext, for example:\n  netlab exec %s -- ping -c3 %s\n  netlab shell "
	       "%s\n",
	       a, b, a);
	if (plan->link_count) {
		const struct plan_link *link = &plan->links[0];

		printf("  netlab fault set %s delay=50ms loss=5%%\n  netlab capture %s "
		       "-w %s.pcapng\n",
		       link->name, link->name, plan->name);
	}
	printf("  netlab down\n");
}

/* Whoever does not hear of it must not take it for a failure. */
static void say_up_unheard(const struct up *up)
{
	if (!ui_flush(stdout))
		ui_note("%s is up all the same; end it with: netlab down %s", up->lab.name,
			up->lab.name);
}

static void say_up(const struct command_call *call, const struct up *up, const struct plan *plan)
{
	char time[32];
	json_t *out;

	if (call->json) {
		out = json_pack("{s:b, s:s, s:I, s:s, s:i, s:i, s:i}", "ok", 1, "lab",
				up->lab.name, "seed", (json_int_t)up->lab.seed, "run_dir",
				up->lab.run_dir, "pid", (int)up->lab.pid, "nodes",
				(int)plan->node_count, "services",
				(int)up->state.services);
		ui_json(out);
		json_decref(out);
		return;
	}
	printf("%s%s is up%s: %zu machine%s", ui_paint(stdout, PAINT_GREEN), up->lab.name,
	       ui_paint(stdout, PAINT_OFF), plan->node_count,
	       UI_PLURAL(plan->node_count));
	if (up->state.services)
		printf(", %u service%s", up->state.services,
		       UI_PLURAL(up->state.services));
	printf(" in %s, seed %llu%s\n",
	       ui_duration(time, sizeof(time), progress_elapsed_ns(&up->progress)),
	       (unsigned long long)up->lab.seed, up->lab.seed_drawn ? " (drawn)" : "");
	print_nodes(plan);
	printf("  records: %s\n", up->lab.run_dir);
	if (isatty(STDOUT_FILENO))
		print_next(plan);
}

static void say_failed(const struct command_call *call, const struct up *up,
		       const struct why *why)
{
	const char *console = json_string_value(json_object_get(up->answer, "console"));
	const char *node = json_string_value(json_object_get(up->answer, "node"));
	json_t *out;

	ui_error("%s: %s", up->lab.name, why->text);
	if (console && *console) {
		ui_note("The last words of %s:", node ? node : "its console");
		ui_tail(console, CONSOLE_LINES);
	}
	ui_note("The lab is taken down. Its records: %s", up->lab.run_dir);
	if (!call->json)
		return;
	out = json_pack("{s:b, s:s, s:s, s:s, s:s?}", "ok", 0, "lab", up->lab.name,
			"error", why->text, "run_dir", up->lab.run_dir, "node", node);
	ui_json(out);
	json_decref(out);
}

/* ---- doing
 * ------------------------------------------------------------------------------ */

static void see_it_go(struct up *up)
{
	client_free(up->client);
	up->client = NULL;
	down_await(up->lab.name);
}

static int come_up(const struct command_call *call, struct up *up, const struct plan *plan)
{
	struct why why = { "" };
	int rc = watch(up, &why);

	progress_end(&up->progress);
	if (!rc && !up->stopping)
		rc = client_verdict(up->answer, &why);
	if (up->stopping) {
		see_it_go(up);
		ui_note("netlab: %s is down again", up->lab.name);
		rc = 128 + up->stopped_by;
	} else if (rc) {
		say_failed(call, up, &why);
		see_it_go(up);
		rc = STATUS_FAILED;
	} else {
		say_up(call, up, plan);
		say_up_unheard(up);
	}
	return rc;
}

/* How time passes: --clock comes before what the file says. */
static int clock_of(const struct command_call *call, const struct plan *plan,
		    struct lab_options *options, struct why *why)
{
	const char *clock = call_option(call, "clock"), *pace = call_option(call, "pace"),
		   *guard = call_option(call, "guard"), *cost = call_option(call, "cost"),
		   *epoch = call_option(call, "epoch");
	uint64_t ns;

	if (clock && strcmp(clock, "real") && strcmp(clock, "virtual"))
		return why_set(why, -EINVAL, "--clock %s: write real or virtual", clock);
	options->virtual_time = clock ? !strcmp(clock, "virtual") : plan->virtual_time;
	if ((pace || guard || cost || epoch) && !options->virtual_time)
		return why_set(why, -EINVAL, "--%s is for --clock virtual",
			       pace    ? "pace"
			       : guard ? "guard"
			       : epoch ? "epoch"
				       : "cost");
	options->epoch_s = plan->epoch_s;
	if (epoch && !strcmp(epoch, "now"))
		options->epoch_s =
			clock_wall_ns(host_clock(), clock_now_ns(host_clock())) / NS_PER_S;
	else if (epoch && epoch_parse(epoch, &options->epoch_s, why))
		return why_wrap(why, -EINVAL, "--epoch (or now)");
	options->serial = call_option(call, "serial") != NULL;
	options->pace_ppm = isatty(STDOUT_FILENO) ? VTIME_PACE_ONE : VTIME_PACE_MAX;
	if (pace && pace_parse(pace, &options->pace_ppm, why))
		return why_wrap(why, -EINVAL, "--pace");
	if (!guard)
		return 0;
	if (units_parse_ns(guard, &ns, why))
		return why_wrap(why, -EINVAL, "--guard");
	if (ns < NS_PER_S || ns / NS_PER_S > 86400)
		return why_set(why, -EINVAL, "--guard %s: from 1s to a day", guard);
	options->guard_s = (uint32_t)(ns / NS_PER_S);
	return 0;
}

static int options_of(const struct command_call *call, struct lab_options *options,
		      struct why *why)
{
	const char *time = call_option(call, "timeout"),
		   *cost = call_option(call, "cost");
	struct plan_cost parsed;
	uint64_t ns;
	int rc = compile_seed_check(call, why);

	if (rc)
		return rc;
	if (time) {
		if (units_parse_ns(time, &ns, why))
			return why_wrap(why, -EINVAL, "--timeout");
		if (ns < NS_PER_S || ns / NS_PER_S > 86400)
			return why_set(why, -EINVAL, "--timeout %s: from 1s to a day",
				       time);
		options->boot_timeout_s = (uint32_t)(ns / NS_PER_S);
	}
	if (cost && cost_parse(cost, &parsed, why))
		return why_wrap(why, -EINVAL, "--cost");
	options->cost = cost;
	options->name = call_option(call, "name");
	options->out_dir = call_option(call, "out");
	options->kernel = call_option(call, "kernel");
	options->capture = call_option(call, "capture");
	return 0;
}

/* A name, a path or a folder, of which the message has all: no matter of the host's. */
static bool is_about_what_was_said(int error)
{
	return error == -EBUSY || error == -EROFS || error == -EACCES || error == -EDQUOT ||
	       error == -EINVAL || error == -ENAMETOOLONG;
}

static int start(const struct command_call *call, const struct lab_options *options,
		 const struct plan *plan)
{
	struct up up = { .lab = { .control_fd = -1 } };
	struct why why;
	int rc;

	progress_start(&up.progress, stderr, host_clock());
	up.signals = signals_open(interrupts, &why);
	rc = up.signals < 0 ? up.signals : lab_start(plan, options, &up.lab, &why);
	if (!rc)
		rc = client_open(&up.client, up.lab.control_fd, &why);
	if (rc) {
		ui_error("%s", why.text);
		if (!is_about_what_was_said(rc))
			ui_note("What this host lacks: netlab doctor");
		rc = STATUS_FAILED;
	} else {
		rc = come_up(call, &up, plan);
	}
	signals_close(up.signals);
	client_free(up.client);
	json_decref(up.answer);
	return rc;
}

/* A home holds keys and tokens: machines see no /lab then, and nothing can come from
 * there. */
static int check_folder(const struct plan *plan, struct why *why)
{
	if (!node_dir_shows_home(plan->dir))
		return 0;
	for (size_t n = 0; n < plan->node_count; n++) {
		const struct plan_node *node = &plan->nodes[n];

		for (size_t f = 0; f < node->file_count; f++)
			if (!node->files[f].content)
				return why_set(
					why, -EINVAL,
					"%s has a file from %s, which is your home (or "
					"holds it) and is not shown to machines: put the "
					"topology and its files into a folder of their own",
					node->name, plan->dir);
	}
	ui_warning("machines see an empty /lab: %s is your home (or holds it), and is not shown to "
		   "them; a topology in a folder of its own shows that",
		   plan->dir);
	return 0;
}

int cmd_up(struct command_call *call)
{
	struct lab_options options = { 0 };
	cleanup_free const char **sets = compile_sets(call, &options.set_count);
	struct diagnostics diags = { 0 };
	struct plan *plan = NULL;
	struct why why;
	int rc;

	options.sets = sets;
	if (options_of(call, &options, &why)) {
		ui_error("%s", why.text);
		return STATUS_USAGE;
	}
	if (compile_file(call, call->argv[0], &plan, &diags)) {
		diagnostics_print(&diags, stderr);
		if (call->json) {
			json_t *out = diagnostics_to_json(&diags);

			json_object_set_new(out, "ok", json_false());
			json_object_set_new(out, "error",
					    json_string(diags.count ? diags.items[0].message
								    : "it has errors"));
			ui_json(out);
			json_decref(out);
		}
		rc = STATUS_FAILED;
	} else if (check_folder(plan, &why)) {
		ui_error("%s", why.text);
		rc = STATUS_FAILED;
	} else if (clock_of(call, plan, &options, &why)) {
		ui_error("%s", why.text);
		rc = STATUS_USAGE;
	} else {
		options.seed_given = call_option(call, "seed") != NULL;
		options.seed = plan->seed;
		rc = start(call, &options, plan);
	}
	diagnostics_free(&diags);
	plan_free(plan);
	return rc;
}
