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
#ifndef NL_LAB_FABRIC_H
#define NL_LAB_FABRIC_H

#include <stdint.h>

#include "clock/clock.h"
#include "lab/captures.h"
#include "lab/cuts.h"
#include "lab/fault_deadlines.h"
#include "lab/journal.h"
#include "lab/wire.h"
#include "topology/plan.h"

struct fabric {
	const struct plan *plan;
	uint64_t seed;
	struct clock *clock;
	struct journal *journal;

	struct wire *wire;
	struct cuts *cuts;
	struct captures *captures;
	struct fault_deadlines *deadlines;
};

#endif
