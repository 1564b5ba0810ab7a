/* SPDX-License-Identifier: MIT */
/* partition, partition-ls, heal, matrix. */
#include <errno.h>
#include <stdlib.h>

#include "control/control_args.h"
#include "lab/partition_request.h"
#include "fabric/reach.h"
#include "lab/verbs.h"

static json_t *answer_cuts(const struct lab *lab)
{
	size_t count;
	json_t *cuts = cuts_json(lab->fabric.cuts, &count);

	return json_pack("{s:o, s:I}", "cuts", cuts, "cut_count", (json_int_t)count);
}

int verb_partition(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct partition partition;
	uint64_t for_ns;
	int err = partition_read(&partition, &for_ns, lab->plan, call->body, why);

	if (err)
		return err;
	err = cuts_begin(lab->fabric.cuts, &partition, for_ns, why);
	if (err) {
		free(partition.part_of);
		return err;
	}
	call_answer(call, cuts_partition_json(lab->fabric.cuts, partition.name));
	return 0;
}

int verb_partition_ls(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	json_t *answer = answer_cuts(lab);

	(void)why;
	json_object_set_new(answer, "partitions", cuts_partitions_json(lab->fabric.cuts));
	call_answer(call, answer);
	return 0;
}

/* ---- heal -------------------------------------------------------------- */

/* All names are looked at before the first is healed. */
static int check_names(const struct lab *lab, const json_t *names, struct why *why)
{
	const json_t *name;
	size_t i;

	if (!json_is_array(names) || json_array_size(names) == 0)
		return why_set(why, -EINVAL,
			       "\"names\": an array of partitions' names was expected");
	json_array_foreach((json_t *)names, i, name)
	{
		if (!json_is_string(name))
			return why_set(why, -EINVAL, "\"names\": a name was expected");
		if (!cuts_has(lab->fabric.cuts, json_string_value(name)))
			return why_set(
				why, -ENOENT,
				"no partition is named %.64s: `netlab partition ls` "
				"lists them",
				json_string_value(name));
	}
	return 0;
}

static bool still_cut(const struct lab *lab, const json_t *pair)
{
	int from = plan_find_node(lab->plan, json_string_value(json_array_get(pair, 0)));
	int to = plan_find_node(lab->plan, json_string_value(json_array_get(pair, 1)));

	return wire_is_cut(lab->fabric.wire, (uint32_t)from, (uint32_t)to);
}

/* Of what was cut before, what is no longer. */
static json_t *healed(const struct lab *lab, const json_t *before, size_t count_before)
{
	const json_t *pair;
	json_t *gone = json_array(), *now;
	size_t i, count;

	json_array_foreach((json_t *)before, i, pair)
	{
		if (!still_cut(lab, pair))
			json_array_append(gone, (json_t *)pair);
	}
	now = cuts_json(lab->fabric.cuts, &count);
	json_decref(now);
	return json_pack("{s:o, s:I, s:I}", "cuts", gone, "cut_count",
			 (json_int_t)(count_before - count), "still_cut",
			 (json_int_t)count);
}

int verb_heal(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	const json_t *names = json_object_get(call->body, "names"), *name;
	json_t *before;
	size_t i, count;
	int err = names ? check_names(lab, names, why) : 0;

	if (err)
		return err;
	before = cuts_json(lab->fabric.cuts, &count);
	json_array_foreach((json_t *)names, i, name)
	{
		/* The same name twice is healed once. */
		if (cuts_has(lab->fabric.cuts, json_string_value(name)))
			cuts_heal(lab->fabric.cuts, json_string_value(name), NULL);
	}
	if (!names)
		cuts_heal_all(lab->fabric.cuts);
	call_answer(call, healed(lab, before, count));
	json_decref(before);
	return 0;
}

/* ---- matrix ------------------------------------------------------------ */

int verb_matrix(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	size_t count = lab->plan->node_count;
	json_t *nodes = json_array(), *reach = json_array();
	uint8_t *matrix;
	int err = reach_matrix(&matrix, lab->plan, lab->fabric.wire,
			       clock_now_ns(lab->clock), why);

	for (size_t from = 0; !err && from < count; from++) {
		json_t *row = json_array();

		for (size_t to = 0; to < count; to++)
			json_array_append_new(
				row, json_string(reach_name(matrix[from * count + to])));
		json_array_append_new(nodes, json_string(lab->plan->nodes[from].name));
		json_array_append_new(reach, row);
	}
	if (err) {
		json_decref(nodes);
		json_decref(reach);
		return err;
	}
	free(matrix);
	call_answer(call, json_pack("{s:o, s:o}", "nodes", nodes, "reach", reach));
	return 0;
}
