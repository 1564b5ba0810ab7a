/* SPDX-License-Identifier: MIT */
/* partitions.c - "partitions": who cannot reach whom when the lab starts */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "topology/stages.h"
#include "topology/fields.h"
#include "plan/names.h"
#include "base/suggestion.h"
#include "partition/partition.h"
#include "topology/refs.h"

enum { PARTITIONS_MAX = 64 };

static const char *const keys[] = { "name",  "sides", "one-way",    "kind", "nodes",
				    "among", "every", "min-stable", NULL };

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

static void read_sides(struct build *b, const struct tree *sides,
		       struct partition *partition)
{
	if (!field_array(b->diags, sides))
		return;
	if (sides->count < 2 || (partition->one_way && sides->count != 2))
		complain(b->diags, sides, "a %spartition has %stwo sides, not %zu",
			 partition->one_way ? "one-way " : "",
			 partition->one_way ? "" : "at least ", sides->count);
	tree_each(side, sides) {
		if (diagnostics_enough(b->diags))
			break;
		read_side(b, side, ++partition->side_count, partition->part_of);
	}
}

/* Mark the nodes of a list; true if all of them exist. */
static bool read_part(struct build *b, const struct tree *value, enum partition_part part,
		      struct partition *partition)
{
	struct refs refs;

	if (!field_array(b->diags, value) || !refs_resolve_list(b, value, &refs))
		return false;
	for (size_t i = 0; i < refs.count; i++)
		partition->part_of[refs.nodes[i]] = part;
	return true;
}

static void read_kind(struct build *b, const struct tree *object,
		      struct partition *partition)
{
	const struct tree *value = tree_get(object, "kind");
	const struct tree *nodes = tree_get(object, "nodes");
	const struct tree *among = tree_get(object, "among");
	const char *kind = field_text(b->diags, value), *near;
	bool good = true;
	struct why why;

	if (!kind)
		return;
	partition->kind = partition_kind_find(kind);
	if (partition->kind == PARTITION_KINDS || partition->kind == PARTITION_SIDES) {
		partition->kind = PARTITION_SIDES;
		near = suggestion_word(kind, partition_kind_names);
		complain(b->diags, value, "there is no kind of partition \"%.40s\"%s%s%s",
			 kind, near ? "; did you mean \"" : "", near ? near : "",
			 near ? "\"?" : "");
		return;
	}
	for (size_t n = 0; !among && n < b->plan->node_count; n++)
		partition->part_of[n] = PART_MEMBER;
	if (among)
		good = read_part(b, among, PART_MEMBER, partition);
	if (nodes && !partition_kind_picks(partition->kind))
		complain(b->diags, nodes, "%s draws its nodes: \"among\" says of which",
			 kind);
	else if (nodes)
		good &= read_part(b, nodes, PART_PICKED, partition);
	if (tree_get(object, "every"))
		good &= field_quantity(b->diags, tree_get(object, "every"),
				       units_parse_ns, "10s", PARTITION_EVERY_NS_MIN,
				       PARTITION_EVERY_NS_MAX, "1ms and 24h",
				       &partition->every_ns);
	if (tree_get(object, "min-stable"))
		good &= field_quantity(b->diags, tree_get(object, "min-stable"),
				       units_parse_ns, "5s", 0, PARTITION_EVERY_NS_MAX,
				       "0s and 24h", &partition->stable_ns);
	if (good && partition_check(partition, b->plan->node_count, &why))
		complain(b->diags, value, "%s", why.text);
}

static void read_name(struct build *b, const struct tree *value,
		      struct partition *partition)
{
	const char *name = field_text(b->diags, value);
	struct why why;

	if (!name)
		return;
	if (name_check(name, &why))
		complain(b->diags, value, "%s", why.text);
	for (size_t i = 0; i + 1 < b->plan->partition_count; i++)
		if (!strcmp(b->plan->partitions[i].name, name))
			complain(b->diags, value,
				 "there is a partition \"%.40s\" already", name);
	snprintf(partition->name, sizeof(partition->name), "%s", name);
}

static void read_partition(struct build *b, const struct tree *object)
{
	struct partition *partition =
		&b->plan->partitions[b->plan->partition_count++];
	const struct tree *sides = tree_get(object, "sides");
	const struct tree *kind = tree_get(object, "kind");

	partition->part_of = heap_zeroed(b->plan->node_count, sizeof(uint32_t));
	if (!field_object(b->diags, object))
		return;
	field_keys(b->diags, object, keys, false);
	read_name(b, tree_get(object, "name"), partition);
	field_bool(b->diags, tree_get(object, "one-way"), &partition->one_way);
	if (sides && kind)
		complain(b->diags, kind, "either \"sides\" or a \"kind\", not both");
	else if (kind)
		read_kind(b, object, partition);
	else if (!sides)
		complain(b->diags, object,
			 "\"sides\" is missing: such as [[\"n1\"], [\"n2\", \"n3\"]]");
	if (!kind && (tree_get(object, "nodes") || tree_get(object, "among") ||
		      tree_get(object, "every") || tree_get(object, "min-stable")))
		complain(b->diags, object,
			 "\"nodes\", \"among\", \"every\" and \"min-stable\" "
			 "go with a \"kind\"");
	if (!kind)
		read_sides(b, sides, partition);
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
