/* SPDX-License-Identifier: MIT */
/* host_clock.h - the user's time: how long something takes, when to give up
 *
 * Errors: the program ends if the host has no clock.  Threads: one.
 */
#ifndef NL_CLI_HOST_CLOCK_H
#define NL_CLI_HOST_CLOCK_H

#include "clock/clock.h"

/* Begins with the first call. */
const struct clock *host_clock(void);
/* For poll(): milliseconds until then, rounded up; 0 if it has passed. */
int host_clock_ms_until(uint64_t due_ns);

#endif
