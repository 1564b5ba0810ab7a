/* SPDX-License-Identifier: MIT */
#include "init/timekeep.h"

#include <errno.h>
#include <sys/timex.h>

enum { TICK_US = 10000, PPB_PER_TICK_US = 100000 };

static int adjust(struct timex *how, struct why *why)
{
	return adjtimex(how) < 0 ? why_errno(why, -errno, "adjtimex") : 0;
}

int timekeep_step(int64_t ns, struct why *why)
{
	const int64_t ns_per_s = 1000000000;
	struct timex step = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	struct timex micro = { .modes = ADJ_MICRO };
	int err;

	step.time.tv_sec = ns / ns_per_s;
	step.time.tv_usec = ns % ns_per_s; /* nanoseconds, as ADJ_NANO says */
	if (step.time.tv_usec < 0) {
		step.time.tv_sec--;
		step.time.tv_usec += ns_per_s;
	}
	err = adjust(&step, why);
	/* The unit stays, for all who ask later. */
	return err ? err : adjust(&micro, why);
}

void timekeep_split(int64_t ppb, long *tick_us, long *frequency)
{
	int64_t half = ppb < 0 ? -PPB_PER_TICK_US / 2 : PPB_PER_TICK_US / 2;
	int64_t ticks = (ppb + half) / PPB_PER_TICK_US;

	*tick_us = TICK_US + ticks;
	*frequency = (ppb - ticks * PPB_PER_TICK_US) * 65536 / 1000;
}

int timekeep_drift(int64_t ppb, struct why *why)
{
	struct timex drift = { .modes = ADJ_TICK | ADJ_FREQUENCY };

	timekeep_split(ppb, &drift.tick, &drift.freq);
	return adjust(&drift, why);
}
