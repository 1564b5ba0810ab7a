/* SPDX-License-Identifier: MIT */
/* node-clock: set a machine's clock beside the lab's. */
#include "control/control_args.h"
#include "lab/verbs.h"
#include "topology/node_clock.h"

static json_t *one_json(const struct machine *machine)
{
	struct machine_clock clock = machine_clock(machine);

	return json_pack("{s:s, s:I, s:I, s:b}", "node", machine_plan(machine)->name,
			 "offset_ns", (json_int_t)clock.offset_ns, "drift_ppb",
			 (json_int_t)clock.drift_ppb, "frozen", clock.frozen);
}

/* Those that are not the lab's own. */
json_t *node_clocks_json(const struct lab *lab)
{
	json_t *list = json_array();

	for (size_t i = 0; i < lab->plan->node_count; i++) {
		struct machine_clock clock = machine_clock(lab->machines[i]);

		if (clock.offset_ns || clock.drift_ppb || clock.frozen)
			json_array_append_new(list, one_json(lab->machines[i]));
	}
	return list;
}

static int read_number(const json_t *body, const char *key, int64_t most, bool *has,
		       int64_t *out, struct why *why)
{
	json_int_t value = 0;
	int err = arg_integer(body, key, ARG_OPTIONAL, -most, most, &value, why);

	*has = json_object_get(body, key) != NULL;
	*out = value;
	return err;
}

int verb_node_clock(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct clock_change change = { 0 };
	struct machine *machine;
	int err = lab_machine(lab, call->body, &machine, why);

	if (!err)
		err = read_number(call->body, "offset_ns", NODE_CLOCK_OFFSET_NS_MAX,
				  &change.has_offset, &change.offset_ns, why);
	if (!err)
		err = read_number(call->body, "step_ns", 2 * NODE_CLOCK_OFFSET_NS_MAX,
				  &change.has_step, &change.step_ns, why);
	if (!err)
		err = read_number(call->body, "drift_ppb", NODE_CLOCK_DRIFT_PPB_MAX,
				  &change.has_drift, &change.drift_ppb, why);
	if (!err)
		err = arg_flag(call->body, "frozen", &change.frozen, why);
	change.has_frozen = json_object_get(call->body, "frozen") != NULL;
	if (!err)
		err = machine_clock_change(machine, &change, why);
	if (err)
		return err;
	call_answer(call, one_json(machine));
	return 0;
}
