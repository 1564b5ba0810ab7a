/* SPDX-License-Identifier: MIT */
/* fault_deadlines.h - faults that are only for a while
 *
 * What `fault set … for=30s` changed goes back when its time has come, in lab time:
 * a key of a link's own rule to what the topology file says, a rule of "faults"
 * away.  (A rule also knows by itself when it is over, to the frame; here it is
 * tidied up, and the journal told.)
 *
 * Errors:    0 or -errno with *why.
 * Ownership: texts are copied.
 * Threads:   the loop's.
 */
#ifndef NL_LAB_FAULT_DEADLINES_H
#define NL_LAB_FAULT_DEADLINES_H

#include <jansson.h>

#include "clock/clock.h"
#include "lab/faults.h"
#include "linkfault/rule.h"

enum { FAULT_DEADLINES_MAX = 65536, FAULT_KEY_BYTES = 24 };

/* What is to go: a rule (key ""), or a key of the link's own rule (rule ""). */
struct fault_deadline {
	struct fault_at at;
	char rule[FAULT_NAME_BYTES], key[FAULT_KEY_BYTES];
	uint64_t due_ns;
};

struct fault_deadlines;

/* over() is called with what is due, all of a direction's together. */
int fault_deadlines_create(struct fault_deadlines **out, struct clock *clock,
			   void (*over)(void *ctx, const struct fault_deadline *due,
					size_t count),
			   void *ctx, struct why *why);
void fault_deadlines_destroy(struct fault_deadlines *deadlines); /* NULL is nothing */

/* Set, or set anew.  due_ns 0: there is none any more. */
int fault_deadlines_set(struct fault_deadlines *deadlines, const struct fault_at *at,
			const char *rule, const char *key, uint64_t due_ns,
			struct why *why);
/* The direction has none any more. */
void fault_deadlines_forget(struct fault_deadlines *deadlines, const struct fault_at *at);
/* {"loss":"12500ms"}: lab time of each key of the own rule; NULL: none. */
json_t *fault_deadlines_json(const struct fault_deadlines *deadlines,
			     const struct fault_at *at);

#endif
