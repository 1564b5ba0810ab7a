/* SPDX-License-Identifier: MIT */
/* partitions.c - "partitions": who cannot reach whom when the lab starts */
#include <stdlib.h>

#include "topology/build.h"
#include "topology/fields.h"
#include "topology/refs.h"

enum { PARTITIONS_MAX = 64 };

static const char *const keys[] = { "sides", "one-way", NULL };

static void read_side(struct build *b, const struct tree *value, uint32_t side,
		      uint32_t *side_of)
{
	struct refs refs;

	if (!field_array(b->diags, value))
		return;
	if (!value->count)
		complain(b->diags, value, "this side is empty");
	if (!refs_resolve_list(b, value, &refs))
		return;
	for (size_t i = 0; i < refs.count; i++) {
		uint32_t node = refs.nodes[i];

		if (side_of[node])
			complain(b->diags, value, "%s is on side %u already",
				 b->plan->nodes[node].name, side_of[node]);
		side_of[node] = side;
	}
}

static void read_partition(struct build *b, const struct tree *object)
{
	struct plan_partition *partition =
		&b->plan->partitions[b->plan->partition_count++];
	const struct tree *sides = tree_get(object, "sides");

	partition->side_of = heap_zeroed(b->plan->node_count, sizeof(uint32_t));
	if (!field_object(b->diags, object))
		return;
	field_keys(b->diags, object, keys, false);
	field_bool(b->diags, tree_get(object, "one-way"), &partition->one_way);
	if (!sides)
		complain(b->diags, object,
			 "\"sides\" is missing: such as [[\"n1\"], [\"n2\", \"n3\"]]");
	if (!field_array(b->diags, sides))
		return;
	if (sides->count < 2 || (partition->one_way && sides->count != 2))
		complain(b->diags, sides, "a %spartition has %stwo sides, not %zu",
			 partition->one_way ? "one-way " : "",
			 partition->one_way ? "" : "at least ", sides->count);
	tree_each(side, sides) {
		if (diagnostics_enough(b->diags))
			break;
		read_side(b, side, ++partition->side_count, partition->side_of);
	}
}

void build_partitions(struct build *b)
{
	const struct tree *value = tree_get(b->root, "partitions");
	const struct tree *array = field_array(b->diags, value);

	if (!array)
		return;
	if (array->count > PARTITIONS_MAX) {
		complain(b->diags, array, "more than %d partitions", PARTITIONS_MAX);
		return;
	}
	b->plan->partitions = heap_zeroed(array->count, sizeof(*b->plan->partitions));
	tree_each(item, array)
		read_partition(b, item);
}
