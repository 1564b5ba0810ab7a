/* SPDX-License-Identifier: MIT */
#include "linkfault/loss.h"

#include "base/check.h"

static struct fault_note note(enum fault_note_kind kind, uint64_t value)
{
	return (struct fault_note){ .kind = (uint8_t)kind,
				    .a = (uint32_t)value,
				    .b = (uint32_t)(value >> 32) };
}

static bool gemodel(const uint32_t p_ppb[5], struct fault_rule_state *state,
		    struct fault_dice dice, struct fault_note *why)
{
	bool bad = state->chain;

	if (dice_yes(dice, LANE_LOSS_STATE, p_ppb[bad ? 1 : 0]))
		state->chain = !bad;
	*why = note(bad ? NOTE_LOST_BAD : NOTE_LOST_GOOD, 0);
	return dice_yes(dice, LANE_LOSS, p_ppb[bad ? 2 : 3]);
}

/* p_ppb: p13 p31 p32 p23 p14. */
static uint8_t next_state(const uint32_t p_ppb[5], uint8_t from, uint64_t u)
{
	switch (from) {
	case 2:
		return u < p_ppb[3] ? 3 : 2;
	case 3:
		if (u < p_ppb[2])
			return 2;
		return u < (uint64_t)p_ppb[1] + p_ppb[2] ? 1 : 3;
	case 4:
		return 1;
	default:
		if (u < p_ppb[4])
			return 4;
		return u < (uint64_t)p_ppb[0] + p_ppb[4] ? 3 : 1;
	}
}

bool fault_loses(const struct fault_rule *rule, struct fault_rule_state *state,
		 struct fault_dice dice, uint64_t number, struct fault_note *why)
{
	number -= state->loss_from;
	switch (rule->loss_model) {
	case LOSS_RANDOM:
		*why = note(NOTE_LOST_RANDOM, 0);
		return chance_yes(rule->loss, dice, LANE_LOSS, LANE_LOSS_AGAIN,
				  &state->loss);
	case LOSS_GEMODEL:
		return gemodel(rule->loss_p_ppb, state, dice, why);
	case LOSS_STATE:
		state->chain =
			next_state(rule->loss_p_ppb, state->chain,
				   bits_below(dice_bits(dice, LANE_LOSS), FAULT_PPB_ALL));
		*why = note(NOTE_LOST_STATE, state->chain);
		return state->chain >= 3;
	case LOSS_LISTED:
		*why = note(NOTE_LOST_LISTED, number);
		return fault_data_has(rule->loss_list, number);
	case LOSS_EVERY:
		*why = note(NOTE_LOST_EVERY, rule->loss_every);
		return (number + 1) % rule->loss_every == 0;
	}
	ASSERT(false);
	return false;
}
