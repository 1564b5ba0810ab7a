/* SPDX-License-Identifier: MIT */
#include "switch/hold.h"

#include <string.h>

#include "base/check.h"

static void buffer_put(struct sw *sw, struct buffer *buffer)
{
	if (--buffer->holds == 0)
		pool_give(&sw->pool, buffer);
}

/* The buffer of the frame that is dealt with now, made if need be. */
static struct buffer *buffer_get(struct sw *sw, const struct transit *transit)
{
	if (!sw->buffer) {
		struct buffer *buffer = pool_take(&sw->pool, &transit->from->account,
						  sizeof(*buffer) + transit->frame.size);

		if (!buffer)
			return NULL;
		memcpy(buffer->bytes, transit->frame.bytes, transit->frame.size);
		buffer->holds = 1; /* ours, until hold_end() */
		sw->buffer = buffer;
	}
	sw->buffer->holds++;
	return sw->buffer;
}

/* Copy what there is of a trail. */
static size_t trail_bytes(const struct fault_trail *trail)
{
	return offsetof(struct fault_trail, note) + trail->notes * sizeof(*trail->note);
}

struct hold *hold_take(struct sw *sw, const struct transit *transit)
{
	size_t bytes = trail_bytes(transit->trail);
	struct hold *hold = pool_take(&sw->pool, &transit->from->account,
				      offsetof(struct hold, trail) + bytes);

	if (!hold)
		return NULL;
	hold->buffer = buffer_get(sw, transit);
	if (!hold->buffer) {
		pool_give(&sw->pool, hold);
		return NULL;
	}
	hold->transit = *transit;
	hold->transit.frame.bytes = hold->buffer->bytes;
	memcpy(&hold->trail, transit->trail, bytes);
	hold->transit.trail = &hold->trail;
	return hold;
}

void hold_give(struct sw *sw, struct hold *hold)
{
	buffer_put(sw, hold->buffer);
	pool_give(&sw->pool, hold);
}

void hold_begin_lent(struct sw *sw)
{
	ASSERT(!sw->busy);
	sw->busy = true;
	sw->buffer = NULL;
	trail_begin(&sw->trail);
}

struct transit hold_begin(struct sw *sw, const struct hold *hold)
{
	struct transit transit = hold->transit;

	ASSERT(!sw->busy);
	sw->busy = true;
	sw->buffer = hold->buffer;
	sw->buffer->holds++;
	memcpy(&sw->trail, &hold->trail, trail_bytes(&hold->trail));
	transit.trail = &sw->trail;
	return transit;
}

void hold_end(struct sw *sw)
{
	if (sw->buffer)
		buffer_put(sw, sw->buffer);
	sw->buffer = NULL;
	sw->busy = false;
}

void hold_list_append(struct hold_list *list, struct hold *hold)
{
	hold->next = NULL;
	*(list->first ? &list->last->next : &list->first) = hold;
	list->last = hold;
}

void hold_list_prepend(struct hold_list *list, struct hold *hold)
{
	hold->next = list->first;
	if (!list->first)
		list->last = hold;
	list->first = hold;
}

struct hold *hold_list_pop(struct hold_list *list)
{
	struct hold *hold = list->first;

	if (hold)
		list->first = hold->next;
	return hold;
}
