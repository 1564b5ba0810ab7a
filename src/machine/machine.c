/* SPDX-License-Identifier: MIT */
#include "machine/machine_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/cpus.h"
#include "base/draw.h"
#include "base/fdio.h"
#include "base/text.h"
#include "node/herd.h"

static const char *const state_names[] = {
	[MACHINE_WAITING] = "waiting",	       [MACHINE_BOOTING] = "booting",
	[MACHINE_CONFIGURING] = "configuring", [MACHINE_CONFIGURED] = "configured",
	[MACHINE_STARTING] = "starting",       [MACHINE_READY] = "ready",
	[MACHINE_STOPPING] = "stopping",       [MACHINE_STOPPED] = "stopped",
	[MACHINE_FAILED] = "failed",	       [MACHINE_LOST] = "lost",
};
_Static_assert(ARRAY_SIZE(state_names) == MACHINE_STATES, "a name for each state");

static const char *const service_names[] = {
	[SERVICE_WAITING] = "waiting", [SERVICE_STARTING] = "starting",
	[SERVICE_READY] = "ready",	[SERVICE_RESTARTING] = "restarting",
	[SERVICE_EXITED] = "exited",	[SERVICE_FAILED] = "failed",
};
_Static_assert(ARRAY_SIZE(service_names) == SERVICE_STATES, "a name for each state");

const char *machine_state_name(enum machine_state state)
{
	ASSERT((unsigned)state < MACHINE_STATES);
	return state_names[state];
}

const char *service_state_name(enum service_state state)
{
	ASSERT((unsigned)state < SERVICE_STATES);
	return service_names[state];
}

/* How long a machine may stay in a state before it is given up; 0: for ever. */
static uint64_t patience_ns(const struct machine *machine, enum machine_state state)
{
	uint64_t longest_ns = 0;

	switch (state) {
	case MACHINE_BOOTING:
	case MACHINE_CONFIGURING:
		return machine->env->boot_timeout_ns;
	case MACHINE_STARTING:
		/* The agent gives a service up by itself; this is for an agent
		 * that no longer does anything. */
		for (size_t i = 0; i < machine->plan->service_count; i++)
			if (machine->plan->services[i].ready.timeout_ns > longest_ns)
				longest_ns = machine->plan->services[i].ready.timeout_ns;
		return longest_ns + machine->env->boot_timeout_ns;
	default:
		return 0;
	}
}

static void arm_timeout(struct machine *machine)
{
	uint64_t wait_ns = patience_ns(machine, machine->state);

	if (wait_ns)
		timer_set(machine->env->clock, &machine->timeout,
			  clock_now_ns(machine->env->clock) + wait_ns);
	else
		timer_cancel(machine->env->clock, &machine->timeout);
}

static bool is_final(enum machine_state state)
{
	return state == MACHINE_STOPPED || state == MACHINE_FAILED ||
	       state == MACHINE_LOST;
}

/* Every change, and nothing else, goes this way. */
static void enter_state(struct machine *machine, enum machine_state state,
			const char *reason)
{
	enum machine_state from = machine->state;
	json_t *entry;

	machine->state = state;
	if (reason && *reason)
		why_set(&machine->reason, 0, "%s", reason);
	if (state == MACHINE_READY)
		machine->ready_ns = clock_now_ns(machine->env->clock);
	arm_timeout(machine);
	entry = json_pack("{s:s, s:s, s:s}", "node", machine->plan->name, "from",
			  machine_state_name(from), "to", machine_state_name(state));
	if (reason && *reason)
		json_object_set_new(entry, "why", text_json_z(reason));
	journal_write(machine->env->journal, "node", entry);
	machine->env->ops->state(machine->env->ctx, machine, from);
}

void machine_set_state(struct machine *machine, enum machine_state state,
		       const char *reason)
{
	if (machine->state != state && !is_final(machine->state))
		enter_state(machine, state, reason);
}

bool machine_is_over(const struct machine *machine)
{
	return is_final(machine->state) && !machine->node;
}

void machine_renew(struct machine *machine)
{
	ASSERT(machine_is_over(machine));
	machine->reason = (struct why){ "" };
	machine->ready_ns = 0;
	machine->failed_service = -1;
	machine->again = false;
	machine->clock.frozen = false;
	machine->budget = (struct budget){ 0 };
	machine->lives++;
	for (size_t i = 0; i < machine->plan->service_count; i++) {
		machine->services[i].is = (struct service){ .state = SERVICE_WAITING };
		machine->services[i].error = (struct why){ "" };
	}
	enter_state(machine, MACHINE_WAITING, NULL);
}

