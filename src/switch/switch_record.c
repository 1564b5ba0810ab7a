/* SPDX-License-Identifier: MIT */
/* sw_save() and sw_load(): switch.h has the format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "switch/direction.h"
#include "switch/frame_record.h"
#include "switch/hold.h"
#include "switch/line_queue.h"
#include "switch/segment.h"

enum { RECORD_VERSION = 1 };

/* ---- counters ---------------------------------------------------------- */

static void count_record(struct sw_count *count, struct record *r)
{
	record_u64(r, &count->frames);
	record_u64(r, &count->bytes);
	record_u64(r, &count->passed);
	record_u64(r, &count->passed_bytes);
	for (int fate = 0; fate < SW_FATES; fate++)
		record_u64(r, &count->dropped[fate]);
	record_u64(r, &count->queued);
	record_u64(r, &count->copies);
	record_u64(r, &count->edited);
}

/* Few of its buckets have something in them. */
static void histogram_record(struct histogram *h, struct record *r)
{
	uint64_t used = 0;

	record_u64(r, &h->count);
	record_u64(r, &h->sum);
	record_u64(r, &h->most);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		used += h->buckets[i] > 0;
	record_count(r, &used, 8);
	for (uint32_t i = 0; used && record_ok(r); used--, i++) {
		while (!r->loading && !h->buckets[i])
			i++;
		record_below(r, &i, HISTOGRAM_BUCKETS, "bucket");
		record_u32(r, &h->buckets[i]);
	}
}

static void timing_record(struct direction *d, struct record *r)
{
	bool there = d->timing;
	struct sw_timing *t;

	record_bool(r, &there);
	if (!there || !record_ok(r))
		return;
	if (r->loading && !d->timing)
		d->timing = calloc(1, sizeof(*d->timing));
	t = d->timing;
	if (!t) {
		record_no_memory(r);
		return;
	}
	record_u64(r, &t->since_ns);
	count_record(&t->before, r);
	record_u64(r, &t->frames);
	record_u64(r, &t->wait_ns);
	histogram_record(&t->late, r);
	record_u64(r, &t->busy_bytes);
	record_u64(r, &t->busy_ns);
	record_u64(r, &t->last_ns);
}

/* ---- directions -------------------------------------------------------- */

static void order_record(struct saved *s, struct hold *hold)
{
	const struct direction *d = hold->transit.direction;

	record_u8(s->r, &hold->order);
	record_u64(s->r, &hold->delay_ns);
	if (hold->order != NO_RULE && (!d->spec || hold->order >= d->spec->count))
		record_refuse(s->r, "rule %u keeps its order", hold->order);
}

static void line_queue_record(struct saved *s, struct direction *d, uint32_t rule)
{
	struct line_queue *line = d->lines[rule];
	const struct fault_line *state = &d->state->rule[rule].line;
	uint64_t count, bytes = 0;

	record_bool(s->r, &line->sending);
	count = list_record(s, &line->frames, order_record);
	for (struct hold *hold = line->frames.first; hold; hold = hold->next) {
		bytes += hold->transit.frame.size;
		if (hold->transit.direction != d)
			record_refuse(s->r, "a frame waits for the line of another");
	}
	if (record_ok(s->r) && (state->frames != count || state->bytes != bytes))
		record_refuse(s->r, "other frames wait for its line than it knows");
	if (record_ok(s->r) && line->sending && !count)
		record_refuse(s->r, "its line sends nothing");
}

static void direction_record(struct saved *s, struct direction *d)
{
	struct fault_spec *spec = d->spec;

	record_same(s->r, d->key, d->name);
	fault_spec_record(&spec, &s->book, s->r);
	if (s->r->loading && direction_fault_load(s->sw, d, spec))
		record_no_memory(s->r);
	if (s->r->loading)
		fault_spec_free(spec);
	count_record(&d->count, s->r);
	record_u64(s->r, &d->skipped);
	timing_record(d, s->r);
	if (!record_ok(s->r) || !d->spec)
		return;
	fault_state_record(d->state, d->spec, s->r);
	for (uint32_t i = 0; i < d->spec->count && record_ok(s->r); i++)
		if (d->lines[i])
			line_queue_record(s, d, i);
}

