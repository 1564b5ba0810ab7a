/* SPDX-License-Identifier: MIT */
/* fault_ops.h - what one can do to the faults of a running lab
 *
 * Each operation is of all its directions or of none: looked at as a whole, room made, then
 * done in a way that cannot fail (fault_changes.h); the journal has each change.  Clients
 * (control socket), replays and the ends of timed faults do the same ones.
 *
 *   set     words for a target, over what is there or in its place, for a while or for good
 *   clear   a target, some of its keys or one of its rules go back to what the file says
 *   over    what was for a while and is due, as the deadlines say it
 *
 * Errors:    0 or -errno with *why; then nothing has changed.  -ENOENT: no direction of
 *            the target has such a rule.
 * Ownership: orders are lent.
 * Units:     lab time in nanoseconds.
 * Threads:   the loop's.
 */
#ifndef NL_OPS_FAULT_OPS_H
#define NL_OPS_FAULT_OPS_H

#include <jansson.h>
#include <stdbool.h>

#include "fabric/fabric.h"
#include "fabric/fault_changes.h"
#include "fabric/fault_target.h"
#include "faultwords/fault_words.h"

struct fault_order {
	const struct fault_target *target;
	const json_t *words; /* an object of faultwords/fault_words.h */
	bool replace;	     /* the words are all that there is then */
	uint64_t due_ns;     /* when it goes back; 0: never */
};

/* What words refer to there. */
struct fault_context fault_ops_context(const struct fabric *fabric);

/* *made has what was set, for fault_changes_free(), whatever comes of it. */
int fault_ops_set(const struct fabric *fabric, const struct fault_order *order,
		  struct fault_changes *made, struct why *why);

/* Which part of a fault is to be cleared; all NULL: all of it. */
struct fault_part {
	const json_t *keys; /* array of texts */
	const char *rule;
};

/* target NULL: every link and every pair. */
int fault_ops_clear(const struct fabric *fabric, const struct fault_target *target,
		    const struct fault_part *part, struct why *why);

/* Both directions of every link, and every pair that has faults; for fault_target_free(). */
int fault_ops_everything(const struct fabric *fabric, struct fault_target *everything,
			 struct why *why);

/* For fault_deadlines_create(); ctx is the fabric. */
int fault_ops_over(void *ctx, const struct fault_at *at, const struct fault_end *due,
		   size_t count);
/* At the start: the rules of the topology file that have an end. */
int fault_ops_watch_plan(const struct fabric *fabric, struct why *why);

#endif
