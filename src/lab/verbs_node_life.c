/* SPDX-License-Identifier: MIT */
/* node-life: stop, kill, panic, start, restart, reset, pause and resume a machine, and wait
 * until it is so. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "control/control_args.h"
#include "lab/verbs.h"
#include "ops/life_ops.h"

/* For a machine that was asked to power off, in lab time. */
#define STOP_PATIENCE_NS (15 * NS_PER_S)

struct waiter {
	struct request request;
	struct lab *lab;
	struct machine *machine;
	enum life_order order;
	bool wants; /* virtual time to pass */
	bool late;
	struct timer patience;
};

static void end_waiter(struct waiter *waiter)
{
	timer_cancel(waiter->lab->clock, &waiter->patience);
	if (waiter->wants)
		vtime_unwant(waiter->lab->vtime);
	free(waiter);
}

static json_t *machine_json(const struct machine *machine)
{
	return json_pack("{s:s, s:s, s:b, s:I}", "node", machine_plan(machine)->name,
			 "state", machine_state_name(machine_state(machine)), "paused",
			 machine_is_paused(machine), "ready_ns",
			 (json_int_t)machine_ready_ns(machine));
}

static void fail(struct waiter *waiter, const char *text)
{
	request_fail(&waiter->request, machine_json(waiter->machine), text);
	end_waiter(waiter);
}

/* It is not what it should have become, and will not be. */
static void fail_start(struct waiter *waiter)
{
	const struct machine *machine = waiter->machine;
	char text[WHY_BYTES_MAX + 64];

	snprintf(text, sizeof(text), "%s is %s: %s", machine_plan(machine)->name,
		 machine_state_name(machine_state(machine)),
		 *machine_reason(machine) ? machine_reason(machine) : "it has ended");
	fail(waiter, text);
}

static void fail_late(struct waiter *waiter)
{
	const char *name = machine_plan(waiter->machine)->name;
	char text[160];

	if (waiter->order == LIFE_PANIC)
		snprintf(text, sizeof(text), "%s was told to panic and has not within %llu s",
			 name, (unsigned long long)(STOP_PATIENCE_NS / NS_PER_S));
	else
		snprintf(text, sizeof(text),
			 "%s was asked to power off and has not within %llu s; at once: "
			 "netlab node kill %s",
			 name, (unsigned long long)(STOP_PATIENCE_NS / NS_PER_S), name);
	fail(waiter, text);
}

static bool has_ended(enum machine_state state)
{
	return state == MACHINE_STOPPED || state == MACHINE_FAILED ||
	       state == MACHINE_LOST;
}

static bool pump(struct request *request)
{
	struct waiter *waiter = (struct waiter *)request;
	const struct machine *machine = waiter->machine;
	enum machine_state state = machine_state(machine);
	bool starts = life_order_starts(waiter->order);

	if (waiter->lab->phase >= LAB_STOPPING) {
		fail(waiter, "the lab was taken down");
	} else if (starts ? state == MACHINE_READY && !machine_wants_again(machine)
			  : !machine_has_process(machine)) {
		request_answer(request, machine_json(machine));
		end_waiter(waiter);
	} else if (starts && has_ended(state) && !machine_wants_again(machine)) {
		fail_start(waiter);
	} else if (waiter->late && machine_has_process(machine) &&
		   (state == MACHINE_STOPPING || waiter->order == LIFE_PANIC)) {
		fail_late(waiter);
	}
	return false;
}

static void drop(struct request *request)
{
	end_waiter((struct waiter *)request);
}

static void close_waiter(struct request *request)
{
	request_fail(request, NULL, "closed; what was ordered goes on");
	end_waiter((struct waiter *)request);
}

static void on_patience(void *ctx, uint64_t now_ns)
{
	struct waiter *waiter = ctx;

	(void)now_ns;
	waiter->late = true;
	control_wake(waiter->lab->control, WAKE_PROGRESS);
}

static int no_such_order(struct why *why)
{
	char all[160];
	size_t used = 0;

	for (enum life_order order = 0; order < LIFE_ORDERS; order++) {
		const char *between = order == LIFE_ORDERS - 1 ? " or " : ", ";

		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
					 order ? between : "", life_order_name(order));
	}
	ASSERT(used < sizeof(all));
	return why_set(why, -EINVAL, "\"order\": %s was expected", all);
}

static int read_order(const json_t *body, enum life_order *order, struct why *why)
{
	const char *name = NULL;
	int err = arg_text(body, "order", ARG_REQUIRED, &name, why);

	if (err)
		return err;
	*order = life_order_find(name);
	return *order == LIFE_ORDERS ? no_such_order(why) : 0;
}

static void wait_until_done(struct waiter *waiter, struct call *call)
{
	static const struct request_ops ops = { .pump = pump,
						.close = close_waiter,
						.drop = drop };
	const struct lab *lab = waiter->lab;

	waiter->patience = (struct timer){ .fire = on_patience, .ctx = waiter };
	timer_set(lab->clock, &waiter->patience,
		  clock_now_ns(lab->clock) + STOP_PATIENCE_NS);
	request_begin(&waiter->request, call, &ops, WAKE_PROGRESS);
	waiter->wants = lab->vtime && rerun_state(lab->rerun) != RERUN_RUNNING;
	if (waiter->wants)
		vtime_want(lab->vtime);
}

int verb_node_life(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	cleanup_free struct waiter *waiter = NULL;
	enum life_order order;
	struct machine *machine;
	int err = lab_machine(lab, call->body, &machine, why);

	if (!err)
		err = read_order(call->body, &order, why);
	if (!err && lab->phase != LAB_RUNNING)
		err = why_set(why, -EBUSY, "the lab is %s", lab_phase_name(lab->phase));
	/* First, for what was ordered is not to be taken back. */
	if (!err) {
		waiter = calloc(1, sizeof(*waiter));
		err = waiter ? life_order(machine, order, why)
			     : why_set(why, -ENOMEM, "node: out of memory");
	}
	if (err)
		return err;
	*waiter = (struct waiter){ .lab = lab, .machine = machine, .order = order };
	journal_write(lab->journal, "node-life",
		      json_pack("{s:s, s:s}", "node", machine_plan(machine)->name, "order",
				life_order_name(order)));
	loop_defer(lab->loop, &lab->advance);
	if (life_order_takes_time(order))
		wait_until_done(steal_ptr(&waiter), call);
	else
		call_answer(call, machine_json(machine));
	return 0;
}
