/* SPDX-License-Identifier: MIT */
/* fault_target.h - which directions a word of the user's means
 *
 *	backup			both directions of the link of that name
 *	lan			the network: each member's direction into it
 *	n1->n2			from n1 to n2: each link between the two, and on each
 *				network that both are members of, the frames from
 *				the one to the other (a *pair*)
 *	n1--n2			the same, both ways
 *	n1->lan, lan->n1	n1's own link to the network, one direction
 *	backup n1->n2		as above, but only that link or network: the name
 *				that `fault ls` prints for a direction
 *
 * An end is a node, NODE:INTERFACE or a network.
 *
 * Pure: a function of the plan and the text.
 *
 * Errors:    -ENOENT or -EINVAL; *why says what there is instead.
 * Ownership: fault_target_free().
 */
#ifndef NL_FABRIC_FAULT_TARGET_H
#define NL_FABRIC_FAULT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

/* One direction of a link, or one pair of members of a segment. */
struct fault_at {
	bool pair;
	uint32_t link;		       /* !pair */
	int dir;		       /* !pair: DIR_AB, DIR_BA */
	uint32_t segment;	       /* pair */
	struct plan_endpoint from, to; /* pair */
};

struct fault_target {
	struct fault_at *at; /* each once, in the plan's order */
	size_t count;
	bool network; /* a whole network was named: "down" goes both ways */
};

enum {
	FAULT_TARGET_BYTES_MAX = 256,
	FAULT_NAME_BYTES_MAX = 256,
};

int fault_target_resolve(struct fault_target *out, const struct plan *plan,
			 const char *text, struct why *why);
void fault_target_free(struct fault_target *target);
bool fault_at_equal(const struct fault_at *a, const struct fault_at *b);

/* "backup n1->n2"; for a pair "lan n1->n2". */
void fault_at_name(char name[FAULT_NAME_BYTES_MAX], const struct plan *plan,
		   const struct fault_at *at);
/* The link's or the network's own name. */
const char *fault_at_wire(const struct plan *plan, const struct fault_at *at);

#endif
