/* SPDX-License-Identifier: MIT */
/* Bringing a lab up and down.
 *
 * Nothing is done within a machine's callback but to note that something changed;
 * advance() then looks at all machines at once, and does what can be done: start
 * the next ones, start services whose dependencies are ready, see that all are
 * ready, that one has failed, or that all are gone.
 */
#include "lab/lab_internal.h"
#include "lab/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "ops/fault_ops.h"
#include "fabric/fidelity.h"
#include "base/text.h"
#include "lab/clearing.h"
#include "lab/trouble.h"

enum {
	GRACE_S = 15, /* for machines that were asked to power off */
	KILL_S = 10,  /* for the kernel to end killed ones */
};

static const char *const phase_names[] = {
	[LAB_BOOTING] = "booting",
	[LAB_RUNNING] = "running",
	[LAB_STOPPING] = "stopping",
	[LAB_GONE] = "gone",
};

const char *lab_phase_name(enum lab_phase phase)
{
	return phase_names[phase];
}

/* lab.json tells those who cannot or do not want to connect. */
static void write_state(struct lab *lab)
{
	static const enum state_kind kinds[] = {
		[LAB_BOOTING] = STATE_BOOTING,
		[LAB_RUNNING] = STATE_RUNNING,
		[LAB_STOPPING] = STATE_STOPPING,
		[LAB_GONE] = STATE_STOPPING,
	};
	struct why why = { "" };

	lab->info.kind = kinds[lab->phase];
	if (lab->state && state_write(lab->state, &lab->info, &why))
		fprintf(stderr, "%s\n", why.text);
}

static void set_phase(struct lab *lab, enum lab_phase phase, const char *reason)
{
	json_t *entry = json_pack("{s:s, s:s}", "from", phase_names[lab->phase], "to",
				  phase_names[phase]);

	if (reason)
		json_object_set_new(entry, "why", text_json_z(reason));
	if (lab->vtime)
		lab_vtime_phase(lab, lab->phase, phase);
	lab->phase = phase;
	lab->changes++;
	journal_write(lab->journal, "lab", entry);
	write_state(lab);
	control_wake(lab->control, WAKE_PROGRESS);
}

/* ---- what machines say ------------------------------------------------- */

static void note(struct lab *lab, const struct machine *machine, const char *what)
{
	lab->last_node = machine_plan(machine)->name;
	snprintf(lab->last_what, sizeof(lab->last_what), "%s", what);
	lab->changes++;
	control_wake(lab->control, WAKE_PROGRESS);
	/* What one machine says may have others start something: in virtual time they
	 * hear of it as late as of anything that it does. */
	if (!lab->vtime)
		loop_defer(lab->loop, &lab->advance);
	else if (!lab->advance_due.set)
		timer_set(lab->clock, &lab->advance_due,
			  clock_now_ns(lab->clock) + vtime_lookahead_ns(lab->vtime));
}

static void on_state(void *ctx, struct machine *machine, enum machine_state from)
{
	(void)from;
	note(ctx, machine, machine_state_name(machine_state(machine)));
}

static void on_service(void *ctx, struct machine *machine, size_t index)
{
	const struct service *service = machine_service(machine, index);
	char what[96];

	snprintf(what, sizeof(what), "%.64s %s",
		 machine_plan(machine)->services[index].name,
		 service_state_name(service->state));
	note(ctx, machine, what);
}

static void on_console(void *ctx, struct machine *machine)
{
	struct lab *lab = ctx;

	(void)machine;
	control_wake(lab->control, WAKE_CONSOLE);
}

static void on_where(void *ctx, struct machine *machine, const struct backtrace *where)
{
	lab_stuck_answer(ctx, machine, where);
}

static void on_gone(void *ctx, struct machine *machine)
{
	struct lab *lab = ctx;

	/* When all go down, nobody is to notice. */
	if (lab->phase == LAB_RUNNING)
		wire_node_off(lab->fabric.wire, machine_index(machine), true);
	lab->changes++;
	control_wake(lab->control, WAKE_PROGRESS | WAKE_CONSOLE);
	loop_defer(lab->loop, &lab->advance);
}

static const struct machine_ops machine_ops = {
	.state = on_state,
	.service = on_service,
	.console = on_console,
	.where = on_where,
	.gone = on_gone,
};

