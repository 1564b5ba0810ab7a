/* SPDX-License-Identifier: MIT */
/* fault_changes.h - new faults for several directions: all of them or none
 *
 *	fault_changes_add() … ──► fault_changes_apply() ──► set, each in the journal
 *	                               └─ refused: everything is as it was
 *
 * What has an end is said with each: it goes back to what the topology file says then
 * (fault_deadlines.h), and what is set without an end has none any more.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: fault_changes_free().  A spec that is added is taken over.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_FAULT_CHANGES_H
#define NL_FABRIC_FAULT_CHANGES_H

#include "fabric/fabric.h"

struct fault_change {
	struct fault_at at;
	struct fault_spec *spec, *before;
	uint64_t keys; /* of the link's own rule: they are set, or cleared, now */
	bool whole;    /* and so is everything else */
	uint64_t due_ns; /* when all of that goes back; 0: never */
};

struct fault_changes {
	const struct fabric *fabric;
	struct fault_change *items;
	size_t count, room;
};

/* One that is to be as it is now, but for what the caller makes of its spec. */
int fault_changes_add(struct fault_changes *changes, const struct fault_at *at,
		      struct fault_change **change, struct why *why);
/* cause: why it changes, if by itself; NULL: somebody asked. */
int fault_changes_apply(struct fault_changes *changes, const char *cause,
			struct why *why);
void fault_changes_free(struct fault_changes *changes);

/* As the topology file has it; lent.  A pair has nothing there. */
struct fault_spec *fault_planned(const struct fabric *fabric, const struct fault_at *at);
/* The rules of the direction that know when they end are tidied up then.  -ENOSPC,
 * -ENOMEM: those that could not be watched just end. */
int fault_watch_rules(const struct fabric *fabric, const struct fault_at *at, struct why *why);

#endif
