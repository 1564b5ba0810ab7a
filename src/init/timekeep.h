/* SPDX-License-Identifier: MIT */
/* timekeep.h - set the machine's clock forward, back, or to run fast or slow
 *
 * The kernel adds to its own clock, so nothing depends on how long the request took.
 * CLOCK_MONOTONIC does not see a step, and runs as fast as CLOCK_REALTIME.
 *
 * Errors:    0 or -errno with *why.
 * Units:     nanoseconds; drift in parts per billion, within TIMEKEEP_DRIFT_PPB_MAX.
 * Threads:   any.
 */
#ifndef NL_INIT_TIMEKEEP_H
#define NL_INIT_TIMEKEEP_H

#include <stdint.h>

#include "base/why.h"

#define TIMEKEEP_DRIFT_PPB_MAX INT64_C(100000000) /* what adjtimex(2) can do */

int timekeep_step(int64_t ns, struct why *why);
int timekeep_drift(int64_t ppb, struct why *why);

/* adjtimex(2) has two numbers: microseconds in a tick, of which 10000 are right, and a
 * frequency in 2^-16 ppm. */
void timekeep_split(int64_t ppb, long *tick_us, long *frequency);

#endif
