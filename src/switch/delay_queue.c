/* SPDX-License-Identifier: MIT */
#include "switch/delay_queue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

enum { CHILDREN = 4, ROOM_MIN = 256 };

static bool before(const struct delay_entry *a, const struct delay_entry *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

void delay_queue_destroy(struct delay_queue *queue)
{
	free(queue->at);
	*queue = (struct delay_queue){ 0 };
}

static int grow(struct delay_queue *queue)
{
	size_t room = queue->room ? 2 * queue->room : ROOM_MIN;
	struct delay_entry *at = realloc(queue->at, room * sizeof(*at));

	if (!at)
		return -ENOMEM;
	queue->at = at;
	queue->room = room;
	return 0;
}

/* From the slot towards the top, to where it belongs. */
static void rise(struct delay_queue *queue, size_t slot, struct delay_entry entry)
{
	while (slot > 0) {
		size_t parent = (slot - 1) / CHILDREN;

		if (!before(&entry, &queue->at[parent]))
			break;
		queue->at[slot] = queue->at[parent];
		slot = parent;
	}
	queue->at[slot] = entry;
}

/* And down from it; returns where it ended. */
static size_t sink(struct delay_queue *queue, size_t slot, struct delay_entry entry)
{
	for (;;) {
		size_t child = slot * CHILDREN + 1, end = child + CHILDREN, least = child;

		if (child >= queue->count)
			break;
		if (end > queue->count)
			end = queue->count;
		while (++child < end)
			if (before(&queue->at[child], &queue->at[least]))
				least = child;
		if (!before(&queue->at[least], &entry))
			break;
		queue->at[slot] = queue->at[least];
		slot = least;
	}
	queue->at[slot] = entry;
	return slot;
}

int delay_queue_add_as(struct delay_queue *queue, struct delay_entry entry)
{
	if (queue->count == queue->room && grow(queue) < 0)
		return -ENOMEM;
	rise(queue, queue->count++, entry);
	return 0;
}

int delay_queue_add(struct delay_queue *queue, uint64_t due_ns, void *item)
{
	int err = delay_queue_add_as(
		queue, (struct delay_entry){ due_ns, queue->order_next, item });

	queue->order_next += !err;
	return err;
}

struct delay_entry delay_queue_pop(struct delay_queue *queue)
{
	struct delay_entry first;

	ASSERT(queue->count > 0);
	first = queue->at[0];
	queue->count--;
	if (queue->count)
		sink(queue, 0, queue->at[queue->count]);
	return first;
}

void delay_queue_remove(struct delay_queue *queue, const void *item)
{
	size_t slot = 0;

	while (slot < queue->count && queue->at[slot].item != item)
		slot++;
	ASSERT(slot < queue->count);
	queue->count--;
	if (slot < queue->count) {
		struct delay_entry last = queue->at[queue->count];

		if (sink(queue, slot, last) == slot)
			rise(queue, slot, last);
	}
}
