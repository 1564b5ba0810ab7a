/* SPDX-License-Identifier: MIT */
#include "switch/hold.h"

#include <string.h>

#include "base/check.h"

static void buffer_put(struct sw *sw, struct buffer *buffer)
{
	if (--buffer->holds == 0)
		pool_give(&sw->pool, buffer);
}

static struct buffer *buffer_copy(struct sw *sw, const struct transit *transit)
{
	struct buffer *buffer = pool_take(&sw->pool, &transit->from->account,
					  sizeof(*buffer) + transit->frame.size);

	if (!buffer)
		return NULL;
	memcpy(buffer->bytes, transit->frame.bytes, transit->frame.size);
	buffer->holds = 1;
	return buffer;
}

/* The buffer of the frame that is dealt with now, made if need be. */
static struct buffer *buffer_get(struct sw *sw, const struct transit *transit)
{
	if (!sw->buffer)
		sw->buffer = buffer_copy(sw, transit); /* ours, until hold_end() */
	if (sw->buffer)
		sw->buffer->holds++;
	return sw->buffer;
}

/* Of a trail with so many notes, or room for them. */
static size_t trail_bytes(unsigned notes)
{
	return offsetof(struct fault_trail, note) + notes * sizeof(struct fault_note);
}

static size_t hold_bytes(unsigned room)
{
	return offsetof(struct hold, trail) + trail_bytes(room);
}

struct hold *hold_take(struct sw *sw, const struct transit *transit, unsigned more_notes)
{
	unsigned room = transit->trail->notes + more_notes;
	struct hold *hold;

	if (room > FAULT_NOTES_MAX)
		room = FAULT_NOTES_MAX;
	hold = pool_take(&sw->pool, &transit->from->account, hold_bytes(room));
	if (!hold)
		return NULL;
	hold->buffer = buffer_get(sw, transit);
	if (!hold->buffer) {
		pool_give(&sw->pool, hold);
		return NULL;
	}
	hold->kind = WAITER_HOLD;
	hold->transit = *transit;
	hold->transit.frame.bytes = hold->buffer->bytes;
	memcpy(&hold->trail, transit->trail, trail_bytes(transit->trail->notes));
	hold->trail.room = (uint8_t)room;
	hold->transit.trail = &hold->trail;
	return hold;
}

struct hold *hold_again(struct sw *sw, struct port *from, uint32_t size, unsigned room,
			struct buffer *buffer)
{
	struct hold *hold = pool_take_again(&sw->pool, &from->account, hold_bytes(room));

	if (hold && buffer)
		buffer->holds++;
	else if (hold && (buffer = pool_take_again(&sw->pool, &from->account,
						   sizeof(*buffer) + size)))
		buffer->holds = 1;
	if (!buffer && hold)
		pool_give(&sw->pool, hold);
	if (!buffer || !hold)
		return NULL;
	hold->kind = WAITER_HOLD;
	hold->order = NO_RULE;
	hold->delay_ns = 0;
	hold->next = NULL;
	hold->buffer = buffer;
	hold->transit = (struct transit){ .frame = { buffer->bytes, size },
					  .from = from,
					  .trail = &hold->trail };
	trail_begin(&hold->trail);
	hold->trail.room = (uint8_t)room;
	return hold;
}

bool hold_own_bytes(struct sw *sw, struct hold *hold)
{
	struct buffer *copy;

	if (hold->buffer->holds == 1)
		return true;
	copy = buffer_copy(sw, &hold->transit);
	if (!copy)
		return false;
	buffer_put(sw, hold->buffer);
	hold->buffer = copy;
	hold->transit.frame.bytes = copy->bytes;
	return true;
}

uint8_t *hold_edit_begin(struct sw *sw, struct transit *transit, struct buffer **before)
{
	struct buffer *copy = buffer_copy(sw, transit);

	if (!copy)
		return NULL;
	*before = sw->buffer;
	sw->buffer = copy;
	transit->frame.bytes = copy->bytes;
	return copy->bytes;
}

void hold_edit_end(struct sw *sw, struct buffer *before)
{
	buffer_put(sw, sw->buffer);
	sw->buffer = before;
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
	memcpy(&sw->trail, &hold->trail, trail_bytes(hold->trail.notes));
	sw->trail.room = FAULT_NOTES_MAX;
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

struct hold *hold_list_remove_after(struct hold_list *list, struct hold *before)
{
	struct hold *hold = before->next;

	before->next = hold->next;
	if (list->last == hold)
		list->last = before;
	return hold;
}
