/* SPDX-License-Identifier: MIT */
/* spec.h - all faults of one direction of a link
 *
 *	rule 0      the link's own: it is for every frame
 *	rule 1..    named; each for the frames that it matches, besides rule 0
 *
 * A spec is built rule by rule, checked, and from then on constant and shared: a
 * thousand links with the same delay have one spec.  NULL is a perfect wire.
 *
 * Errors:    -EINVAL in the words of the topology file, -ENOMEM.
 * Ownership: counted: create and copy give one reference, fault_spec_ref() another,
 *            fault_spec_free() gives one back.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_SPEC_H
#define NL_LINKFAULT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "linkfault/rule.h"

struct fault_spec {
	unsigned refs;
	uint32_t count; /* of rules, at least 1 */
	struct fault_rule rule[];
};

/* The two directions of a link. */
enum { DIR_AB, DIR_BA, DIRS };

/* A named set of fault words, of the user's own. */
struct fault_profile {
	char name[FAULT_NAME_BYTES];
	struct fault_spec *spec; /* rule 0 is it */
};

/* One that does nothing yet, with rule 0 only.  NULL: out of memory. */
struct fault_spec *fault_spec_create(void);
/* One with a copy of that rule as the link's own; NULL: out of memory. */
struct fault_spec *fault_spec_of(const struct fault_rule *rule);
/* Another one like it, that may be changed; NULL gives one that does nothing. */
struct fault_spec *fault_spec_copy(const struct fault_spec *spec);
struct fault_spec *fault_spec_ref(struct fault_spec *spec); /* NULL is nothing */
void fault_spec_free(struct fault_spec *spec);

/* The rule of that name, or NULL. */
struct fault_rule *fault_spec_rule(struct fault_spec *spec, const char *name);
/* One more rule at the end, which does nothing yet; *spec may move.  -ENOSPC: there
 * are FAULT_RULES_MAX. */
int fault_spec_add(struct fault_spec **spec, const char *name, struct fault_rule **rule,
		   struct why *why);
void fault_spec_remove(struct fault_spec *spec, const struct fault_rule *rule);

/* Is it one that a verdict exists for?  0, or -EINVAL and the reason ("jitter 5ms is
 * larger than delay 1ms"). */
int fault_spec_check(const struct fault_spec *spec, struct why *why);

/* What is allowed and most likely not meant: the n-th warning, from 0, or false when
 * there are no more. */
bool fault_spec_warning(const struct fault_spec *spec, unsigned n, struct why *why);

/* Does it leave every frame as it is, now? */
bool fault_spec_is_perfect(const struct fault_spec *spec);
/* Has it been given nothing at all, not even a limit? */
bool fault_spec_is_empty(const struct fault_spec *spec);

/* No frame is less time on its way, in real time or virtual: what may be waited for. */
uint64_t fault_spec_least_delay_ns(const struct fault_spec *spec);

/* Do frames of that rule wait in a line of its own?  A rate in a state of the link is
 * one of the link's own line. */
bool fault_spec_has_line(const struct fault_spec *spec, uint32_t index);

static inline bool fault_spec_is_down(const struct fault_spec *spec)
{
	return spec && spec->rule[0].down;
}

#endif