/* ---- segments ---------------------------------------------------------- */

static int by_ends(const void *a, const void *b)
{
	const struct pair_slot *pa = a, *pb = b;

	if (pa->from != pb->from)
		return pa->from < pb->from ? -1 : 1;
	return pa->to < pb->to ? -1 : pa->to > pb->to;
}

/* Its pairs in an order that does not hang on how they came; NULL: out of memory. */
static struct pair_slot *pairs_of(const struct segment *segment)
{
	struct pair_slot *all = calloc(segment->pairs.count + 1, sizeof(*all));
	size_t count = 0;

	for (size_t i = 0; all && i < segment->pairs.room; i++)
		if (segment->pairs.slots[i].pair)
			all[count++] = segment->pairs.slots[i];
	if (all)
		qsort(all, count, sizeof(*all), by_ends);
	return all;
}

static void pairs_record(struct saved *s, struct segment *segment)
{
	struct pair_slot *all = pairs_of(segment);
	uint64_t count = segment->pairs.count;

	if (!all)
		record_no_memory(s->r);
	record_count(s->r, &count, 9);
	for (uint64_t i = 0; i < count && record_ok(s->r); i++) {
		struct pair_slot ends = s->r->loading ? (struct pair_slot){ 0 } : all[i];
		bool in_force = ends.pair && ends.pair->in_force;
		struct pair *pair;

		record_below(s->r, &ends.from, segment->member_count, "member");
		record_below(s->r, &ends.to, segment->member_count, "member");
		record_bool(s->r, &in_force);
		if (record_ok(s->r) && ends.from == ends.to)
			record_refuse(s->r, "a pair of one");
		if (!s->r->loading || !record_ok(s->r))
			continue;
		pair = segment_pair_there(s->sw, segment, ends.from, ends.to);
		if (!pair) {
			record_no_memory(s->r);
			break;
		}
		segment->pairs_in_force += (uint32_t)in_force - (uint32_t)pair->in_force;
		pair->in_force = in_force;
	}
	if (record_ok(s->r) && segment->pairs.count != count)
		record_refuse(s->r, "there are %zu pairs", segment->pairs.count);
	free(all);
}

