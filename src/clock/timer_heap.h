/* SPDX-License-Identifier: MIT */
/* timer_heap.h - timers ordered by (due time, order of setting)
 *
 * A binary heap of borrowed timers.  Pure but for growing its array.
 *
 * Errors:    adding aborts when memory for one more pointer cannot be had.
 * Ownership: the heap owns its array only.
 */
#ifndef NL_CLOCK_TIMER_HEAP_H
#define NL_CLOCK_TIMER_HEAP_H

#include "clock/clock.h"

struct timer_heap {
	struct timer **at; /* at[1] is due first */
	size_t count;
	size_t room;
	uint64_t order_next;
};

void timer_heap_free(struct timer_heap *heap);

/* Add, or move if it is already in the heap. */
void timer_heap_set(struct timer_heap *heap, struct timer *timer, uint64_t due_ns);
void timer_heap_remove(struct timer_heap *heap, struct timer *timer);

/* The timer that is due first, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *heap);

#endif
