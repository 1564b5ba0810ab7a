/* SPDX-License-Identifier: MIT */
/* talkers.h - which links carry most of late
 *
 * Where virtual time hardly passes because machines talk without end (a loop of bridges,
 * at one instant after the other), that is what one wants to know.  Looks at the frames of
 * each link since the last look, both ways together:
 *
 *	31200 frames in 0.000412 s: b1--b2 10411, b2--b3 10402, b1--b3 10387
 *
 * Errors:    creation: -ENOMEM.
 * Ownership: the plan is borrowed.
 * Units:     lab time in nanoseconds.
 * Threads:   pure.
 */
#ifndef NL_FABRIC_TALKERS_H
#define NL_FABRIC_TALKERS_H

#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

struct talkers;

enum { TALKERS_TEXT_BYTES = 320 };

int talkers_create(struct talkers **out, const struct plan *plan, struct why *why);
void talkers_destroy(struct talkers *talkers); /* NULL does nothing */

/* frames: of each link from the beginning.  Returns how many there were since the last
 * look, and says in text (may be NULL) which links had most; "" if there were none. */
uint64_t talkers_look(struct talkers *talkers, const uint64_t *frames, uint64_t now_ns,
		      char text[TALKERS_TEXT_BYTES]);

#endif