/* All directions in their order; false: out of memory. */
static bool collect(struct saved *s)
{
	const struct sw *sw = s->sw;
	size_t count = 2 * (size_t)sw->link_count;

	for (uint32_t i = 0; i < sw->segment_count; i++)
		count += sw->segments[i]->pairs.count;
	s->directions = calloc(count + 1, sizeof(struct direction *));
	s->waiting = calloc(count + 1, sizeof(*s->waiting));
	if (!s->directions || !s->waiting)
		return false;
	for (uint32_t i = 0; i < sw->link_count; i++)
		for (int dir = 0; dir < DIRS; dir++)
			s->directions[s->direction_count++] = &sw->links[i]->dir[dir];
	for (uint32_t i = 0; i < sw->segment_count; i++) {
		struct pair_slot *all = pairs_of(sw->segments[i]);

		if (!all)
			return false;
		for (size_t k = 0; k < sw->segments[i]->pairs.count; k++)
			s->directions[s->direction_count++] = &all[k].pair->direction;
		free(all);
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	uintptr_t na = (uintptr_t)((const struct named *)a)->name;
	uintptr_t nb = (uintptr_t)((const struct named *)b)->name;

	return na < nb ? -1 : na > nb;
}

static bool name_all(struct saved *s)
{
	s->named = calloc((size_t)s->direction_count + 1, sizeof(*s->named));
	for (uint32_t i = 0; s->named && i < s->direction_count; i++)
		s->named[i] = (struct named){ s->directions[i]->name, i };
	if (s->named)
		qsort(s->named, s->direction_count, sizeof(*s->named), by_name);
	return s->named;
}

/* ---- the delay queue --------------------------------------------------- */

static int by_due(const void *a, const void *b)
{
	const struct delay_entry *ea = a, *eb = b;

	if (ea->due_ns != eb->due_ns)
		return ea->due_ns < eb->due_ns ? -1 : 1;
	return ea->order < eb->order ? -1 : 1;
}

/* The line that waits for something, by direction and rule. */
static void *line_entry(struct saved *s, const struct line_queue *line)
{
	uint32_t at = line ? direction_of(s, line->direction->name) : 0;
	uint32_t rule = line ? line->rule : 0;
	const struct direction *d;
	struct line_queue *found;

	record_below(s->r, &at, s->direction_count, "direction");
	record_below(s->r, &rule, FAULT_RULES_MAX, "rule");
	if (!record_ok(s->r))
		return NULL;
	d = s->directions[at];
	found = d->spec && rule < d->spec->count ? d->lines[rule] : NULL;
	if (!found || !found->frames.first || (s->r->loading && found->scheduled))
		record_refuse(s->r, "%s has no line that waits there", d->name);
	return record_ok(s->r) ? found : NULL;
}

static void load_entry(struct saved *s, struct delay_entry *entry, bool is_line)
{
	entry->item = is_line ? line_entry(s, NULL) : (void *)hold_record(s, NULL, true);
	if (!entry->item)
		return;
	/* Ascending: a heap as it is. */
	if (delay_queue_add_as(&s->sw->queue, *entry)) {
		if (!is_line)
			hold_give(s->sw, entry->item);
		record_no_memory(s->r);
	} else if (is_line) {
		((struct line_queue *)entry->item)->scheduled = true;
	}
}

/* What is on its way to a segment is there as its sender's. */
static void check_way(struct saved *s, const struct hold *hold)
{
	const struct direction *d = hold->transit.direction;

	if (d->to == TO_SEGMENT && hold->transit.from->out_of != d)
		record_refuse(s->r, "%s is not how %s sends", d->name,
			      hold->transit.from->name);
}

static void entry_record(struct saved *s, struct delay_entry *entry,
			 const struct delay_entry *before)
{
	bool is_line = entry->item && *(enum waiter_kind *)entry->item == WAITER_LINE;

	record_u64(s->r, &entry->due_ns);
	record_u64(s->r, &entry->order);
	record_bool(s->r, &is_line);
	if (record_ok(s->r) &&
	    (entry->due_ns <= s->sw->now_ns || entry->order >= s->sw->queue.order_next ||
	     (before && by_due(before, entry) >= 0)))
		record_refuse(s->r, "its time is not one that is waited for");
	if (!record_ok(s->r))
		return;
	if (s->r->loading)
		load_entry(s, entry, is_line);
	else if (is_line)
		line_entry(s, entry->item);
	else
		hold_record(s, entry->item, true);
	if (record_ok(s->r) && !is_line)
		check_way(s, entry->item);
}

static void queue_record(struct saved *s)
{
	struct delay_queue *queue = &s->sw->queue;
	uint64_t count = queue->count;
	struct delay_entry *sorted = NULL, entry = { 0 }, before;

	record_u64(s->r, &queue->order_next);
	record_count(s->r, &count, 17);
	if (!s->r->loading) {
		sorted = calloc(count + 1, sizeof(*sorted));
		if (!sorted) {
			record_no_memory(s->r);
			return;
		}
		if (count)
			memcpy(sorted, queue->at, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), by_due);
	}
	for (uint64_t i = 0; i < count && record_ok(s->r); i++) {
		record_part(s->r, "what waits as number", i);
		before = entry;
		entry = sorted ? sorted[i] : (struct delay_entry){ 0 };
		entry_record(s, &entry, i ? &before : NULL);
	}
	free(sorted);
}

/* ---- the whole --------------------------------------------------------- */

static void cuts_record(struct saved *s)
{
	struct cut_matrix *cuts = &s->sw->cuts;
	uint64_t count = cuts->cuts, left;

	record_count(s->r, &count, 8);
	left = count;
	for (uint32_t i = 0; left && !s->r->loading && i < cuts->nodes; i++)
		for (uint32_t k = 0; left && k < cuts->nodes; k++)
			if (cut_matrix_get(cuts, i, k)) {
				uint32_t from = i, to = k;

				record_u32(s->r, &from);
				record_u32(s->r, &to);
				left--;
			}
	for (; left && s->r->loading && record_ok(s->r); left--) {
		uint32_t from = 0, to = 0;

		record_below(s->r, &from, cuts->nodes, "node");
		record_below(s->r, &to, cuts->nodes, "node");
		if (record_ok(s->r))
			cut_matrix_set(cuts, from, to, true);
	}
	if (record_ok(s->r) && cuts->cuts != count)
		record_refuse(s->r, "a way is cut twice");
}

