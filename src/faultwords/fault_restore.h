/* SPDX-License-Identifier: MIT */
/* fault_restore.h - parts of a fault put back to what they were in another one
 *
 * What was set for a while, or is cleared, goes back to what the topology file says:
 * words of the link's own rule, rules of "faults" by name.  A rule that the file has not
 * goes away; one that it has comes back in its place.  Nothing is read anew: what a word
 * took from a file is taken as it was.
 *
 * Errors:    as fault_words.h; what was to be changed is unchanged then.
 * Ownership: as fault_words.h.
 * Threads:   pure.
 */
#ifndef NL_FAULTWORDS_FAULT_RESTORE_H
#define NL_FAULTWORDS_FAULT_RESTORE_H

#include "faultwords/fault_words.h"

struct fault_restore {
	const struct fault_spec *from; /* NULL: a perfect wire */
	uint64_t now_ns;	       /* its rules that are over by then are gone */
	uint64_t keys;		       /* of the link's own rule */
	const char *rules[2 * FAULT_RULES_MAX];
	size_t rule_count;
	/* What cannot be without what goes, goes, too (a jitter, if its delay does):
	 * then there is no error but -ENOMEM.  Set: it was so. */
	bool with_needs, took_more;
};

/* *spec as in fault_words_from_json(). */
int fault_restore(struct fault_spec **spec, struct fault_restore *what, struct why *why);

/* Is the rule of that name the same in both? */
bool fault_restore_is_same(const struct fault_spec *a, const struct fault_spec *b,
			   const char *rule);

#endif