void machine_want_again(struct machine *machine)
{
	machine->again = true;
}

static void on_timeout(void *ctx, uint64_t now_ns)
{
	struct machine *machine = ctx;
	unsigned seconds = (unsigned)(patience_ns(machine, machine->state) / NS_PER_S);
	char reason[200];

	(void)now_ns;
	if (machine->state == MACHINE_BOOTING)
		snprintf(reason, sizeof(reason),
			 "did not boot: no word from its agent within %u s", seconds);
	else if (machine->state == MACHINE_CONFIGURING)
		snprintf(reason, sizeof(reason), "was not configured within %u s",
			 seconds);
	else
		snprintf(reason, sizeof(reason),
			 "its services were not ready within %u s", seconds);
	machine_set_state(machine, MACHINE_FAILED, reason);
}

/* ---- its process ------------------------------------------------------- */

static void close_devices(struct machine *machine, const char *reason)
{
	machine_agent_close(machine, reason);
	wire_node_close(machine->env->wire, machine->index);
	machine_console_drain(machine);
	machine_console_close(machine);
}

/* The driver names the node; whoever tells of a machine's state does so too. */
static const char *without_name(const struct machine *machine, const char *text)
{
	char prefix[PLAN_NAME_BYTES_MAX + 8];
	size_t size = (size_t)snprintf(prefix, sizeof(prefix),
				       "node %s: ", machine->plan->name);

	return strncmp(text, prefix, size) == 0 ? text + size : text;
}

/* Its first process has become what it should, or says why it could not and ends. */
static void take_start(struct machine *machine)
{
	struct why why = { "" };
	int err;

	if (!machine->start_watch)
		return;
	err = node_started(machine->node, &why);
	if (err == -EAGAIN)
		return;
	watch_close(steal_ptr(&machine->start_watch));
	node_report_close(machine->node);
	if (err)
		machine_set_state(machine, MACHINE_FAILED,
				  without_name(machine, why.text));
}

static void on_started(void *ctx, uint32_t events)
{
	(void)events;
	take_start(ctx);
}

/* The process has ended; what that means depends on what was asked of it. */
static void gone(void *ctx)
{
	struct machine *machine = ctx;
	char how[256] = "";
	json_t *entry;
	bool asked, off;

	take_start(machine); /* its last words may still lie there */
	watch_close(steal_ptr(&machine->start_watch));
	watch_close(steal_ptr(&machine->node_watch)); /* before what it watches is closed */
	node_reap(machine->node, how, sizeof(how));
	node_free(steal_ptr(&machine->node));
	machine->stalled = false;
	balance_remove(machine->env->balance, machine->index);
	/* Who waits for something of it is told why. */
	close_devices(machine, machine->state == MACHINE_FAILED && *machine->reason.text
				       ? machine->reason.text
				       : "the machine has ended");
	if (machine->env->vtime)
		vtime_guest_gone(machine->env->vtime, machine->index);
	asked = machine->state == MACHINE_STOPPING;
	off = machine->state >= MACHINE_CONFIGURED && strcmp(how, "powered off") == 0;
	entry = json_pack("{s:s, s:o}", "node", machine->plan->name, "how",
			  text_json_z(how));
	if (machine->budget.left_out)
		json_object_set_new(entry, "left_out",
				    json_integer((json_int_t)machine->budget.left_out));
	journal_write(machine->env->journal, "node-gone", entry);
	/* Of one that was killed, why it was says more than how it ended. */
	machine_set_state(machine, asked || off ? MACHINE_STOPPED : MACHINE_FAILED,
			  asked && *machine->reason.text ? NULL : how);
	machine->env->ops->gone(machine->env->ctx, machine);
}

static void on_gone(void *ctx, uint32_t events)
{
	struct machine *machine = ctx;

	(void)events;
	if (!machine->env->vtime) {
		gone(machine);
		return;
	}
	/* In virtual time it has its place among what others do. */
	watch_close(steal_ptr(&machine->node_watch));
	vtime_guest_ended(machine->env->vtime, machine->index,
			  &(struct vtime_end){ .run = gone, .ctx = machine });
}

