/* SPDX-License-Identifier: MIT */
/* fidelity: what was asked for and what was measured. */
#include <errno.h>

#include "lab/control_args.h"
#include "lab/fidelity.h"
#include "lab/verbs.h"

static void add(json_t *all, const struct lab *lab, const struct fault_at *at)
{
	json_t *one = direction_json(lab, at, false);
	json_t *measured = fidelity_of(wire_fault_get(lab->wire, at),
				       wire_fault_count(lab->wire, at),
				       wire_fault_timing(lab->wire, at));

	json_object_update(one, measured);
	json_decref(measured);
	json_array_append_new(all, one);
}

int verb_fidelity(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	const char *text = NULL;
	struct fault_target target = { 0 };
	json_t *all;
	size_t pair_count;
	const struct fault_at *pairs = wire_pairs(lab->wire, &pair_count);
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
	call_answer(call, json_pack("{s:o, s:o}", "directions", all, "run",
				    fidelity_json(wire_lateness(lab->wire))));
	return 0;
}
