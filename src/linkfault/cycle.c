/* SPDX-License-Identifier: MIT */
#include "linkfault/cycle.h"

#include "base/draw.h"
#include "linkfault/quantile.h"

static bool fixed(const struct fault_cycle *cycle, uint64_t now_ns, uint64_t *change_ns)
{
	uint64_t whole = cycle->on_ns + cycle->off_ns;
	uint64_t at = (now_ns % whole + cycle->phase_ns % whole) % whole;
	bool on = at < cycle->on_ns;

	*change_ns = now_ns - at + (on ? cycle->on_ns : whole);
	return on;
}

bool cycle_is_on(const struct fault_cycle *cycle, struct fault_cycle_state *state,
		 uint64_t key, uint64_t now_ns, uint64_t *change_ns)
{
	if (!cycle->random)
		return fixed(cycle, now_ns, change_ns);
	if (!state->begun) {
		state->begun = true;
		state->end_ns = quantile_exponential_ns(cycle->on_ns,
							draw_bits(key, 0, LANE_CYCLE_ON));
	}
	while (state->end_ns <= now_ns) {
		bool on = ++state->n % 2 == 0;

		state->end_ns += quantile_exponential_ns(
			on ? cycle->on_ns : cycle->off_ns,
			draw_bits(key, state->n, on ? LANE_CYCLE_ON : LANE_CYCLE_OFF));
	}
	*change_ns = state->end_ns;
	return state->n % 2 == 0;
}
