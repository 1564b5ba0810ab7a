/* SPDX-License-Identifier: MIT */
/* suggestion.h - "did you mean ...?"
 *
 * The word that is fewest edits away (insert, delete, replace, swap neighbours),
 * if that is near enough to be a slip of the fingers: one edit in up to four
 * letters, two in up to eight, three beyond; letter case counts for nothing.
 *
 * Errors: none; NULL means nothing is near.  Threads: pure.
 */
#ifndef NL_BASE_SUGGESTION_H
#define NL_BASE_SUGGESTION_H

#include <stddef.h>

/* words ends with NULL.  Returns one of words or NULL. */
const char *suggestion_word(const char *typed, const char *const *words);

/* The same for a growing choice: keeps the best of what it has been shown. */
struct suggestion {
	const char *typed;
	const char *best;
	unsigned distance; /* of best */
};

void suggestion_start(struct suggestion *near, const char *typed);
void suggestion_offer(struct suggestion *near, const char *word);

#endif
