/* SPDX-License-Identifier: MIT */
/* expectation.h - what a fault would do in the long run, and how far a count may be off
 *
 * A share of frames is a mean of zeros and ones that may depend on one another.  Of n of
 * them the mean has the variance n^-1 v; as many independent ones as n p (1 - p) / v have
 * the same (*effective*, of each).  For
 *
 *   a repeated draw (correlation rho)   v = p (1 - p) (1 + rho) / (1 - rho)
 *   a chain with the steps P and the chance h of a loss in each state:
 *       pi = pi P;  p = pi h;  (I - P) g = h - p, pi g = 0        (Poisson's equation)
 *       v = sum pi (h - p) (2 g - (h - p)) + sum pi h (1 - h)
 *     and, since it begins in a certain state s and not in pi, g(s) frames more
 *
 * (Kemeny and Snell, "Finite Markov Chains", 1960, chapter 4).
 *
 * Errors:    false: nothing is known.
 * Ownership: nothing is kept.
 * Threads:   pure.
 */
#ifndef NL_FABRIC_EXPECTATION_H
#define NL_FABRIC_EXPECTATION_H

#include <stdbool.h>

#include "linkfault/rule.h"

struct expected_share {
	double p;
	double effective; /* independent frames in each */
	double start;	  /* frames more, or fewer, for where it begins */
};

/* Of frames that are lost by the rule's loss model. */
bool expected_loss(struct expected_share *out, const struct fault_rule *rule);
/* Of a chance with its correlation. */
struct expected_share expected_chance(struct fault_chance chance);

/* The time that a frame with a delay above zero is on its way, and its deviation; rule:
 * with a delay and nothing else that it waits for.  frames: how many there were; of
 * distributions with heavy tails a mean says nothing before there are many. */
bool expected_delay(double *mean_ns, double *deviation_ns, double *effective,
		    const struct fault_rule *rule, uint64_t frames);

#endif
