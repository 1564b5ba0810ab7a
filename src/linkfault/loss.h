/* SPDX-License-Identifier: MIT */
/* loss.h - the loss models
 *
 *	random   lost iff u < p
 *	gemodel  Gilbert-Elliott, as netem has it: two draws a frame; good: with p to
 *	         bad; bad: with r to good; lost with 1-k in good, 1-h in bad, where the
 *	         state is the one before the transition
 *	state    four states (Salsano et al., "Definition of a general and intuitive
 *	         loss model", as in netem): 1 good, 2 good within a burst, 3 lost
 *	         within a burst, 4 lost alone; one draw; lost iff the new state is 3, 4
 *	listed   lost iff its number is on the list
 *	every    lost iff it is the n-th, 2n-th, ...
 *
 * Errors:  none.
 * Threads: pure but for *state.
 */
#ifndef NL_LINKFAULT_LOSS_H
#define NL_LINKFAULT_LOSS_H

#include "linkfault/chance.h"
#include "linkfault/note.h"

/* number: the frame's, among those that the rule is for.  True: lost, and why. */
bool fault_loses(const struct fault_rule *rule, struct fault_rule_state *state,
		 struct fault_dice dice, uint64_t number, struct fault_note *why);

#endif
