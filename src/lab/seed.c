/* SPDX-License-Identifier: MIT */
#include "lab/seed.h"

#include <errno.h>
#include <sys/random.h>

#define SEED_MASK ((UINT64_C(1) << 53) - 1)

int seed_draw(uint64_t *seed, struct why *why)
{
	uint64_t drawn;

	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		return why_errno(why, -errno, "seed: getrandom");
	*seed = drawn & SEED_MASK;
	return 0;
}