static void port_record(struct saved *s, struct port *port)
{
	uint64_t count;

	record_same(s->r, port->node, port->name);
	record_bool(s->r, &port->up);
	record_bool(s->r, &port->tapped);
	count_record(&port->in, s->r);
	count_record(&port->out, s->r);
	count = list_record(s, &port->backlog, NULL);
	port->backlog_bytes = 0;
	for (struct hold *hold = port->backlog.first; hold; hold = hold->next)
		port->backlog_bytes += hold->transit.frame.size;
	if (record_ok(s->r) && count != port->out.queued)
		record_refuse(s->r, "%s has other frames than are counted", port->name);
}

static void parts_record(struct saved *s)
{
	struct sw *sw = s->sw;

	for (uint32_t i = 0; i < s->direction_count && record_ok(s->r); i++) {
		record_part(s->r, "direction", i);
		direction_record(s, s->directions[i]);
	}
	for (uint32_t i = 0; i < sw->port_count && record_ok(s->r); i++) {
		record_part(s->r, "port", i);
		port_record(s, sw->ports[i]);
	}
	for (uint32_t i = 0; i < sw->segment_count && record_ok(s->r); i++) {
		record_part(s->r, "segment", i);
		mac_table_record(&sw->segments[i]->macs, sw->now_ns, s->r);
	}
	if (record_ok(s->r))
		queue_record(s);
	for (uint32_t i = 0; i < s->direction_count && record_ok(s->r); i++)
		if (s->waiting[i] != s->directions[i]->count.queued)
			record_refuse(s->r, "%s has other frames than are counted",
				      s->directions[i]->name);
}

static void head_record(struct saved *s)
{
	struct sw *sw = s->sw;
	struct record *r = s->r;

	record_same(r, sw->config.seed, "the seed");
	record_same(r, sw->config.node_count, "the number of nodes");
	record_same(r, sw->port_count, "the number of ports");
	record_same(r, sw->segment_count, "the number of segments");
	record_same(r, sw->link_count, "the number of links");
	record_u64(r, &sw->now_ns);
	record_u64(r, &sw->floor_ns);
	record_below(r, &sw->due_count, SW_DUES_MAX + 1, "number of dues");
	for (uint32_t i = 0; i < sw->due_count; i++)
		record_u64(r, &sw->dues[i]);
	cuts_record(s);
	for (uint32_t i = 0; i < sw->segment_count && record_ok(r); i++) {
		record_part(r, "segment", i);
		record_same(r, sw->segments[i]->member_count, sw->segments[i]->name);
		pairs_record(s, sw->segments[i]);
	}
}

/* Both ways: the values in their order. */
static int sw_record(struct sw *sw, struct record *record, struct why *why)
{
	struct saved s = { .r = record, .sw = sw };

	ASSERT(!sw->busy);
	record_begin(record, "switch", RECORD_VERSION, why);
	head_record(&s);
	if (record_ok(record) && (!collect(&s) || (!record->loading && !name_all(&s))))
		record_no_memory(record);
	if (record_ok(record))
		parts_record(&s);
	fault_book_free(&s.book);
	free(s.directions);
	free(s.waiting);
	free(s.named);
	free(s.shared);
	return record_end(record);
}

int sw_save(const struct sw *sw, struct record *record, struct why *why)
{
	struct sw same = *sw; /* of what it leads to, nothing is changed */

	ASSERT(!record->loading);
	return sw_record(&same, record, why);
}

int sw_load(struct sw *sw, struct record *record, struct why *why)
{
	ASSERT(record->loading && !sw->now_ns && !sw->queue.order_next);
	return sw_record(sw, record, why);
}
