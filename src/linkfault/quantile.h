/* SPDX-License-Identifier: MIT */
/* quantile.h - a uniform draw made into a normal, exponential or Pareto one
 *
 * By the quantile function, from a table with linear interpolation: integers only,
 * so a draw has the same value on each machine.  Mean 0, standard deviation 1, in
 * units of 2^-16.  scripts/quantiles makes the tables and says how they are cut;
 * beyond a tail of 2^-25 a distribution goes no further (normal: 5.4 standard
 * deviations; Pareto, shape 3: 372).
 *
 * Errors:  none.
 * Threads: pure.
 */
#ifndef NL_LINKFAULT_QUANTILE_H
#define NL_LINKFAULT_QUANTILE_H

#include <stdint.h>

enum {
	QUANTILE_CELLS_LOG2 = 5, /* to an octave */
	QUANTILE_OCTAVES = 24,
	QUANTILE_POINTS = (QUANTILE_OCTAVES << QUANTILE_CELLS_LOG2) + 1,
	QUANTILE_FIRST_LOG2 = 39, /* the smallest tail is 2^39 / 2^64 */
	QUANTILE_ONE = 1 << 16,	  /* a standard deviation */
};

struct quantiles {
	int32_t lower[QUANTILE_POINTS], upper[QUANTILE_POINTS];
};

extern const struct quantiles quantiles_normal, quantiles_exponential, quantiles_pareto;

/* bits: 64 uniform ones. */
int32_t quantile(const struct quantiles *table, uint64_t bits);
/* A time of an exponential distribution with that mean, at least 1 ns. */
uint64_t quantile_exponential_ns(uint64_t mean_ns, uint64_t bits);

#endif
