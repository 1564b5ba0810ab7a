/* SPDX-License-Identifier: MIT */
/* whole.h - is what a run directory holds all that happened?
 *
 * A disk that is full or gone takes a part of a file, or nothing of it.  What is missing
 * then must not look like what never happened.  Told by:
 *
 *	"incomplete": "the disk is full"	in digest.json or in an entry of the journal:
 *						the lab knew, and had room to say so
 *	a journal that ends within an entry, or whose numbers have a gap
 *	digest.json, which counts more than there is, or is not there though the lab came
 *						to its end
 *
 * Given the journal's lines in order, whole_line() says how far they can be relied on:
 * what was done to the lab after a gap is not known.
 *
 * Ownership: a plain value, all-zero at first.
 * Units:     lab time in nanoseconds.
 * Threads:   pure.
 */
#ifndef NL_RUN_WHOLE_H
#define NL_RUN_WHOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

struct whole {
	struct why why;	   /* what is missing first; "": nothing that could be seen */
	bool gap;	   /* in the journal: lines after it do not count */
	uint64_t next;	   /* the number of the next entry */
	uint64_t until_ns; /* all that happened until then is there */
};

/* A line of the journal; ended: it has its newline.  False: it is beyond a gap. */
bool whole_line(struct whole *whole, const char *line, bool ended);
/* digest.json, or NULL. */
void whole_digest(struct whole *whole, const json_t *digest);
/* Something else is missing. */
void whole_lacks(struct whole *whole, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline bool whole_is(const struct whole *whole)
{
	return !*whole->why.text;
}

#endif