static void on_port(void *ctx, uint32_t port, enum port_state state, const char *why)
{
	struct lab *lab = ctx;
	json_t *entry = json_pack("{s:s, s:s}", "port", wire_port_name(lab->fabric.wire, port),
				  "state", port_state_name(state));

	if (why)
		json_object_set_new(entry, "why", text_json_z(why));
	journal_write(lab->journal, "port", entry);
}

static void on_tap(void *ctx, const struct sw_tap_event *event)
{
	struct lab *lab = ctx;

	captures_tap(lab->fabric.captures, event);
}

static const struct wire_ops wire_ops = { .port = on_port, .tap = on_tap };

static const char *trouble(void *ctx)
{
	return lab_trouble(ctx);
}

static void on_supplied(void *ctx)
{
	struct lab *lab = ctx;

	control_supplied(lab->control);
}

static void on_journal(void *ctx)
{
	struct lab *lab = ctx;

	if (lab->digest)
		lab_vtime_journal(lab);
	control_wake(lab->control, WAKE_JOURNAL);
}

/* A failure that it waits to hear of need not be kept any longer. */
static void on_starter_gone(void *ctx)
{
	struct lab *lab = ctx;

	loop_defer(lab->loop, &lab->advance);
}

/* ---- up ---------------------------------------------------------------- */

static bool depends_ready(const struct lab *lab, const struct machine *machine)
{
	const struct plan_node *plan = machine_plan(machine);

	for (size_t i = 0; i < plan->depend_count; i++)
		if (machine_state(lab->machines[plan->depends[i]]) != MACHINE_READY)
			return false;
	return true;
}

/* Of a machine that waits for others, when its time has come. */
static void start_services(const struct lab *lab, struct machine *machine)
{
	if (machine_state(machine) == MACHINE_CONFIGURED && depends_ready(lab, machine))
		machine_start_services(machine);
}

static bool has_failed(const struct machine *machine)
{
	return machine_state(machine) == MACHINE_FAILED ||
	       machine_state(machine) == MACHINE_LOST ||
	       machine_state(machine) == MACHINE_STOPPED;
}

static void fail_boot(struct lab *lab, struct machine *machine)
{
	char reason[WHY_BYTES_MAX + 64];

	lab->failed = machine;
	snprintf(reason, sizeof(reason), "%s %s: %s", machine_plan(machine)->name,
		 machine_state_name(machine_state(machine)), machine_reason(machine));
	lab_stop(lab, false, reason);
}

/* Start machines up to the bound, and services as their time has come. */
static void advance_boot(struct lab *lab)
{
	uint32_t booting = 0;
	bool all_ready = true, started = false;

	for (size_t i = 0; i < lab->plan->node_count; i++) {
		struct machine *machine = lab->machines[i];

		if (has_failed(machine)) {
			fail_boot(lab, machine);
			return;
		}
		booting += machine_state(machine) == MACHINE_BOOTING;
	}
	for (size_t i = 0; i < lab->plan->node_count; i++) {
		struct machine *machine = lab->machines[i];

		/* Each takes a millisecond: one a turn.  In virtual time all that start at
		 * one instant do so before it passes. */
		if (machine_state(machine) == MACHINE_WAITING &&
		    booting < lab->boots_at_once && (!started || lab->vtime)) {
			machine_start(machine);
			booting++;
			started = true;
		}
		start_services(lab, machine);
		all_ready &= machine_state(machine) == MACHINE_READY;
	}
	if (started && !lab->vtime)
		loop_defer(lab->loop, &lab->advance);
	if (all_ready) {
		lab->ready_ns = clock_now_ns(lab->clock);
		set_phase(lab, LAB_RUNNING, NULL);
	}
}

/* Those that have ended and are wanted again, and their services. */
static void advance_running(struct lab *lab)
{
	for (size_t i = 0; i < lab->plan->node_count; i++) {
		struct machine *machine = lab->machines[i];

		if (machine_wants_again(machine) && machine_is_over(machine)) {
			machine_renew(machine);
			wire_node_off(lab->fabric.wire, (uint32_t)i, false);
			machine_start(machine);
		}
		start_services(lab, machine);
	}
}

