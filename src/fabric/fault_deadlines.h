/* SPDX-License-Identifier: MIT */
/* fault_deadlines.h - faults that are only for a while
 *
 * What `fault set … for=30s` changed goes back to what the topology file says when its
 * time has come, in lab time: words of a link's own rule, and rules of "faults".  (A rule
 * also knows by itself when it is over, to the frame; here it is tidied up, and the
 * journal told.)
 *
 *	for a while ──its time has come──► over() ──► gone, or once more in a second
 *	     └──set or cleared again──► gone
 *
 * A change of several directions is made of all or of none: fault_deadlines_room() says
 * beforehand if there is room, and then the rest cannot fail.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: texts are copied.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_FAULT_DEADLINES_H
#define NL_FABRIC_FAULT_DEADLINES_H

#include <jansson.h>

#include "clock/clock.h"
#include "fabric/fault_target.h"
#include "linkfault/rule.h"

enum { FAULT_DEADLINES_MAX = 65536 /* directions */, FAULT_ENDS_MAX = 128 /* of one */ };

/* What is to go back: a rule, or (rule "") keys of the link's own as in fault_words.h. */
struct fault_end {
	char rule[FAULT_NAME_BYTES];
	uint64_t keys;
	uint64_t due_ns;
};

struct fault_deadlines;

/* over() is called with what of a direction is due, which has no end any more; it may
 * change deadlines.  Not 0: it could not be done now, and it has changed none. */
int fault_deadlines_create(struct fault_deadlines **out, struct clock *clock,
			   int (*over)(void *ctx, const struct fault_at *at,
				       const struct fault_end *due, size_t count),
			   void *ctx, struct why *why);
void fault_deadlines_destroy(struct fault_deadlines *deadlines); /* NULL is nothing */

/* Make room for `more` ends of the direction; fault_deadlines_tidy() when they have been
 * added, or will not be. */
int fault_deadlines_room(struct fault_deadlines *deadlines, const struct fault_at *at,
			 size_t more, struct why *why);
void fault_deadlines_tidy(struct fault_deadlines *deadlines, const struct fault_at *at);
/* One more; there is room.  These and the ones below: then fault_deadlines_tidy(). */
void fault_deadlines_add(struct fault_deadlines *deadlines, const struct fault_at *at,
			 const struct fault_end *end);
/* The keys, the rule, or all of the direction have none any more. */
void fault_deadlines_drop_keys(struct fault_deadlines *deadlines,
			       const struct fault_at *at, uint64_t keys);
void fault_deadlines_drop_rule(struct fault_deadlines *deadlines,
			       const struct fault_at *at, const char *rule);
void fault_deadlines_forget(struct fault_deadlines *deadlines, const struct fault_at *at);

/* {"loss":"12500ms"}: lab time of each key of the own rule; NULL: none.  Of what ends as
 * a whole, only the keys that the fault has, or "all". */
json_t *fault_deadlines_json(const struct fault_deadlines *deadlines,
			     const struct fault_at *at, const json_t *fault);

#endif
