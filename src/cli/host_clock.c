/* SPDX-License-Identifier: MIT */
#include "cli/host_clock.h"

#include <limits.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/ui.h"

const struct clock *host_clock(void)
{
	static struct clock *clock;
	static struct loop *loop; /* lives as long as the clock: till the end */
	struct why why;

	if (!clock &&
	    (loop_create(&loop, &why) || clock_real_create(&clock, loop, &why))) {
		ui_error("%s", why.text);
		exit(STATUS_FAILED);
	}
	return clock;
}

int host_clock_ms_until(uint64_t due_ns)
{
	uint64_t now = clock_now_ns(host_clock()), ms;

	if (due_ns <= now)
		return 0;
	ms = (due_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
