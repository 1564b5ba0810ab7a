/* SPDX-License-Identifier: MIT */
/* A machine's clock beside the lab's: off, fast, slow, stepped or frozen. */
#include "machine/machine_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "clock/guest_clock.h"
#include "topology/node_clock.h"

static void tell_agent(struct machine *machine, int64_t step_ns, int64_t drift_ppb,
		       bool has_drift)
{
	json_t *body = json_object();

	if (step_ns)
		json_object_set_new(body, "step_ns", json_integer(step_ns));
	if (has_drift)
		json_object_set_new(body, "drift_ppb", json_integer(drift_ppb));
	machine_agent_send_json(machine, PROTO_CLOCK, 0, body);
}

static void tell_vtime(struct machine *machine)
{
	vtime_guest_set_clock(machine->env->vtime, machine->index,
			      (uint32_t)(GUEST_CLOCK_RATE_ONE + machine->clock.drift_ppb),
			      machine->clock.frozen);
}

void machine_clock_prepare(struct machine *machine)
{
	if (!machine->env->vtime)
		return;
	vtime_guest_set_wall_offset(machine->env->vtime, machine->index,
				    machine->clock.offset_ns);
	tell_vtime(machine);
}

void machine_clock_begin(struct machine *machine)
{
	const struct machine_clock *clock = &machine->clock;

	machine->drifted_ns = 0;
	machine->drifted_until_ns = clock_now_ns(machine->env->clock);
	if (!machine->env->vtime && (clock->offset_ns || clock->drift_ppb))
		tell_agent(machine, clock->offset_ns, clock->drift_ppb, true);
}

void machine_clock_set_right(struct machine *machine, int64_t step_ns)
{
	if (step_ns)
		tell_agent(machine, step_ns, 0, false);
	machine_clock_begin(machine);
}

static int64_t drifted_ns(const struct machine *machine, uint64_t now_ns)
{
	__int128 passed_ns = (__int128)now_ns - machine->drifted_until_ns;

	return machine->drifted_ns +
	       (int64_t)(passed_ns * machine->clock.drift_ppb / (int64_t)NS_PER_S);
}

int64_t machine_clock_wanted_ns(const struct machine *machine)
{
	return machine->clock.offset_ns +
	       drifted_ns(machine, clock_now_ns(machine->env->clock));
}

static int check(const struct machine *machine, const struct clock_change *change,
		 const struct machine_clock *to, struct why *why)
{
	const char *name = machine->plan->name;

	if (!machine_agent_talks(machine) || machine->state < MACHINE_CONFIGURED ||
	    machine->state > MACHINE_READY)
		return why_set(why, -ENOTCONN, "%s is %s: its clock cannot be set", name,
			       machine_state_name(machine->state));
	if (change->has_frozen && !machine->env->vtime)
		return why_set(why, -ENOTSUP,
			       "%s: a clock can be frozen in virtual time only (up --clock "
			       "virtual); in real time it is the host's, which goes on",
			       name);
	if (change->has_step && change->has_offset)
		return why_set(why, -EINVAL,
			       "%s: a step and an offset say two things about one clock: "
			       "give one of them",
			       name);
	if (to->offset_ns > NODE_CLOCK_OFFSET_NS_MAX ||
	    to->offset_ns < -NODE_CLOCK_OFFSET_NS_MAX)
		return why_set(why, -ERANGE, "%s: its clock would be off by more than %s",
			       name, NODE_CLOCK_OFFSET_MAX_TEXT);
	return 0;
}

static void write_journal(struct machine *machine, const struct clock_change *change,
			  int64_t step_ns)
{
	json_t *entry = json_pack("{s:s, s:I}", "node", machine->plan->name, "offset_ns",
				  (json_int_t)machine->clock.offset_ns);

	if (change->has_offset || change->has_step)
		json_object_set_new(entry, "step_ns", json_integer(step_ns));
	if (change->has_drift)
		json_object_set_new(entry, "drift_ppb", json_integer(change->drift_ppb));
	if (change->has_frozen)
		json_object_set_new(entry, "frozen", json_boolean(change->frozen));
	journal_write(machine->env->journal, "node-clock", entry);
}

int machine_clock_change(struct machine *machine, const struct clock_change *change,
			 struct why *why)
{
	struct machine_clock to = machine->clock;
	int64_t step_ns;
	int err;

	if (change->has_offset)
		to.offset_ns = change->offset_ns;
	if (change->has_step)
		to.offset_ns += change->step_ns;
	if (change->has_drift)
		to.drift_ppb = change->drift_ppb;
	if (change->has_frozen)
		to.frozen = change->frozen;
	err = check(machine, change, &to, why);
	if (err)
		return err;
	step_ns = to.offset_ns - machine->clock.offset_ns;
	machine->drifted_ns = drifted_ns(machine, clock_now_ns(machine->env->clock));
	machine->drifted_until_ns = clock_now_ns(machine->env->clock);
	machine->clock = to;
	write_journal(machine, change, step_ns);
	if (machine->env->vtime)
		tell_vtime(machine);
	if (step_ns || (change->has_drift && !machine->env->vtime))
		tell_agent(machine, step_ns, to.drift_ppb,
			   change->has_drift && !machine->env->vtime);
	return 0;
}

void machine_clock_thaw(struct machine *machine)
{
	if (!machine->clock.frozen)
		return;
	machine->clock.frozen = false;
	tell_vtime(machine);
}

struct machine_clock machine_clock(const struct machine *machine)
{
	return machine->clock;
}
