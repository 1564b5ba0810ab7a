/* SPDX-License-Identifier: MIT */
/* partition, heal. */
#include <errno.h>
#include <stdlib.h>

#include "lab/control_args.h"
#include "lab/partitions.h"
#include "lab/verbs.h"

json_t *cuts_json(const struct lab *lab, size_t *count)
{
	const struct plan *plan = lab->plan;
	json_t *cuts = json_array();

	*count = 0;
	for (uint32_t from = 0; from < plan->node_count; from++)
		for (uint32_t to = 0; to < plan->node_count; to++) {
			if (!wire_is_cut(lab->wire, from, to))
				continue;
			if (++*count <= CUTS_LISTED_MAX)
				json_array_append_new(
					cuts, json_pack("[s, s]", plan->nodes[from].name,
							plan->nodes[to].name));
		}
	return cuts;
}

static json_t *answer_cuts(const struct lab *lab)
{
	size_t count;
	json_t *cuts = cuts_json(lab, &count);

	return json_pack("{s:o, s:I}", "cuts", cuts, "cut_count", (json_int_t)count);
}

static void cut(void *ctx, uint32_t from, uint32_t to)
{
	struct lab *lab = ctx;

	wire_cut(lab->wire, from, to);
}

int verb_partition(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	const json_t *sides = json_object_get(call->body, "sides");
	struct plan_partition partition;
	bool one_way = false;
	int err = arg_flag(call->body, "one_way", &one_way, why);

	if (!err)
		err = partition_parse(&partition, lab->plan, sides, one_way, why);
	if (err)
		return err;
	partition_each_cut(&partition, lab->plan->node_count, cut, lab);
	free(partition.side_of);
	journal_write(lab->journal, "partition",
		      json_pack("{s:O, s:b}", "sides", sides, "one_way", one_way));
	call_answer(call, answer_cuts(lab));
	return 0;
}

int verb_heal(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	json_t *healed = answer_cuts(lab);

	(void)why;
	wire_heal(lab->wire);
	journal_write(
		lab->journal, "heal",
		json_pack("{s:O}", "cut_count", json_object_get(healed, "cut_count")));
	call_answer(call, healed);
	return 0;
}
