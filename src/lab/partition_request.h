/* SPDX-License-Identifier: MIT */
/* partition_request.h - a partition as a client asks for it
 *
 * Either `sides`, an array of arrays of node names, in which "*" stands for all
 * nodes that no side names; or a `kind` of partition/partition.h, with the `nodes`
 * that are picked for it and `among` which it draws (default: all of them).  What it
 * then cuts is partition/cut_draw.h's; what is in force is fabric/cuts.h's.
 *
 * Pure: a function of the plan and the request.
 *
 * Errors:    -EINVAL, *why names the node or side.
 * Ownership: the partition's part_of is the caller's to free.
 */
#ifndef NL_LAB_PARTITION_REQUEST_H
#define NL_LAB_PARTITION_REQUEST_H

#include <jansson.h>

#include "base/why.h"
#include "plan/plan.h"

/* The members of a request.  *for_ns: how long it is to last; 0: until it is healed. */
int partition_read(struct partition *out, uint64_t *for_ns, const struct plan *plan,
		   const json_t *body, struct why *why);

/* The sides alone, an array of arrays of node names; the rest of *out stays. */
int partition_parse(struct partition *out, const struct plan *plan,
		    const json_t *sides, bool one_way, struct why *why);

#endif
