/* SPDX-License-Identifier: MIT */
#include "base/draw.h"

#include <stddef.h>

#include "base/check.h"
#include "base/fnv.h"

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
	uint64_t h = FNV_BASIS;

	for (const char *c = name; *c; c++)
		h = fnv_on(h, (uint8_t)*c);
	return mix(mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ h);
}

static draw_seen_fn *seen_by;
static void *seen_ctx;

void draw_watch(draw_seen_fn *fn, void *ctx)
{
	seen_by = fn;
	seen_ctx = ctx;
}

uint64_t draw_bits(uint64_t key, uint64_t n, enum draw_lane lane)
{
	uint64_t h = mix(key + (uint64_t)lane * UINT64_C(0x9e3779b97f4a7c15));
	uint64_t bits = mix(h ^ mix(n + UINT64_C(0xd1b54a32d192ed03)));

	if (__builtin_expect(seen_by != NULL, 0))
		seen_by(seen_ctx, key, n, lane, bits);
	return bits;
}

const char *draw_lane_name(enum draw_lane lane)
{
	static const char *const names[] = {
		[LANE_LOSS] = "loss",
		[LANE_JITTER] = "jitter",
		[LANE_TOPOLOGY] = "topology",
		[LANE_MAC] = "mac",
		[LANE_SEED] = "seed",
		[LANE_LOSS_AGAIN] = "loss, the last draw again",
		[LANE_LOSS_STATE] = "loss, next state",
		[LANE_DUPLICATE] = "duplicate",
		[LANE_DUPLICATE_AGAIN] = "duplicate, the last draw again",
		[LANE_CORRUPT] = "corrupt",
		[LANE_CORRUPT_AGAIN] = "corrupt, the last draw again",
		[LANE_CORRUPT_BIT] = "corrupt, which bit",
		[LANE_REORDER] = "reorder",
		[LANE_REORDER_AGAIN] = "reorder, the last draw again",
		[LANE_JITTER_AGAIN] = "jitter, the last draw again",
		[LANE_JITTER_SECOND] = "jitter, second draw",
		[LANE_REPLAY] = "replay",
		[LANE_MATCH] = "match",
		[LANE_CYCLE_ON] = "cycle, time on",
		[LANE_CYCLE_OFF] = "cycle, time off",
		[LANE_SLOT] = "slot",
		[LANE_RED] = "red",
		[LANE_OVERFLOW] = "overflow",
		[LANE_STATE_TIME] = "states, time in one",
		[LANE_STATE_NEXT] = "states, which is next",
		[LANE_SLOT_JITTER] = "slot, jitter",
		[LANE_PARTITION_ORDER] = "partition order",
		[LANE_PARTITION_KIND] = "partition kind",
		[LANE_PARTITION_WAY] = "partition way",
		[LANE_PARTITION_TIME] = "partition time",
	};
	size_t count = sizeof(names) / sizeof(names[0]);

	return (size_t)lane < count && names[lane] ? names[lane] : "?";
}

uint64_t draw_below(uint64_t key, uint64_t n, enum draw_lane lane, uint64_t bound)
{
	ASSERT(bound > 0);
	/* The high half of a 128-bit product: Lemire's reduction.  Its bias is
	 * below bound / 2^64, which no experiment here can see. */
	return (uint64_t)(((unsigned __int128)draw_bits(key, n, lane) * bound) >> 64);
}
