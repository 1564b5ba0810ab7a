/* SPDX-License-Identifier: MIT */
#include "machine/budget.h"

#include "clock/clock.h"

/* Whole bytes only: the time that is not yet a byte stays to come. */
static void come_back(struct budget *budget, uint64_t now_ns)
{
	uint64_t step_ns = NS_PER_S / BUDGET_BYTES_PER_S;
	uint64_t bytes = (now_ns - budget->since_ns) / step_ns;

	if (bytes >= budget->missing) {
		budget->missing = 0;
		budget->since_ns = now_ns;
	} else {
		budget->missing -= bytes;
		budget->since_ns += bytes * step_ns;
	}
}

bool budget_take(struct budget *budget, size_t bytes, uint64_t now_ns)
{
	come_back(budget, now_ns);
	if (budget->missing + bytes > BUDGET_BYTES_AT_ONCE ||
	    budget->taken + bytes > BUDGET_BYTES_IN_ALL) {
		budget->left_out++;
		return false;
	}
	budget->missing += bytes;
	budget->taken += bytes;
	return true;
}
