/* SPDX-License-Identifier: MIT */
/* clock.h - lab time, and what is to happen when
 *
 * Lab time is nanoseconds since the lab began.  Nothing above this module reads
 * the host's clock.  Three clocks have the same face:
 *
 *   real     CLOCK_MONOTONIC and a timerfd in the event loop
 *   virtual  stands still until the calendar moves it (vtime.h)
 *   fake     stands still until a test moves it with clock_fake_advance()
 *
 * A timer is embedded in its owner.  It fires once, never before its due time;
 * timers due at the same instant fire in the order in which they were set.  A
 * callback may set, move or cancel any timer, its own included.
 *
 * Errors:    creation only: 0 or -errno with *why.
 * Ownership: a timer belongs to its owner, who cancels it before freeing it.
 * Units:     nanoseconds, unsigned, since the lab began.
 * Threads:   the loop's.
 */
#ifndef NL_CLOCK_CLOCK_H
#define NL_CLOCK_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

struct clock;

struct timer {
	void (*fire)(void *ctx, uint64_t now_ns);
	void *ctx;
	uint64_t due_ns;
	uint64_t order; /* breaks ties: earlier set, earlier fired */
	bool set;
	struct timer *child, *prev, *next; /* the clock's: timer_heap.c */
};

int clock_real_create(struct clock **out, struct loop *loop, struct why *why);
int clock_virtual_create(struct clock **out, uint64_t wall_at_zero_ns, struct why *why);
int clock_fake_create(struct clock **out, struct why *why);
void clock_destroy(struct clock *clock); /* NULL does nothing */

/* Be punctual: what the processor needs to wake up is waited for awake, which costs up
 * to a fiftieth of its time.  Real clock only. */
void clock_real_punctual(struct clock *clock);

uint64_t clock_now_ns(const struct clock *clock);

/* Of this kernel, since some moment: for what is measured, not for what is planned. */
uint64_t clock_host_ns(void);
/* What the wall clock of this kernel shows: in a machine, the machine's. */
uint64_t clock_host_wall_ns(void);
/* Processor time that this thread has used: for what shall not use much of it. */
uint64_t clock_used_ns(void);

/* The wall clock (since 1970) that belongs to a lab time, for captures and
 * journals: the host's wall time when the lab began, plus the lab time. */
uint64_t clock_wall_ns(const struct clock *clock, uint64_t lab_ns);

/* Fire at due_ns, or in the next turn if that has passed.  Moves a timer that
 * is already set. */
void timer_set(struct clock *clock, struct timer *timer, uint64_t due_ns);
void timer_cancel(struct clock *clock, struct timer *timer);

/* Virtual clock only.  When the first timer is due (UINT64_MAX: none); move to
 * now_ns; fire what is due now.  A timer that a callback sets to now waits for the
 * next call. */
uint64_t clock_virtual_due_ns(const struct clock *clock);
void clock_virtual_set(struct clock *clock, uint64_t now_ns);
void clock_virtual_fire(struct clock *clock);

/* Fake clock only: move to now_ns, firing what falls due on the way, each timer
 * at its own time. */
void clock_fake_advance(struct clock *clock, uint64_t now_ns);

#endif
