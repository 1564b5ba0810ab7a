/* SPDX-License-Identifier: MIT */
#include "base/draw.h"

#include "base/check.h"

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

uint64_t draw_key(uint64_t seed, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (const char *c = name; *c; c++) {
		h ^= (uint8_t)*c;
		h *= UINT64_C(0x100000001b3);
	}
	return mix(mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ h);
}

uint64_t draw_bits(uint64_t key, uint64_t n, enum draw_lane lane)
{
	uint64_t h = mix(key + (uint64_t)lane * UINT64_C(0x9e3779b97f4a7c15));

	return mix(h ^ mix(n + UINT64_C(0xd1b54a32d192ed03)));
}

uint64_t draw_below(uint64_t key, uint64_t n, enum draw_lane lane, uint64_t bound)
{
	ASSERT(bound > 0);
	/* The high half of a 128-bit product: Lemire's reduction.  Its bias is
	 * below bound / 2^64, which no experiment here can see. */
	return (uint64_t)(((unsigned __int128)draw_bits(key, n, lane) * bound) >> 64);
}
