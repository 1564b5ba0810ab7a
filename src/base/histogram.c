/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

#include "base/check.h"

/* The first two octaves' worth are exact; then each power of two has its steps. */
static unsigned bucket_of(uint64_t value)
{
	unsigned octave, bucket;

	if (value < HISTOGRAM_STEPS)
		return (unsigned)value;
	octave = 63u - (unsigned)__builtin_clzll(value);
	bucket = (octave - 3) * HISTOGRAM_STEPS +
		 (unsigned)(value >> (octave - 4) & (HISTOGRAM_STEPS - 1));
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t end_of(unsigned bucket)
{
	unsigned octave = bucket / HISTOGRAM_STEPS + 3, step = bucket % HISTOGRAM_STEPS;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	return ((uint64_t)(HISTOGRAM_STEPS + step + 1) << (octave - 4)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->sum += value;
	if (value > histogram->most)
		histogram->most = value;
	histogram->buckets[bucket_of(value)]++;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
	uint64_t below = 0, wanted = (histogram->count * permille + 999) / 1000;

	ASSERT(permille <= 1000);
	for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
		below += histogram->buckets[b];
		if (below >= wanted && below > 0)
			return end_of(b) < histogram->most ? end_of(b) : histogram->most;
	}
	return histogram->most;
}
