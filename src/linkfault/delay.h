/* SPDX-License-Identifier: MIT */
/* delay.h - how long a frame is on its way
 *
 *	uniform        delay + uniform in [-jitter, +jitter]
 *	normal, pareto, paretonormal, exponential, table
 *	               delay + jitter * x, x of mean 0 and standard deviation 1
 *	samples        delay + one of the file's times, each as likely as another
 *	trace          delay + the file's times in turn, from the top again at its end
 *
 * pareto has shape 3; paretonormal is a quarter of a normal and three of a Pareto
 * draw, divided by its own standard deviation; exponential is x = e - 1 with mean(e)
 * = 1.  What would be below zero is zero: nothing arrives before it was sent.
 *
 * Errors:  none.
 * Threads: pure but for *state.
 */
#ifndef NL_LINKFAULT_DELAY_H
#define NL_LINKFAULT_DELAY_H

#include "linkfault/chance.h"

/* What is added to a mean: by the distribution, of that jitter, from 64 uniform bits.
 * Not of a trace. */
int64_t fault_spread_ns(enum fault_distribution distribution, uint64_t jitter_ns,
			const struct fault_data *table, uint64_t bits);
/* number: the frame's, among those that the rule is for. */
uint64_t fault_delay_ns(const struct fault_rule *rule, struct fault_rule_state *state,
			struct fault_dice dice, uint64_t number);
/* Does the frame jump the delay? */
bool fault_reorders(const struct fault_rule *rule, struct fault_rule_state *state,
		    struct fault_dice dice);

#endif
