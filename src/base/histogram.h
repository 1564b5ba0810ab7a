/* SPDX-License-Identifier: MIT */
/* histogram.h - how often which number came, to about six per cent
 *
 * Log-linear: each power of two has HISTOGRAM_STEPS equal buckets, so a number is known
 * to 1 / HISTOGRAM_STEPS of itself, whatever its size, and counting costs a shift and an
 * addition.  Quantiles are upper ends of buckets: never smaller than the real ones.
 *
 * Errors:  none.  Ownership: plain data; all zero is empty.  Threads: one.
 */
#ifndef NL_BASE_HISTOGRAM_H
#define NL_BASE_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_STEPS = 16, /* a power of two */
	HISTOGRAM_OCTAVES = 40,
	HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * HISTOGRAM_OCTAVES,
};

struct histogram {
	uint64_t count, sum, most;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);
/* The value that `permille` of 1000 are not above; 0: it is empty. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille);

#endif
