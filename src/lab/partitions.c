/* SPDX-License-Identifier: MIT */
#include "lab/partitions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Put one named node on a side; "*" is left to fill_rest(). */
static int place(uint32_t *side_of, const struct plan *plan, const json_t *word,
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
	if (side_of[node] && side_of[node] != side)
		return why_set(why, -EINVAL, "%s is on side %u and on side %u", name,
			       side_of[node], side);
	side_of[node] = side;
	return 0;
}

static int place_all(uint32_t *side_of, const struct plan *plan, const json_t *sides,
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
			int err = place(side_of, plan, word, (uint32_t)s + 1, rest_side,
					why);

			if (err)
				return err;
		}
	}
	return 0;
}

int partition_parse(struct plan_partition *out, const struct plan *plan,
		    const json_t *sides, bool one_way, struct why *why)
{
	cleanup_free uint32_t *side_of = calloc(plan->node_count + 1, sizeof(*side_of));
	size_t count = json_array_size(sides);
	uint32_t rest_side = 0;
	int err;

	if (!side_of)
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
	err = place_all(side_of, plan, sides, &rest_side, why);
	if (err)
		return err;
	for (size_t n = 0; rest_side && n < plan->node_count; n++)
		if (!side_of[n])
			side_of[n] = rest_side;
	*out = (struct plan_partition){ .one_way = one_way,
					.side_of = steal_ptr(&side_of),
					.side_count = (uint32_t)count };
	return 0;
}

void partition_each_cut(const struct plan_partition *partition, size_t node_count,
			void (*cut)(void *ctx, uint32_t from, uint32_t to), void *ctx)
{
	const uint32_t *side_of = partition->side_of;

	for (uint32_t from = 0; from < node_count; from++)
		for (uint32_t to = 0; to < node_count; to++) {
			if (!side_of[from] || !side_of[to] ||
			    side_of[from] == side_of[to])
				continue;
			if (partition->one_way &&
			    (side_of[from] != 1 || side_of[to] != 2))
				continue;
			cut(ctx, from, to);
		}
}
