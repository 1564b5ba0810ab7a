/* SPDX-License-Identifier: MIT */
/* draw.h - the only source of chance in netlab
 *
 * There is no generator and no state.  A draw is a 64-bit hash of
 *
 *	key    who asks: the lab's seed mixed with a name (a link's direction, a
 *	       generator of the topology, a node)
 *	n      for the how-manieth thing: the frame's number, the pair's index
 *	lane   which decision about it: LANE_LOSS, LANE_JITTER, ...
 *
 * so adding a link, a fault or a decision never changes the outcome of another.
 *
 * Lanes are append-only: their numbers are part of what a recorded seed means.
 *
 * The hash is two rounds of the 64-bit finaliser of MurmurHash3 with the
 * constants of Stafford's variant 13 (as used in SplitMix64: Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators", 2014); names are folded in
 * with FNV-1a.
 *
 * Errors: none.  Threads: pure, but for draw_watch(): one.
 */
#ifndef NL_BASE_DRAW_H
#define NL_BASE_DRAW_H

#include <stdint.h>

enum draw_lane {
	LANE_LOSS = 1,	   /* is this frame lost? */
	LANE_JITTER = 2,   /* how much later or earlier than the delay? */
	LANE_TOPOLOGY = 3, /* random pattern generator */
	LANE_MAC = 4,	   /* derived hardware addresses */
	LANE_SEED = 5,	   /* a node's own seed */
	/* Link faults: docs/faults.md says what each one decides. */
	LANE_LOSS_AGAIN = 6, /* the draw of the frame before, once more? */
	LANE_LOSS_STATE = 7, /* does the chain change its state? */
	LANE_DUPLICATE = 8,
	LANE_DUPLICATE_AGAIN = 9,
	LANE_CORRUPT = 10,
	LANE_CORRUPT_AGAIN = 11,
	LANE_CORRUPT_BIT = 12, /* which bit? */
	LANE_REORDER = 13,
	LANE_REORDER_AGAIN = 14,
	LANE_JITTER_AGAIN = 15,
	LANE_JITTER_SECOND = 16, /* of distributions that take two draws */
	LANE_REPLAY = 17,
	LANE_MATCH = 18,    /* does the rule apply to this frame? */
	LANE_CYCLE_ON = 19, /* how long is the n-th period on? */
	LANE_CYCLE_OFF = 20,
	LANE_SLOT = 21, /* how long until the n-th slot? */
	LANE_RED = 22,
	LANE_OVERFLOW = 23,   /* which one of those that wait? */
	LANE_STATE_TIME = 24, /* how long is the n-th state of a link? */
	LANE_STATE_NEXT = 25, /* and which is it? */
	LANE_SLOT_JITTER = 26,
	LANE_PARTITION_ORDER = 64, /* in which order are its nodes dealt out? */
	LANE_PARTITION_KIND = 65,  /* what does a random partition do this time? */
	LANE_PARTITION_WAY = 66,   /* both ways, or one? */
	LANE_PARTITION_TIME = 67,  /* how long does that last? */
	/* 96 was that of an entropy device. */
};

/* The key of a name under a seed.  name is borrowed for the call. */
uint64_t draw_key(uint64_t seed, const char *name);

/* "loss", "jitter", ...; "?" for a number that is no lane. */
const char *draw_lane_name(enum draw_lane lane);

/* Have each draw shown as it is made, for who explains a decision; fn NULL ends it.
 * Draws are what they are all the same. */
typedef void draw_seen_fn(void *ctx, uint64_t key, uint64_t n, enum draw_lane lane,
			  uint64_t bits);
void draw_watch(draw_seen_fn *fn, void *ctx);

/* 64 uniform bits. */
uint64_t draw_bits(uint64_t key, uint64_t n, enum draw_lane lane);

/* A uniform integer in [0, bound).  bound > 0. */
uint64_t draw_below(uint64_t key, uint64_t n, enum draw_lane lane, uint64_t bound);

#endif
