/* SPDX-License-Identifier: MIT */
#include "linkfault/delay.h"

#include "base/check.h"
#include "linkfault/quantile.h"

enum { TABLE_ONE = 8192 }; /* netem's NETEM_DIST_SCALE */

/* (normal + 3 pareto) / sqrt(1 + 9), so that its standard deviation is 1.
 * 20724 = 2^16 / sqrt(10). */
static int64_t paretonormal(uint64_t first, uint64_t second)
{
	int64_t sum = (int64_t)quantile(&quantiles_normal, second) +
		      3 * (int64_t)quantile(&quantiles_pareto, first);

	return sum * 20724 / QUANTILE_ONE;
}

/* x * jitter, x in units of 1 / one. */
static int64_t scale(int64_t x, int64_t jitter_ns, int64_t one)
{
	__int128 product = (__int128)x * jitter_ns;

	/* Rounded down, below zero too. */
	return (int64_t)((product - (product < 0 ? one - 1 : 0)) / one);
}

int64_t fault_spread_ns(enum fault_distribution distribution, uint64_t width_ns,
			const struct fault_data *table, uint64_t bits)
{
	int64_t jitter_ns = (int64_t)width_ns;

	switch (distribution) {
	case DIST_UNIFORM:
		return (int64_t)bits_below(bits, 2 * width_ns + 1) - jitter_ns;
	case DIST_NORMAL:
		return scale(quantile(&quantiles_normal, bits), jitter_ns, QUANTILE_ONE);
	case DIST_PARETO:
		return scale(quantile(&quantiles_pareto, bits), jitter_ns, QUANTILE_ONE);
	case DIST_PARETONORMAL:
		return scale(paretonormal(bits, draw_bits(bits, 0, LANE_JITTER_SECOND)),
			     jitter_ns, QUANTILE_ONE);
	case DIST_EXPONENTIAL:
		return scale(quantile(&quantiles_exponential, bits), jitter_ns,
			     QUANTILE_ONE);
	case DIST_TABLE:
		return scale(table->value[bits_below(bits, table->count)], jitter_ns,
			     TABLE_ONE);
	case DIST_SAMPLES:
		return table->value[bits_below(bits, table->count)];
	case DIST_TRACE:
		break;
	}
	ASSERT(false);
	return 0;
}

uint64_t fault_delay_ns(const struct fault_rule *rule, struct fault_rule_state *state,
			struct fault_dice dice, uint64_t number)
{
	int64_t ns = (int64_t)rule->delay_ns;

	if (rule->distribution == DIST_TRACE)
		ns += rule->table->value[(number - state->trace_from) %
					 rule->table->count];
	else if (rule->jitter_ns || rule->distribution == DIST_SAMPLES)
		ns += fault_spread_ns(
			rule->distribution, rule->jitter_ns, rule->table,
			dice_bits_again(dice, LANE_JITTER, LANE_JITTER_AGAIN,
					rule->jitter_rho_ppb, &state->jitter));
	return ns < 0 ? 0 : (uint64_t)ns;
}

bool fault_reorders(const struct fault_rule *rule, struct fault_rule_state *state,
		    struct fault_dice dice)
{
	uint32_t gap = rule->gap ? rule->gap : 1;

	/* As netem: at most one in gap, and then by chance. */
	if (state->since_reorder < gap - 1 ||
	    !chance_yes(rule->reorder, dice, LANE_REORDER, LANE_REORDER_AGAIN,
			&state->reorder)) {
		state->since_reorder++;
		return false;
	}
	state->since_reorder = 0;
	return true;
}
