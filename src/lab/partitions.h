/* SPDX-License-Identifier: MIT */
/* partitions.h - who can no longer reach whom
 *
 * A partition puts nodes on sides; frames from a node of one side to a node of
 * another are cut.  A node of no side is not affected.  The word "*" stands for
 * all nodes that no side names.  One-way: only frames from the first of two sides
 * to the second are cut.  Partitions add up until `heal`.
 *
 * Pure: a function of the plan and the request.
 *
 * Errors:    -EINVAL, *why names the node or side.
 * Ownership: the parsed partition's side_of is the caller's to free.
 */
#ifndef NL_LAB_PARTITIONS_H
#define NL_LAB_PARTITIONS_H

#include <jansson.h>

#include "base/why.h"
#include "topology/plan.h"

/* sides: an array of arrays of node names. */
int partition_parse(struct plan_partition *out, const struct plan *plan,
		    const json_t *sides, bool one_way, struct why *why);

/* Call cut(ctx, from, to) for each ordered pair of nodes that it separates. */
void partition_each_cut(const struct plan_partition *partition, size_t node_count,
			void (*cut)(void *ctx, uint32_t from, uint32_t to), void *ctx);

#endif
