/* SPDX-License-Identifier: MIT */
/* passage.h - does a direction let anything pass at all?
 *
 * For who draws a map: the worst that its rules for every frame do, as they are at a
 * time.  What is for some frames only, or lost by chance, passes.
 *
 *	PASSAGE_AT_TIMES   down or all lost, but not always: flap, when, in a state
 *	PASSAGE_LOST       every frame is lost (100 %, or damaged and dropped)
 *	PASSAGE_DOWN       down
 *
 * Errors:    none.
 * Ownership: nothing is kept.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_PASSAGE_H
#define NL_LINKFAULT_PASSAGE_H

#include <stdint.h>

#include "linkfault/spec.h"

enum fault_passage { PASSAGE_OPEN, PASSAGE_AT_TIMES, PASSAGE_LOST, PASSAGE_DOWN };

/* spec NULL: a perfect wire. */
enum fault_passage fault_passage(const struct fault_spec *spec, uint64_t now_ns);

#endif