static int start_process(struct machine *machine, const char *work_dir, int console_fd,
			 struct why *why)
{
	const struct machine_env *env = machine->env;
	const struct kernel *kernel = machine->kernel;
	struct node_start start = {
		.plan = machine->plan,
		.lab_dir = env->plan->dir,
		.work_dir = work_dir,
		.memory_dir = env->memory_dir,
		.kernel = kernel,
		.initramfs = env->initramfs,
		.preload = kernel->dynamic && *env->preload ? env->preload : NULL,
		.extra_args = env->kernel_args,
		.seed = draw_bits(draw_key(env->seed, machine->plan->name),
				  machine->lives, LANE_SEED),
		.console_fd = console_fd,
		.virtual_time = env->vtime != NULL,
		.index = machine->index,
	};
	int err;

	/* Virtual time is the same on any; this way each has as many. */
	machine->cpu = env->vtime ? cpus_nth(machine->index) :
				    balance_place(env->balance, machine->index);
	start.cpu = machine->cpu;
	err = node_start(&machine->node, &start, why);
	if (err)
		return err;
	balance_add(env->balance, machine->index, node_pid(machine->node));
	/* Closed with the node, whose descriptor it watches. */
	err = loop_watch(env->loop, node_report_fd(machine->node), EPOLLIN, on_started,
			 machine, &machine->start_watch, why);
	if (err)
		return err;
	return loop_watch(env->loop, node_pidfd(machine->node), EPOLLIN, on_gone, machine,
			  &machine->node_watch, why);
}

static int start(struct machine *machine, struct why *why)
{
	const struct machine_env *env = machine->env;
	cleanup_close int slave = -1;
	char work_dir[PATH_MAX], clock_path[PLAN_NAME_BYTES_MAX + 8];
	int err = 0;

	if (snprintf(work_dir, sizeof(work_dir), "%s/%s", env->nodes_dir,
		     machine->plan->name) >= (int)sizeof(work_dir))
		return why_set(why, -ENAMETOOLONG, "%s: path too long", env->nodes_dir);
	snprintf(clock_path, sizeof(clock_path), "%s/clock", machine->plan->name);
	/* What an earlier life left there is in the way. */
	if (machine->lives)
		err = fdio_remove_tree(AT_FDCWD, machine->plan->name, why);
	if (err)
		return err;
	if (mkdir(work_dir, 0700) < 0 && errno != EEXIST)
		return why_errno(why, -errno, "%s", work_dir);
	machine_clock_prepare(machine);
	err = machine_console_open(machine, &slave, why);
	if (!err && env->vtime)
		err = vtime_guest_open(env->vtime, machine->index, clock_path, why);
	/* nodes_dir is this process's working folder: a socket's address is short. */
	if (!err)
		err = machine_agent_open(machine, machine->plan->name, why);
	if (!err)
		err = wire_node_open(env->wire, machine->index, machine->plan->name, why);
	/* An older kernel tells late of a carrier that was there before the interface was
	 * up: until its agent says LINKS, none is. */
	if (!err && machine->kernel)
		wire_node_show_carriers(env->wire, machine->index,
					kernel_at_least(machine->kernel->release, 6, 8));
	if (!err)
		err = start_process(machine, work_dir, slave, why);
	return err;
}

void machine_start(struct machine *machine)
{
	struct why why = { "" };

	ASSERT(machine->state == MACHINE_WAITING);
	if (start(machine, &why)) {
		watch_close(steal_ptr(&machine->start_watch));
		node_free(steal_ptr(&machine->node));
		balance_remove(machine->env->balance, machine->index);
		close_devices(machine, "the machine could not be started");
		if (machine->env->vtime)
			vtime_guest_gone(machine->env->vtime, machine->index);
		machine_set_state(machine, MACHINE_FAILED,
				  without_name(machine, why.text));
		return;
	}
	machine_set_state(machine, MACHINE_BOOTING, NULL);
}

/* The host takes its time to end it; virtual time stands until then. */
static void end_process(struct machine *machine)
{
	if (machine->env->vtime)
		vtime_guest_dying(machine->env->vtime, machine->index);
	node_kill(machine->node);
}

void machine_break(struct machine *machine, const char *reason)
{
	machine_set_state(machine, MACHINE_FAILED, reason);
	if (machine->node)
		end_process(machine);
}

bool machine_ask_where(struct machine *machine)
{
	if (!machine->node || !(machine->kernel->can & KERNEL_WHERE))
		return false;
	machine->asked = true;
	node_ask(machine->node);
	return true;
}

void machine_kill(struct machine *machine, const char *reason)
{
	if (machine->node) {
		machine_set_state(machine, MACHINE_STOPPING, reason);
		end_process(machine);
	} else {
		machine_set_state(machine, MACHINE_STOPPED, reason);
	}
}

