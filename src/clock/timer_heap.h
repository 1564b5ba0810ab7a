/* SPDX-License-Identifier: MIT */
/* timer_heap.h - timers ordered by (due time, order of setting)
 *
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) of borrowed timers: the
 * links are the timers' own, so setting one takes no memory and cannot fail. Adding is
 * constant, taking the first or any other logarithmic on average.
 *
 * Errors:    none.
 * Ownership: nothing is owned; a timer that is set must stay where it is.
 */
#ifndef NL_CLOCK_TIMER_HEAP_H
#define NL_CLOCK_TIMER_HEAP_H

#include "clock/clock.h"

struct timer_heap {
	struct timer *first; /* due first; NULL: none is set */
	size_t count;
	uint64_t order_next;
};

/* Add, or move if it is already in the heap. */
void timer_heap_set(struct timer_heap *heap, struct timer *timer, uint64_t due_ns);
void timer_heap_remove(struct timer_heap *heap, struct timer *timer);

/* The timer that is due first, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *heap);

#endif
