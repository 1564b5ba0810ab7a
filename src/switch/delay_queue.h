/* SPDX-License-Identifier: MIT */
/* delay_queue.h - what waits, ordered by (due time, order of arrival)
 *
 * A heap with four children to a node: half as deep as a binary one, and the
 * children share a cache line or two.
 *
 * Errors:    delay_queue_add() returns -ENOMEM and has added nothing.
 * Ownership: the queue owns its array; items are the caller's.
 * Units:     nanoseconds of lab time.
 * Threads:   one.
 */
#ifndef NL_SWITCH_DELAY_QUEUE_H
#define NL_SWITCH_DELAY_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct delay_entry {
	uint64_t due_ns;
	uint64_t order;
	void *item;
};

struct delay_queue {
	struct delay_entry *at; /* at[0] is due first */
	size_t count, room;
	uint64_t order_next;
};

void delay_queue_destroy(struct delay_queue *queue);

int delay_queue_add(struct delay_queue *queue, uint64_t due_ns, void *item);
/* With its order, as it was once. */
int delay_queue_add_as(struct delay_queue *queue, struct delay_entry entry);
/* Take out what is due first.  The queue is not empty. */
struct delay_entry delay_queue_pop(struct delay_queue *queue);

/* Take out an item, wherever it is: looks at all of them.  It is in there. */
void delay_queue_remove(struct delay_queue *queue, const void *item);

/* When the first is due; UINT64_MAX: the queue is empty. */
static inline uint64_t delay_queue_due_ns(const struct delay_queue *queue)
{
	return queue->count ? queue->at[0].due_ns : UINT64_MAX;
}

#endif
