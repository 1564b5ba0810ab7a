/* SPDX-License-Identifier: MIT */
/* reach.h - who can reach whom, as things are set now
 *
 * Machine a reaches machine b if there is a way on which frames pass: direct hops over
 * links that are up and networks whose members are joined, each hop between machines
 * that run and that no partition cuts, through machines that forward.  Routing tables
 * are not looked at: a way that no route takes counts, so `reaches` is what the wiring
 * permits, and what really passes is for a probe to say.  Of loss, only that of every
 * frame is looked at.
 *
 * When there is no way, the answer is what is in it: the first of these without which
 * there would be one.
 *
 *   flap  links that are down, or lose every frame, at times (there is a way at others)
 *   loss  links that lose every frame as well
 *   cut   partitions as well
 *   down  links that are down as well
 *   off   machines that do not run as well
 *   none  nothing joins the two
 *
 * Errors:    -ENOMEM.
 * Ownership: the caller frees the matrix.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_REACH_H
#define NL_FABRIC_REACH_H

#include <stdint.h>

#include "base/why.h"
#include "fabric/wire.h"
#include "plan/plan.h"

enum reach {
	REACH_NONE,
	REACH_OFF,
	REACH_DOWN,
	REACH_CUT,
	REACH_LOSS,
	REACH_FLAP,
	REACH_YES,
};

/* One byte, an enum reach, for each pair: [from * node_count + to].  A machine reaches
 * itself. */
int reach_matrix(uint8_t **out, const struct plan *plan, const struct wire *wire,
		 uint64_t now_ns, struct why *why);
const char *reach_name(enum reach reach);

#endif
