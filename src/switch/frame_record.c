/* SPDX-License-Identifier: MIT */
#include "switch/frame_record.h"

#include <stdlib.h>

#include "base/check.h"
#include "switch/hold.h"

uint32_t direction_of(const struct saved *s, const char *name)
{
	uint32_t low = 0, high = s->direction_count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if ((uintptr_t)s->named[middle].name <= (uintptr_t)name)
			low = middle;
		else
			high = middle;
	}
	ASSERT(s->named[low].name == name);
	return s->named[low].direction;
}

/* Which bytes it has: 0: its own, up to count: shared ones that were seen, count + 1:
 * shared ones that are new. */
static uint32_t which_bytes(struct saved *s, const struct hold *hold)
{
	uint32_t n;

	if (hold->buffer->holds == 1)
		return 0;
	for (n = s->shared_count; n > s->shared_first; n--)
		if (s->shared[n - 1].left && s->shared[n - 1].buffer == hold->buffer)
			break;
	if (n == s->shared_first)
		return s->shared_count + 1;
	s->shared[n - 1].left--;
	while (s->shared_first < s->shared_count && !s->shared[s->shared_first].left)
		s->shared_first++;
	return n;
}

static bool add_shared(struct saved *s, const struct hold *hold)
{
	if (!(s->shared_count & (s->shared_count - 1))) {
		size_t room = s->shared_count ? 2 * (size_t)s->shared_count : 1;
		struct shared *grown = realloc(s->shared, room * sizeof(*grown));

		if (!grown)
			return false;
		s->shared = grown;
	}
	s->shared[s->shared_count++] =
		(struct shared){ hold->buffer, hold->buffer->holds - 1,
				 hold->transit.from->index, hold->transit.frame.size };
	return true;
}

static void trail_record(struct saved *s, struct fault_trail *trail)
{
	struct record *r = s->r;
	uint32_t steps = trail->steps, notes = trail->notes;

	record_below(r, &steps, FAULT_STEPS_MAX + 1, "number of steps");
	record_below(r, &notes, trail->room + 1U, "number of notes");
	trail->steps = (uint8_t)steps;
	trail->notes = (uint8_t)notes;
	record_bool(r, &trail->forgot);
	record_u32(r, &trail->copy);
	for (uint32_t i = 0; i < steps; i++) {
		uint32_t at = r->loading ? 0 : direction_of(s, trail->step[i].direction);

		record_below(r, &at, s->direction_count, "direction");
		trail->step[i].direction = s->directions[at]->name;
		record_u64(r, &trail->step[i].frame_no);
	}
	for (uint32_t i = 0; i < notes; i++)
		fault_note_record(&trail->note[i], r);
}

/* What a hold is made of, before there is one. */
struct outline {
	uint32_t from, size, room, bytes;
};

static void outline_record(struct saved *s, struct outline *o)
{
	record_below(s->r, &o->from, s->sw->port_count, "port");
	record_below(s->r, &o->size, FRAME_BYTES_MAX + 1, "size");
	record_below(s->r, &o->room, FAULT_NOTES_MAX + 1, "room for notes");
	record_below(s->r, &o->bytes, s->shared_count + 2, "bytes of frame");
	if (record_ok(s->r) && o->size < FRAME_BYTES_MIN)
		record_refuse(s->r, "a frame of %u bytes", o->size);
}

/* As it was; NULL: the record has said why not. */
static struct hold *make_hold(struct saved *s, const struct outline *o)
{
	struct port *from = s->sw->ports[o->from];
	bool seen = o->bytes && o->bytes <= s->shared_count;
	const struct shared *shared = seen ? &s->shared[o->bytes - 1] : NULL;
	struct hold *hold;

	if (seen && (shared->from != o->from || shared->size != o->size)) {
		record_refuse(s->r, "it shares the bytes of another frame");
		return NULL;
	}
	hold = hold_again(s->sw, from, o->size, o->room, seen ? shared->buffer : NULL);
	if (!hold)
		record_refuse(s->r,
			      "the switch's memory for frames that wait is too small");
	return hold;
}

struct hold *hold_record(struct saved *s, struct hold *hold, bool under_way)
{
	struct record *r = s->r;
	struct outline o = { 0 };
	struct transit *t;
	uint32_t at = 0;
	bool shared, seen;

	if (!r->loading) {
		ASSERT(!hold->transit.entering && hold->transit.direction);
		o = (struct outline){ hold->transit.from->index, hold->transit.frame.size,
				      hold->trail.room, which_bytes(s, hold) };
		at = direction_of(s, hold->transit.direction->name);
	}
	outline_record(s, &o);
	shared = o.bytes > 0;
	seen = shared && o.bytes <= s->shared_count;
	record_below(r, &at, s->direction_count, "direction");
	if (r->loading)
		hold = record_ok(r) ? make_hold(s, &o) : NULL;
	if (!hold)
		return NULL;
	t = &hold->transit;
	if (shared && !seen && !add_shared(s, hold))
		record_no_memory(r);
	if (!seen)
		record_bytes(r, hold->buffer->bytes, o.size);
	t->direction = s->directions[at];
	record_u64(r, &t->frame_no);
	record_u64(r, &t->at_ns);
	trail_record(s, &hold->trail);
	if (record_ok(r) && t->at_ns > s->sw->now_ns)
		record_refuse(r, "a frame of the future");
	if (r->loading && !record_ok(r)) {
		hold_give(s->sw, hold);
		return NULL;
	}
	s->waiting[at] += under_way;
	return hold;
}

uint64_t list_record(struct saved *s, struct hold_list *list,
		     void (*more)(struct saved *s, struct hold *hold))
{
	struct hold *hold = list->first;
	uint64_t count = 0;

	for (; !s->r->loading && hold; hold = hold->next)
		count++;
	record_count(s->r, &count, 1);
	hold = list->first;
	for (uint64_t i = 0; i < count && record_ok(s->r); i++) {
		struct hold *one = hold_record(s, hold, more != NULL);

		if (s->r->loading && one)
			hold_list_append(list, one);
		if (one && more)
			more(s, one);
		hold = s->r->loading ? NULL : hold->next;
	}
	return record_ok(s->r) ? count : 0;
}