int machine_pause(struct machine *machine, bool pause, struct why *why)
{
	const struct clock_change change = { .has_frozen = true, .frozen = pause };
	int err;

	if (machine->env->vtime)
		return machine_clock_change(machine, &change, why);
	err = machine->node ? herd_stall(node_pid(machine->node),
					 !(machine->kernel->can & KERNEL_SECCOMP), pause) :
			      -ESRCH;
	if (err)
		return why_errno(why, err, "%s: its processes cannot be %s",
				 machine->plan->name, pause ? "stopped" : "continued");
	machine->stalled = pause;
	return 0;
}

void machine_shutdown(struct machine *machine)
{
	/* One that stands still hears nothing, also not that it is to end. */
	if (!machine->node || !machine_agent_talks(machine) ||
	    (machine->stalled && machine_pause(machine, false, NULL))) {
		machine_kill(machine, NULL);
		return;
	}
	machine_clock_thaw(machine);
	machine_set_state(machine, MACHINE_STOPPING, NULL);
	machine_agent_send_json(machine, PROTO_SHUTDOWN, 0, json_object());
}

int machine_panic(struct machine *machine, struct why *why)
{
	const char *name = machine->plan->name;

	if (!machine->node || !machine_agent_talks(machine))
		return why_set(why, -ENOTCONN,
			       "%s: its agent does not talk; to end it: netlab node kill %s",
			       name, name);
	/* What it prints is not the same in each run. */
	machine_agent_send_json(machine, PROTO_PANIC, 0,
				machine->env->vtime ? json_pack("{s:b}", "silent", 1)
						    : json_object());
	return 0;
}

/* ---- making and unmaking ----------------------------------------------- */

static int open_logs(struct machine *machine, struct why *why)
{
	const struct plan_node *plan = machine->plan;
	char name[NAME_MAX];
	int err;

	snprintf(name, sizeof(name), "consoles/%s.log", plan->name);
	err = logfile_open(&machine->console_log, machine->env->run, name, why);
	for (size_t i = 0; !err && i < plan->service_count; i++) {
		struct service_run *service = &machine->services[i];

		snprintf(name, sizeof(name), "logs/%s.%s.log", plan->name,
			 plan->services[i].name);
		err = logfile_open(&service->log, machine->env->run, name, why);
		if (!err && ring_init(&service->tail, SERVICE_RING_BYTES))
			err = why_set(why, -ENOMEM, "%s: out of memory", plan->name);
	}
	return err;
}

int machine_create(struct machine **out, const struct machine_env *env, uint32_t index,
		   const struct kernel *kernel, struct why *why)
{
	const struct plan_node *plan = &env->plan->nodes[index];
	struct machine *machine = calloc(1, sizeof(*machine));
	int err;

	if (!machine)
		return why_set(why, -ENOMEM, "%s: out of memory", plan->name);
	machine->env = env;
	machine->plan = plan;
	machine->kernel = kernel;
	machine->index = index;
	machine->clock.offset_ns = plan->clock.offset_ns;
	machine->clock.drift_ppb = plan->clock.drift_ppb;
	machine->failed_service = -1;
	machine->console_fd = -1;
	machine->console_log.fd = -1;
	machine->to_agent.limit = AGENT_OUT_BYTES_MAX;
	machine->timeout = (struct timer){ .fire = on_timeout, .ctx = machine };
	machine->services = calloc(plan->service_count + 1, sizeof(*machine->services));
	for (size_t i = 0; machine->services && i < plan->service_count; i++)
		machine->services[i].log.fd = -1;
	if (!machine->services || ring_init(&machine->console, CONSOLE_RING_BYTES))
		err = why_set(why, -ENOMEM, "%s: out of memory", plan->name);
	else
		err = open_logs(machine, why);
	if (err) {
		machine_destroy(machine);
		return err;
	}
	*out = machine;
	return 0;
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	timer_cancel(machine->env->clock, &machine->timeout);
	watch_close(machine->start_watch);
	watch_close(machine->node_watch);
	node_free(machine->node);
	machine_agent_close(machine, "the lab ends");
	machine_console_close(machine);
	logfile_close(&machine->console_log);
	ring_free(&machine->console);
	for (size_t i = 0; machine->services && i < machine->plan->service_count; i++) {
		logfile_close(&machine->services[i].log);
		ring_free(&machine->services[i].tail);
	}
	free(machine->services);
	free(machine);
}
