/* SPDX-License-Identifier: MIT */
/* cut_ways.h - what a partition cuts and yet leaves open
 *
 * A partition cuts the frames that two machines send each other.  Where others stand
 * between the two and forward, the frames are the forwarder's, and it passes on what it
 * gets: so `a | b` cuts nothing of a --- r --- b, and `a,r | b` does.  A way that is cut
 * is open all the same if the two are no neighbours and there is a path of direct hops
 * between machines that forward, none of which the partition cuts; as in fabric/reach.h,
 * routes are not looked at.
 *
 * Errors:    -ENOMEM.
 * Threads:   pure.
 */
#ifndef NL_PLAN_CUT_WAYS_H
#define NL_PLAN_CUT_WAYS_H

#include "partition/cut_draw.h"
#include "plan/plan.h"

struct cut_ways {
	size_t cut, open;	 /* ordered pairs: all that are cut; of them open */
	uint32_t from, to, next; /* the first that is open, and who passes it on */
};

int cut_ways(struct cut_ways *out, const struct plan *plan, const struct cut_draw *draw,
	     struct why *why);

/* "a -> b stays open: between them is r, …", or false: nothing does. */
bool cut_ways_warning(const struct cut_ways *ways, const struct plan *plan,
		      struct why *why);

#endif
