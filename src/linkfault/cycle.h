/* SPDX-License-Identifier: MIT */
/* cycle.h - on and off, as time goes by
 *
 * Fixed: on for on_ns, off for off_ns, and so on, phase_ns into it at time 0.
 * Random: a Markov chain with two states; the n-th period is a keyed draw from the
 * exponential distribution of its mean, so the state at a time depends on key and
 * time only, not on the frames that came.  In the long run on for
 * on_ns / (on_ns + off_ns) of the time.
 *
 * Errors:  none.
 * Units:   nanoseconds of lab time.
 * Threads: pure but for *state.
 */
#ifndef NL_LINKFAULT_CYCLE_H
#define NL_LINKFAULT_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "linkfault/fault_state.h"

/* Is it on at now_ns, which never goes back?  *change_ns: until when. */
bool cycle_is_on(const struct fault_cycle *cycle, struct fault_cycle_state *state,
		 uint64_t key, uint64_t now_ns, uint64_t *change_ns);

#endif
