/* SPDX-License-Identifier: MIT */
#include "clock/guest_clock.h"

#include "base/check.h"

typedef unsigned __int128 wide;

void guest_clock_start(struct guest_clock *clock, uint64_t lab_ns)
{
	clock->lab_base_ns = lab_ns;
	clock->guest_base_ns = 0;
}

void guest_clock_set_rate(struct guest_clock *clock, uint64_t lab_ns, uint32_t rate_ppb)
{
	ASSERT(rate_ppb <= GUEST_CLOCK_RATE_MAX);
	/* Before it begins there is nothing to keep. */
	if (lab_ns > clock->lab_base_ns) {
		clock->guest_base_ns = guest_clock_at(clock, lab_ns);
		clock->lab_base_ns = lab_ns;
	}
	clock->rate_ppb = rate_ppb;
}

uint64_t guest_clock_at(const struct guest_clock *clock, uint64_t lab_ns)
{
	wide passed;

	if (lab_ns <= clock->lab_base_ns)
		return clock->guest_base_ns;
	passed = (wide)(lab_ns - clock->lab_base_ns) * clock->rate_ppb /
			 GUEST_CLOCK_RATE_ONE +
		 clock->guest_base_ns;
	return passed < INT64_MAX ? (uint64_t)passed : INT64_MAX;
}

uint64_t guest_clock_lab_ns(const struct guest_clock *clock, uint64_t guest_ns)
{
	wide ns;

	if (guest_ns <= clock->guest_base_ns)
		return clock->lab_base_ns;
	if (!clock->rate_ppb)
		return GUEST_CLOCK_NEVER;
	/* floor(x) >= n if and only if x >= n: the smallest such x, rounded up. */
	ns = (wide)(guest_ns - clock->guest_base_ns) * GUEST_CLOCK_RATE_ONE;
	ns = (ns + clock->rate_ppb - 1) / clock->rate_ppb + clock->lab_base_ns;
	return ns < INT64_MAX ? (uint64_t)ns : GUEST_CLOCK_NEVER;
}
