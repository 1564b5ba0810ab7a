/* SPDX-License-Identifier: MIT */
#include "linkfault/quantile.h"

#include <stdbool.h>

int32_t quantile(const struct quantiles *table, uint64_t bits)
{
	bool upper = bits >> 63;
	const int32_t *value = upper ? table->upper : table->lower;
	uint64_t tail = upper ? ~bits : bits; /* below 2^63 */
	unsigned log2, shift, i;
	int64_t part;

	if (tail >> QUANTILE_FIRST_LOG2 == 0)
		return value[0];
	log2 = 63 - (unsigned)__builtin_clzll(tail);
	shift = log2 - QUANTILE_CELLS_LOG2; /* a cell is 2^shift wide here */
	i = ((log2 - QUANTILE_FIRST_LOG2) << QUANTILE_CELLS_LOG2) +
	    (unsigned)(tail >> shift & ((1 << QUANTILE_CELLS_LOG2) - 1));
	part = (int64_t)(tail << (64 - shift) >> 32); /* of the cell, in 2^-32 */
	return value[i] + (int32_t)(((int64_t)value[i + 1] - value[i]) * part >> 32);
}

uint64_t quantile_exponential_ns(uint64_t mean_ns, uint64_t bits)
{
	/* Standardised: mean 0, standard deviation 1. */
	int64_t x = QUANTILE_ONE + (int64_t)quantile(&quantiles_exponential, bits);

	if (x < 1)
		x = 1;
	return (uint64_t)((unsigned __int128)mean_ns * (uint64_t)x >> 16) + 1;
}
