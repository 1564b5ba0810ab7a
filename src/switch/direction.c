/* SPDX-License-Identifier: MIT */
#include "switch/direction.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/draw.h"
#include "switch/hold.h"
#include "switch/port.h"
#include "switch/segment.h"

void direction_init(struct direction *direction, uint64_t seed, char *name)
{
	*direction = (struct direction){ .name = name,
					 .key = draw_key(seed, name),
					 .perfect = true };
}

void direction_destroy(struct direction *direction)
{
	free(direction->timing);
	free(direction->name);
}

void direction_fault_set(struct direction *direction, const struct fault_spec *spec)
{
	ASSERT(fault_spec_check(spec, NULL) == 0);
	if (spec->rate_bps != direction->spec.rate_bps) {
		direction->line = (struct fault_line){ 0 };
		direction->on_line = (struct hold_list){ 0 };
	}
	direction->spec = *spec;
	direction->perfect = fault_spec_is_perfect(spec);
}

static bool is_cut(const struct sw *sw, const struct direction *d,
		   const struct transit *transit)
{
	return d->port && cut_matrix_get(&sw->cuts, transit->from->node, d->port->node);
}

static void drop(struct sw *sw, struct direction *d, struct transit *transit,
		 enum sw_fate fate)
{
	d->count.dropped[fate]++;
	if (fate == SW_DROP_CUT)
		fault_note_add(transit->trail, NOTE_CUT, 0, transit->from->node,
			       d->port->node);
	port_tap_drop(sw, transit, fate);
}

/* Let the far end have it. */
static void pass(struct sw *sw, struct direction *d, struct transit *transit)
{
	count_passed(&d->count, transit->frame.size);
	switch (d->to) {
	case TO_PORT:
		port_deliver(sw, d->port, transit);
		break;
	case TO_SEGMENT:
		segment_forward(sw, d->segment, transit);
		break;
	case TO_MEMBER:
		direction_offer(sw, d->next, transit);
		break;
	}
}

/* Take off the line what has left it by now. */
static void settle_line(struct direction *d, uint64_t now_ns)
{
	while (d->on_line.first && d->on_line.first->leave_ns <= now_ns)
		fault_line_leave(&d->line,
				 hold_list_pop(&d->on_line)->transit.frame.size);
}

static int keep(struct sw *sw, struct direction *d, struct transit *transit,
		const struct fault_verdict *verdict)
{
	struct hold *hold = hold_take(sw, transit);
	int err;

	if (!hold)
		return -1;
	hold->transit.entering = false;
	hold->leave_ns = verdict->leave_ns;
	err = delay_queue_add(&sw->queue, verdict->due_ns, hold);
	if (err) {
		hold_give(sw, hold);
		return -1;
	}
	d->line = verdict->line;
	if (d->spec.rate_bps)
		hold_list_append(&d->on_line, hold);
	d->count.queued++;
	return 0;
}

static void offer_impaired(struct sw *sw, struct direction *d, struct transit *transit)
{
	static const enum sw_fate fates[] = {
		[FAULT_PASS] = SW_PASS,
		[FAULT_DOWN] = SW_DROP_DOWN,
		[FAULT_LOSS] = SW_DROP_LOSS,
		[FAULT_LIMIT] = SW_DROP_LIMIT,
	};
	struct fault_verdict verdict;

	settle_line(d, transit->at_ns);
	verdict = fault_judge(&d->spec, &d->line, d->key, transit->frame_no,
			      transit->frame.size, transit->at_ns, transit->trail);
	if (verdict.fate != FAULT_PASS) {
		drop(sw, d, transit, fates[verdict.fate]);
	} else if (verdict.due_ns <= transit->at_ns) {
		port_tap_enter(sw, transit);
		pass(sw, d, transit);
	} else if (keep(sw, d, transit, &verdict) < 0) {
		drop(sw, d, transit, SW_DROP_POOL);
	} else {
		port_tap_enter(sw, transit);
	}
}

void direction_offer(struct sw *sw, struct direction *direction, struct transit *transit)
{
	struct direction *d = direction;

	transit->direction = d;
	transit->frame_no = d->skipped + d->count.frames;
	trail_step(transit->trail, d->name, transit->frame_no);
	count_offered(&d->count, transit->frame.size);
	if (is_cut(sw, d, transit)) {
		drop(sw, d, transit, SW_DROP_CUT);
	} else if (d->perfect) {
		port_tap_enter(sw, transit);
		pass(sw, d, transit);
	} else {
		offer_impaired(sw, d, transit);
	}
}

void direction_arrive(struct sw *sw, struct transit *transit, uint64_t due_ns)
{
	struct direction *d = transit->direction;

	transit->at_ns = due_ns;
	settle_line(d, due_ns);
	d->count.queued--;
	if (d->spec.down) {
		fault_note_add(transit->trail, NOTE_LOST_DOWN, 0, 0, 0);
		drop(sw, d, transit, SW_DROP_DOWN);
	} else if (is_cut(sw, d, transit)) {
		drop(sw, d, transit, SW_DROP_CUT);
	} else {
		pass(sw, d, transit);
	}
}
