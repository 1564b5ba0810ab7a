/* SPDX-License-Identifier: MIT */
/* fabric.h - what lies between a lab's machines, for whoever changes it
 *
 * The wire with its faults and their deadlines, the partitions in force and the captures;
 * and what a change of them takes: the plan they come from, the seed, the time, and the
 * journal that has each change.  Operations (fault_ops.h, active partitions, captures) get
 * this and no more of the lab.
 *
 * Ownership: the lab's, which makes and ends all of it; valid while machines run.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_FABRIC_H
#define NL_FABRIC_FABRIC_H

#include <stdint.h>

#include "clock/clock.h"
#include "fabric/captures.h"
#include "fabric/cuts.h"
#include "fabric/fault_deadlines.h"
#include "run/journal.h"
#include "fabric/wire.h"
#include "plan/plan.h"

struct fabric {
	const struct plan *plan;
	uint64_t seed;
	struct clock *clock;
	struct journal *journal;
	struct fault_files *fault_files; /* that a request names; NULL: they are read then */

	struct wire *wire;
	struct cuts *cuts;
	struct captures *captures;
	struct fault_deadlines *deadlines;
};

#endif
