/* SPDX-License-Identifier: MIT */
/* chance.h - yes or no, with a probability, and with a memory if wanted
 *
 * Correlation: with probability rho the draw of the frame before is used again.
 * Each draw has the same distribution then, so the mean stays what was asked for;
 * two draws k frames apart are the same one with probability rho^k, which is their
 * correlation.
 *
 * Errors:  none.
 * Threads: pure but for *last.
 */
#ifndef NL_LINKFAULT_CHANCE_H
#define NL_LINKFAULT_CHANCE_H

#include "base/draw.h"
#include "linkfault/fault_state.h"

/* What a draw depends on. */
struct fault_dice {
	uint64_t key, n;
};

/* Copies of a frame draw for themselves; the frame itself, copy 0, as if there were
 * none.  key: of the direction or of the rule. */
static inline uint64_t fault_copy_key(uint64_t key, unsigned copy)
{
	return key + copy * UINT64_C(0xa0761d6478bd642f);
}

static inline uint64_t dice_bits(struct fault_dice dice, enum draw_lane lane)
{
	return draw_bits(dice.key, dice.n, lane);
}

/* A uniform integer below bound from uniform bits; as draw_below(). */
static inline uint64_t bits_below(uint64_t bits, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)bits * bound) >> 64);
}

static inline bool dice_yes(struct fault_dice dice, enum draw_lane lane, uint32_t p_ppb)
{
	return bits_below(dice_bits(dice, lane), FAULT_PPB_ALL) < p_ppb;
}

static inline uint64_t dice_bits_again(struct fault_dice dice, enum draw_lane lane,
				       enum draw_lane again, uint32_t rho_ppb,
				       struct fault_last *last)
{
	if (!rho_ppb)
		return dice_bits(dice, lane);
	if (last->drawn && dice_yes(dice, again, rho_ppb))
		return last->bits;
	last->drawn = true;
	return last->bits = dice_bits(dice, lane);
}

static inline bool chance_yes(struct fault_chance chance, struct fault_dice dice,
			      enum draw_lane lane, enum draw_lane again,
			      struct fault_last *last)
{
	uint64_t bits;

	if (!chance.p_ppb)
		return false;
	bits = dice_bits_again(dice, lane, again, chance.rho_ppb, last);
	return bits_below(bits, FAULT_PPB_ALL) < chance.p_ppb;
}

#endif
