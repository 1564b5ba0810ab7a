/* SPDX-License-Identifier: MIT */
#include "lab/partition_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "control/control_args.h"
#include "plan/names.h"
#include "partition/partition.h"

/* Put one named node on a side; "*" is left to fill_rest(). */
static int place(uint32_t *part_of, const struct plan *plan, const json_t *word,
		 uint32_t side, uint32_t *rest_side, struct why *why)
{
	const char *name = json_string_value(word);
	int node;

	if (!name)
		return why_set(why, -EINVAL, "sides: side %u: a node's name was expected",
			       side);
	if (strcmp(name, "*") == 0) {
		if (*rest_side && *rest_side != side)
			return why_set(why, -EINVAL, "\"*\" is on side %u and on side %u",
				       *rest_side, side);
		*rest_side = side;
		return 0;
	}
	node = plan_find_node(plan, name);
	if (node < 0)
		return why_set(why, -EINVAL, "no node is named %.64s", name);
	if (part_of[node] && part_of[node] != side)
		return why_set(why, -EINVAL, "%s is on side %u and on side %u", name,
			       part_of[node], side);
	part_of[node] = side;
	return 0;
}

static int place_all(uint32_t *part_of, const struct plan *plan, const json_t *sides,
		     uint32_t *rest_side, struct why *why)
{
	const json_t *side, *word;
	size_t s, w;

	json_array_foreach((json_t *)sides, s, side)
	{
		if (!json_is_array(side) || json_array_size(side) == 0)
			return why_set(
				why, -EINVAL,
				"sides: side %zu: an array of at least one node's name "
				"was expected",
				s + 1);
		json_array_foreach((json_t *)side, w, word)
		{
			int err = place(part_of, plan, word, (uint32_t)s + 1, rest_side,
					why);

			if (err)
				return err;
		}
	}
	return 0;
}

int partition_parse(struct partition *out, const struct plan *plan,
		    const json_t *sides, bool one_way, struct why *why)
{
	cleanup_free uint32_t *part_of = calloc(plan->node_count + 1, sizeof(*part_of));
	size_t count = json_array_size(sides);
	uint32_t rest_side = 0;
	int err;

	if (!part_of)
		return why_set(why, -ENOMEM, "partition: out of memory");
	if (count < 2 || count > plan->node_count)
		return why_set(
			why, -EINVAL,
			"sides: 2 to %zu arrays of node names were expected, as in "
			"[[\"n1\"],[\"*\"]]",
			plan->node_count);
	if (one_way && count != 2)
		return why_set(why, -EINVAL, "a one-way partition has two sides, not %zu",
			       count);
	err = place_all(part_of, plan, sides, &rest_side, why);
	if (err)
		return err;
	for (size_t n = 0; rest_side && n < plan->node_count; n++)
		if (!part_of[n])
			part_of[n] = rest_side;
	out->kind = PARTITION_SIDES;
	out->one_way = one_way;
	out->part_of = steal_ptr(&part_of);
	out->side_count = (uint32_t)count;
	return 0;
}

/* Mark the nodes that a member of the request names. */
static int mark(struct partition *partition, const struct plan *plan,
		const json_t *body, const char *key, enum partition_part part,
		struct why *why)
{
	const json_t *names = json_object_get(body, key), *word;
	size_t i;

	if (names && (!json_is_array(names) || json_array_size(names) == 0))
		return why_set(why, -EINVAL,
			       "\"%s\": an array of node names was expected", key);
	json_array_foreach((json_t *)names, i, word)
	{
		const char *name = json_string_value(word);
		int node = name ? plan_find_node(plan, name) : -1;

		if (node < 0)
			return why_set(why, -EINVAL, "\"%s\": no node is named %.64s",
				       key, name ? name : "so");
		partition->part_of[node] = part;
	}
	return 0;
}

static int read_time(const json_t *body, const char *key, uint64_t *ns, struct why *why)
{
	const char *text = NULL;
	int err = arg_text(body, key, ARG_OPTIONAL, &text, why);

	if (!err && text && units_parse_ns(text, ns, why))
		err = why_wrap(why, -EINVAL, "\"%s\"", key);
	return err;
}

static int read_kind(struct partition *partition, const struct plan *plan,
		     const json_t *body, const char *kind, struct why *why)
{
	int err;

	partition->kind = partition_kind_find(kind);
	if (partition->kind == PARTITION_KINDS || partition->kind == PARTITION_SIDES)
		return why_set(why, -EINVAL,
			       "\"kind\": isolate, bridge, halves, minority, majority, "
			       "majorities-ring or random was expected, not %.40s",
			       kind);
	partition->part_of = calloc(plan->node_count + 1, sizeof(*partition->part_of));
	if (!partition->part_of)
		return why_set(why, -ENOMEM, "partition: out of memory");
	for (size_t n = 0; n < plan->node_count && !json_object_get(body, "among"); n++)
		partition->part_of[n] = PART_MEMBER;
	err = mark(partition, plan, body, "among", PART_MEMBER, why);
	if (!err)
		err = mark(partition, plan, body, "nodes", PART_PICKED, why);
	return err;
}

static int read_what(struct partition *partition, const struct plan *plan,
		     const json_t *body, struct why *why)
{
	const json_t *sides = json_object_get(body, "sides");
	const char *kind = NULL;
	bool one_way = false;
	int err = arg_text(body, "kind", ARG_OPTIONAL, &kind, why);

	if (!err)
		err = arg_flag(body, "one_way", &one_way, why);
	if (err)
		return err;
	if (sides && kind)
		return why_set(why, -EINVAL, "either \"sides\" or a \"kind\", not both");
	if (kind)
		err = read_kind(partition, plan, body, kind, why);
	else if (json_object_get(body, "nodes") || json_object_get(body, "among"))
		err = why_set(why, -EINVAL, "\"nodes\" and \"among\" go with a \"kind\"");
	else
		err = partition_parse(partition, plan, sides, one_way, why);
	partition->one_way = one_way;
	return err;
}

int partition_read(struct partition *out, uint64_t *for_ns, const struct plan *plan,
		   const json_t *body, struct why *why)
{
	struct partition partition = { .name = "" };
	const char *name = NULL;
	int err = arg_text(body, "name", ARG_OPTIONAL, &name, why);

	*for_ns = 0;
	if (!err && name)
		err = name_check(name, why);
	if (!err && name)
		snprintf(partition.name, sizeof(partition.name), "%s", name);
	if (!err)
		err = read_what(&partition, plan, body, why);
	if (!err)
		err = read_time(body, "for", for_ns, why);
	if (!err && !*for_ns && json_object_get(body, "for"))
		err = why_set(why, -EINVAL, "for: it would be over at once");
	if (!err)
		err = read_time(body, "every", &partition.every_ns, why);
	if (!err)
		err = read_time(body, "min_stable", &partition.stable_ns, why);
	if (!err)
		err = partition_check(&partition, plan->node_count, why);
	if (err) {
		free(partition.part_of);
		return err;
	}
	*out = partition;
	return 0;
}
