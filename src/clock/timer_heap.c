/* SPDX-License-Identifier: MIT */
#include "clock/timer_heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

static bool before(const struct timer *a, const struct timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static void put(struct timer_heap *heap, size_t slot, struct timer *timer)
{
	heap->at[slot] = timer;
	timer->slot = slot;
}

static void sift_up(struct timer_heap *heap, size_t slot)
{
	struct timer *timer = heap->at[slot];

	while (slot > 1 && before(timer, heap->at[slot / 2])) {
		put(heap, slot, heap->at[slot / 2]);
		slot /= 2;
	}
	put(heap, slot, timer);
}

static void sift_down(struct timer_heap *heap, size_t slot)
{
	struct timer *timer = heap->at[slot];

	for (;;) {
		size_t child = 2 * slot;

		if (child > heap->count)
			break;
		if (child < heap->count && before(heap->at[child + 1], heap->at[child]))
			child++;
		if (!before(heap->at[child], timer))
			break;
		put(heap, slot, heap->at[child]);
		slot = child;
	}
	put(heap, slot, timer);
}

void timer_heap_free(struct timer_heap *heap)
{
	free(heap->at);
	*heap = (struct timer_heap){ 0 };
}

void timer_heap_set(struct timer_heap *heap, struct timer *timer, uint64_t due_ns)
{
	if (timer->slot)
		timer_heap_remove(heap, timer);
	if (heap->count + 1 >= heap->room) {
		heap->room = heap->room ? 2 * heap->room : 64;
		heap->at = realloc(heap->at, heap->room * sizeof(*heap->at));
		ASSERT(heap->at);
	}
	timer->due_ns = due_ns;
	timer->order = heap->order_next++;
	put(heap, ++heap->count, timer);
	sift_up(heap, heap->count);
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
	size_t slot = timer->slot;
	struct timer *last;

	if (!slot)
		return;
	ASSERT(slot <= heap->count && heap->at[slot] == timer);
	timer->slot = 0;
	last = heap->at[heap->count--];
	if (last == timer)
		return;
	put(heap, slot, last);
	sift_up(heap, slot);
	sift_down(heap, last->slot);
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
	return heap->count ? heap->at[1] : NULL;
}
