/* SPDX-License-Identifier: MIT */
#include "ops/life_ops.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"

static const char *const names[] = {
	[LIFE_STOP] = "stop",	    [LIFE_KILL] = "kill",   [LIFE_START] = "start",
	[LIFE_RESTART] = "restart", [LIFE_RESET] = "reset", [LIFE_PAUSE] = "pause",
	[LIFE_RESUME] = "resume",   [LIFE_PANIC] = "panic",
};
_Static_assert(ARRAY_SIZE(names) == LIFE_ORDERS, "a name for each order");

const char *life_order_name(enum life_order order)
{
	ASSERT((unsigned)order < LIFE_ORDERS);
	return names[order];
}

enum life_order life_order_find(const char *name)
{
	enum life_order order = 0;

	while (order < LIFE_ORDERS && strcmp(names[order], name) != 0)
		order++;
	return order;
}

bool life_order_starts(enum life_order order)
{
	return order == LIFE_START || order == LIFE_RESTART || order == LIFE_RESET;
}

bool life_order_takes_time(enum life_order order)
{
	return order != LIFE_PAUSE && order != LIFE_RESUME;
}

static int check(const struct machine *machine, enum life_order order, struct why *why)
{
	const char *name = machine_plan(machine)->name;
	const char *state = machine_state_name(machine_state(machine));

	if (order == LIFE_START && !machine_is_over(machine))
		return why_set(why, -EALREADY, "%s is %s: it runs already", name, state);
	if (!life_order_starts(order) && !machine_has_process(machine))
		return why_set(why, -EALREADY, "%s is %s: it does not run", name, state);
	if (!life_order_takes_time(order) &&
	    machine_is_paused(machine) == (order == LIFE_PAUSE))
		return why_set(why, -EALREADY, "%s is %s", name,
			       order == LIFE_PAUSE ? "paused already" : "not paused");
	if (order == LIFE_PANIC && machine_is_paused(machine))
		return why_set(why, -EBUSY,
			       "%s is paused and hears nothing; first: netlab node resume %s",
			       name, name);
	if (machine_wants_again(machine) || machine_state(machine) == MACHINE_WAITING)
		return why_set(why, -EBUSY, "%s is about to start", name);
	return 0;
}

int life_order(struct machine *machine, enum life_order order, struct why *why)
{
	bool runs = machine_has_process(machine);
	int err = check(machine, order, why);

	if (err)
		return err;
	if (!life_order_takes_time(order))
		return machine_pause(machine, order == LIFE_PAUSE, why);
	if (order == LIFE_PANIC)
		return machine_panic(machine, why);
	if (life_order_starts(order))
		machine_want_again(machine);
	if (runs && (order == LIFE_STOP || order == LIFE_RESTART))
		machine_shutdown(machine);
	else if (runs)
		machine_kill(machine, "its power was cut");
	return 0;
}