void lab_boot(struct lab *lab)
{
	struct why why;

	write_state(lab);
	if (lab->vtime)
		vtime_want(lab->vtime);
	lab->boot_wants = lab->vtime;
	loop_defer(lab->loop, &lab->advance);
	if (cuts_begin_plan(lab->fabric.cuts, &why))
		lab_stop(lab, false, why.text);
}

/* ---- down -------------------------------------------------------------- */

static void kill_all(struct lab *lab)
{
	lab->killed = true;
	for (size_t i = 0; i < lab->plan->node_count; i++)
		machine_kill(lab->machines[i], NULL);
}

/* Asked in vain, or killed in vain. */
static void on_stop_patience(void *ctx, uint64_t now_ns)
{
	struct lab *lab = ctx;

	if (lab->killed) {
		/* They end with this process, as its pid namespace does. */
		set_phase(lab, LAB_GONE, "some machines did not end in time");
		loop_stop(lab->loop);
		return;
	}
	journal_write(lab->journal, "stop-timeout", NULL);
	kill_all(lab);
	timer_set(lab->host, &lab->stop_patience, now_ns + KILL_S * NS_PER_S);
}

void lab_stop(struct lab *lab, bool graceful, const char *reason)
{
	uint64_t patience_ns = (graceful ? GRACE_S : KILL_S) * NS_PER_S;

	if (lab->phase >= LAB_STOPPING) {
		/* Asked again, or less patiently: now. */
		if (lab->phase == LAB_STOPPING && !graceful) {
			if (lab->digest)
				lab_vtime_seal(lab);
			kill_all(lab);
		}
		return;
	}
	/* What follows by force is in the host's order. */
	if (!graceful && lab->digest)
		lab_vtime_seal(lab);
	set_phase(lab, LAB_STOPPING, reason);
	journal_write(lab->journal, "fidelity", fidelity_run(lab->fabric.wire));
	for (size_t i = 0; graceful && i < lab->plan->node_count; i++)
		machine_shutdown(lab->machines[i]);
	if (!graceful)
		kill_all(lab);
	timer_set(lab->host, &lab->stop_patience, clock_now_ns(lab->host) + patience_ns);
	loop_defer(lab->loop, &lab->advance);
}

/* The one who started a lab that failed has a right to be told. */
static bool failure_is_owed(const struct lab *lab)
{
	return lab->failed && !lab->failure_told && control_adopted_is_open(lab->control);
}

static void advance_stop(struct lab *lab)
{
	for (size_t i = 0; i < lab->plan->node_count; i++)
		if (machine_has_process(lab->machines[i]))
			return;
	timer_cancel(lab->host, &lab->stop_patience);
	if (failure_is_owed(lab))
		return;
	if (lab->digest)
		lab_vtime_seal(lab);
	captures_end_all(lab->fabric.captures, LAB_TAKEN_DOWN);
	set_phase(lab, LAB_GONE, NULL);
	loop_stop(lab->loop);
}

static void on_advance_due(void *ctx, uint64_t now_ns)
{
	struct lab *lab = ctx;

	(void)now_ns;
	loop_defer(lab->loop, &lab->advance);
}

static void advance(void *ctx)
{
	struct lab *lab = ctx;

	if (lab->phase == LAB_BOOTING)
		advance_boot(lab);
	else if (lab->phase == LAB_RUNNING)
		advance_running(lab);
	else if (lab->phase == LAB_STOPPING)
		advance_stop(lab);
}

/* ---- building ------------------------------------------------------------------------
 */

static int build_machines(struct lab *lab, struct why *why)
{
	int err = 0;

	lab->machines = calloc(lab->plan->node_count + 1, sizeof(struct machine *));
	if (!lab->machines)
		return why_set(why, -ENOMEM, "lab: out of memory");
	for (uint32_t i = 0; !err && i < lab->plan->node_count; i++)
		err = machine_create(&lab->machines[i], &lab->env, i,
				     lab->kernels ? lab->kernels[i] : NULL, why);
	return err;
}

