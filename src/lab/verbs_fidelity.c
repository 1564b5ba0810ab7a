/* SPDX-License-Identifier: MIT */
/* fidelity: what was asked for and what was measured. */
#include <errno.h>

#include "control/control_args.h"
#include "fabric/fault_json.h"
#include "fabric/fidelity.h"
#include "lab/verbs.h"

static void add(json_t *all, const struct lab *lab, const struct fault_at *at)
{
	json_t *one = fault_at_json(&lab->fabric, at, false);
	json_t *measured = fidelity_of(wire_fault_get(lab->fabric.wire, at),
				       wire_fault_count(lab->fabric.wire, at),
				       wire_fault_timing(lab->fabric.wire, at));

	json_object_update(one, measured);
	json_decref(measured);
	json_array_append_new(all, one);
}

/* In real time: whose wall clock is how far from where it should be. */
static json_t *clocks_json(const struct lab *lab)
{
	json_t *all = json_array();

	for (size_t i = 0; i < lab->plan->node_count; i++) {
		const struct machine *machine = lab->machines[i];
		struct machine_off off;
		uint64_t far_ns;

		if (!machine_off(machine, &off))
			continue;
		far_ns = off.off_ns < 0 ? -(uint64_t)off.off_ns : (uint64_t)off.off_ns;
		json_array_append_new(
			all, json_pack("{s:s, s:I, s:I, s:I, s:b}", "node",
				       machine_plan(machine)->name, "off_ns",
				       (json_int_t)off.off_ns, "error_ns",
				       (json_int_t)off.error_ns, "measured_ns",
				       (json_int_t)off.measured_ns, "ok",
				       far_ns <= off.error_ns + MACHINE_OFF_NS_MAX));
	}
	return all;
}

/* In real time: a turn of the lab's own is one in which nothing else is served. */
static json_t *loop_json(const struct lab *lab)
{
	if (lab->vtime || !lab->turns)
		return NULL;
	return json_pack("{s:I}", "longest_ns", (json_int_t)turns_longest_ns(lab->turns));
}

int verb_fidelity(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	const char *text = NULL;
	struct fault_target target = { 0 };
	json_t *all;
	size_t pair_count;
	const struct fault_at *pairs = wire_pairs(lab->fabric.wire, &pair_count);
	int err = arg_text(call->body, "target", ARG_OPTIONAL, &text, why);

	if (!err && text)
		err = fault_target_resolve(&target, lab->plan, text, why);
	if (err)
		return err;
	all = json_array();
	for (size_t i = 0; i < target.count; i++)
		add(all, lab, &target.at[i]);
	for (uint32_t link = 0; !text && link < lab->plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			add(all, lab, &(struct fault_at){ .link = link, .dir = dir });
	for (size_t i = 0; !text && i < pair_count; i++)
		add(all, lab, &pairs[i]);
	fault_target_free(&target);
	call_answer(call, json_pack("{s:o, s:o, s:o, s:o*}", "directions", all, "run",
				    fidelity_run(lab->fabric.wire), "clocks",
				    clocks_json(lab), "loop", loop_json(lab)));
	return 0;
}
