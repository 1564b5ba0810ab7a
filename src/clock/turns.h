/* SPDX-License-Identifier: MIT */
/* turns.h - a watchdog of the loop: how long its turns take
 *
 * One thread serves frames, machines and clients.  As long as one of them is served nobody
 * else is, so a turn that takes long makes frames late that have nothing to do with it.  The
 * watchdog cuts turns with many calls, so that timers are looked at in between, keeps the
 * longest turn, and says on standard error of each that is too long all the same whose call
 * it was: a call that is to be made shorter.
 *
 * A turn's length is the host's time from the end of one wait for events to the begin of the
 * next, without the time in which the thread waited for a processor (schedstat, field 2, in
 * the kernel's Documentation/scheduler/sched-stats.rst): that is the host's load, and not
 * what the loop does.  What a hypervisor takes is not known and counts.
 *
 *	turns_create() ──► watches ──► turns_destroy()
 *
 * Errors:    0 or -errno with the reason in *why.  A host without schedstat: waiting counts.
 * Ownership: turns_destroy() before the loop is destroyed.
 * Units:     nanoseconds of the host.
 * Threads:   the loop's, which is also the one that creates it.
 */
#ifndef NL_CLOCK_TURNS_H
#define NL_CLOCK_TURNS_H

#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"

/* After so long a turn is cut between two calls. */
#define TURNS_CUT_NS UINT64_C(3000000)
/* A longer one is told, the first so many of them. */
#define TURNS_LONG_NS UINT64_C(20000000)
enum { TURNS_TOLD_MAX = 100 };

struct turns;

int turns_create(struct turns **out, struct loop *loop, struct why *why);
void turns_destroy(struct turns *turns); /* NULL does nothing */

/* The longest so far; 0: none has ended. */
uint64_t turns_longest_ns(const struct turns *turns);

#endif
