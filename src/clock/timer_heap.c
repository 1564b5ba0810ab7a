/* SPDX-License-Identifier: MIT */
#include "clock/timer_heap.h"

#include <stddef.h>

/* A timer's children are a list from `child` along `next`; `prev` is the sibling before,
 * or the parent for the first of them. */

static bool before(const struct timer *a, const struct timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

/* Two heaps become one: the later root is the first child of the other.  Neither root
 * has siblings. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	struct timer *parent = b && (!a || before(b, a)) ? b : a;
	struct timer *child = parent == a ? b : a;

	if (!child)
		return parent;
	child->prev = parent;
	child->next = parent->child;
	if (child->next)
		child->next->prev = child;
	parent->child = child;
	return parent;
}

/* The one heap that siblings make: in pairs from the left, then those from the right. */
static struct timer *meld_siblings(struct timer *timer)
{
	struct timer *pairs = NULL, *root = NULL;

	while (timer) {
		struct timer *other = timer->next, *rest = other ? other->next : NULL;
		struct timer *pair;

		timer->prev = timer->next = NULL;
		if (other)
			other->prev = other->next = NULL;
		pair = meld(timer, other);
		pair->next = pairs;
		pairs = pair;
		timer = rest;
	}
	while (pairs) {
		struct timer *rest = pairs->next;

		pairs->next = NULL;
		root = meld(root, pairs);
		pairs = rest;
	}
	return root;
}

void timer_heap_set(struct timer_heap *heap, struct timer *timer, uint64_t due_ns)
{
	timer_heap_remove(heap, timer);
	timer->due_ns = due_ns;
	timer->order = heap->order_next++;
	timer->set = true;
	heap->count++;
	heap->first = meld(heap->first, timer);
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
	struct timer *below;

	if (!timer->set)
		return;
	below = meld_siblings(timer->child);
	if (timer == heap->first) {
		heap->first = below;
	} else {
		if (timer->prev->child == timer)
			timer->prev->child = timer->next;
		else
			timer->prev->next = timer->next;
		if (timer->next)
			timer->next->prev = timer->prev;
		heap->first = meld(heap->first, below);
	}
	timer->child = timer->prev = timer->next = NULL;
	timer->set = false;
	heap->count--;
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
	return heap->first;
}