int lab_build(struct lab *lab, struct why *why)
{
	int err;

	lab->advance = (struct deferred){ .run = advance, .ctx = lab };
	lab->advance_due = (struct timer){ .fire = on_advance_due, .ctx = lab };
	lab->stop_patience = (struct timer){ .fire = on_stop_patience, .ctx = lab };
	if (!lab->host)
		lab->host = lab->clock;
	err = journal_create(&lab->journal, lab->clock, lab->journal_fd, why);
	lab->fabric.plan = lab->plan;
	lab->fabric.seed = lab->seed;
	lab->fabric.clock = lab->clock;
	lab->fabric.journal = lab->journal;
	lab->fabric.fault_files = lab->vtime ? NULL : &lab->fault_files;
	if (!err)
		err = wire_create(&lab->fabric.wire, lab->plan, lab->seed, lab->loop,
				  lab->clock, &wire_ops, lab, why);
	if (!err && lab->vtime)
		err = digest_create(&lab->digest, lab->plan, why);
	if (!err && lab->vtime)
		err = lab_vtime_keep(lab, why);
	if (!err && lab->vtime)
		wire_set_virtual(lab->fabric.wire, lab->vtime, lab->digest);
	if (!err)
		err = cuts_create(&lab->fabric.cuts, lab->plan, lab->seed, lab->clock,
				  lab->fabric.wire, lab->journal, why);
	if (!err)
		err = captures_create(&lab->fabric.captures, lab->name, lab->plan, lab->loop,
				      lab->clock, lab->fabric.wire, lab->fabric.cuts, why);
	if (!err)
		err = fault_deadlines_create(&lab->fabric.deadlines, lab->clock,
					     fault_ops_over, &lab->fabric, why);
	if (!err)
		err = fault_ops_watch_plan(&lab->fabric, why);
	if (!err)
		err = supplies_create(&lab->supplies, lab->loop, on_supplied, lab, why);
	if (!err)
		err = control_create(&lab->control, lab->loop, lab_verbs, lab_verb_count,
				     lab, why);
	if (err)
		return err;
	if (lab->vtime)
		lab_vtime_attach(lab);
	if (lab->rerun_config)
		err = rerun_create(&lab->rerun, lab, lab->rerun_config, why);
	if (err)
		return err;
	journal_listen(lab->journal, on_journal, lab);
	control_set_trouble(lab->control, trouble);
	control_set_large(lab->control, lab_is_large);
	control_adopted_watch(lab->control, on_starter_gone);
	lab->env.lab = lab->known_as ? lab->known_as : lab->name;
	lab->env.plan = lab->plan;
	lab->env.loop = lab->loop;
	lab->env.clock = lab->clock;
	lab->env.vtime = lab->vtime;
	lab->env.digest = lab->digest;
	lab->env.journal = lab->journal;
	lab->env.wire = lab->fabric.wire;
	lab->env.run = &lab->run;
	lab->env.seed = lab->seed;
	lab->env.ops = &machine_ops;
	lab->env.ctx = lab;
	return build_machines(lab, why);
}

void lab_unbuild(struct lab *lab)
{
	if (lab->host)
		timer_cancel(lab->host, &lab->stop_patience);
	if (lab->vtime)
		lab_stuck_detach(lab);
	/* Clients first: their requests hold on to machines and captures. */
	control_destroy(steal_ptr(&lab->control));
	clearings_drop(lab);
	supplies_destroy(steal_ptr(&lab->supplies));
	fault_files_drop(&lab->fault_files);
	if (lab->journal)
		journal_listen(lab->journal, NULL, NULL);
	for (size_t i = 0; lab->machines && i < lab->plan->node_count; i++)
		machine_destroy(lab->machines[i]);
	free(steal_ptr(&lab->machines));
	captures_destroy(steal_ptr(&lab->fabric.captures));
	fault_deadlines_destroy(steal_ptr(&lab->fabric.deadlines));
	cuts_destroy(steal_ptr(&lab->fabric.cuts));
	wire_destroy(steal_ptr(&lab->fabric.wire));
	inputs_destroy(steal_ptr(&lab->inputs));
	talkers_destroy(steal_ptr(&lab->talkers));
	journal_destroy(steal_ptr(&lab->journal));
	if (lab->clock)
		timer_cancel(lab->clock, &lab->advance_due);
	rerun_destroy(steal_ptr(&lab->rerun));
	frame_recorder_destroy(steal_ptr(&lab->frames));
	digest_destroy(steal_ptr(&lab->digest));
	deferred_cancel(&lab->advance);
}
