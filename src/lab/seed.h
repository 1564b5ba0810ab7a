/* SPDX-License-Identifier: MIT */
/* seed.h - a seed for a lab that was given none
 *
 * The only thing in netlab that is not a function of a seed.  It is drawn once,
 * before the lab begins, and written into the journal and the run directory.
 *
 * Errors: 0 or -errno with *why.  Threads: any.
 */
#ifndef NL_LAB_SEED_H
#define NL_LAB_SEED_H

#include <stdint.h>

#include "base/why.h"

/* Below 2^53: a whole number in every JSON reader. */
int seed_draw(uint64_t *seed, struct why *why);

#endif
