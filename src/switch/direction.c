/* SPDX-License-Identifier: MIT */
#include "switch/direction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/draw.h"
#include "linkfault/chance.h"
#include "linkfault/line.h"
#include "switch/hold.h"
#include "switch/line_queue.h"
#include "switch/port.h"
#include "switch/segment.h"

/* What the end of a direction may have to say of a frame that waited. */
enum { ARRIVAL_NOTES = 1 };

void direction_init(struct direction *direction, uint64_t seed, char *name)
{
	*direction = (struct direction){ .name = name,
					 .key = draw_key(seed, name),
					 .perfect = true };
}

void direction_destroy(struct sw *sw, struct direction *direction)
{
	free(direction->timing);
	for (uint32_t i = 0; direction->lines && i < direction->state->count; i++)
		line_queue_destroy(sw, direction->lines[i]);
	free(direction->lines);
	fault_state_free(direction->state);
	fault_spec_free(direction->spec);
	free(direction->name);
}

/* ---- a change of faults ------------------------------------------------ */

/* The line of the rule of that name, taken out of where it is. */
static struct line_queue *take_line(struct line_queue **lines,
				    const struct fault_spec *spec, const char *name)
{
	for (uint32_t i = 0; spec && lines && i < spec->count; i++) {
		struct line_queue *line = lines[i];

		if (!line || strcmp(spec->rule[i].name, name) != 0)
			continue;
		lines[i] = NULL;
		return line;
	}
	return NULL;
}

/* Lines for the rules that have none; those are in fresh[] then. */
static int make_lines(struct direction *d, const struct fault_spec *spec,
		      struct line_queue **fresh)
{
	for (uint32_t i = 0; i < spec->count; i++) {
		if (!fault_spec_has_line(spec, i))
			continue;
		fresh[i] = line_queue_create(d);
		if (!fresh[i])
			return -ENOMEM;
		fresh[i]->rule = (uint8_t)i;
	}
	return 0;
}

/* Nothing that comes may overtake what keeps its order and was let go of just now. */
static void keep_order(const struct fault_spec *before_spec,
		       const struct fault_state *before, const struct fault_spec *spec,
		       struct fault_state *state)
{
	for (uint32_t i = 0; before && spec && i < spec->count; i++)
		for (uint32_t j = 0; j < before->count; j++)
			if (!strcmp(spec->rule[i].name, before_spec->rule[j].name) &&
			    state->rule[i].last_due_ns < before->rule[j].last_due_ns)
				state->rule[i].last_due_ns = before->rule[j].last_due_ns;
}

static void adopt(struct sw *sw, struct direction *d, struct fault_spec *spec,
		  struct fault_state *state, struct line_queue **lines, uint64_t now_ns)
{
	struct line_queue **old = d->lines;
	struct fault_spec *old_spec = d->spec;
	struct fault_state *old_state = d->state;

	for (uint32_t i = 0; lines && i < spec->count; i++) {
		struct line_queue *kept;

		if (!lines[i])
			continue;
		kept = take_line(old, old_spec, spec->rule[i].name);
		if (!kept) {
			state->rule[i].line = (struct fault_line){ 0 };
			continue;
		}
		line_queue_destroy(sw, lines[i]);
		lines[i] = kept;
		line_queue_renumber(kept, (uint8_t)i, old_spec, old_state, spec, state);
	}
	/* What is left of the old ones has no line any more. */
	for (uint32_t i = 0; old && i < old_spec->count; i++) {
		if (old[i])
			line_queue_flush(sw, old[i], now_ns);
		line_queue_destroy(sw, old[i]);
	}
	keep_order(old_spec, old_state, spec, state);
	d->spec = fault_spec_ref(spec);
	d->state = state;
	d->lines = lines;
	d->perfect = fault_spec_is_perfect(spec);
	for (uint32_t i = 0; lines && i < spec->count; i++)
		if (lines[i])
			line_queue_changed(sw, lines[i], now_ns);
	free(old);
	fault_state_free(old_state);
	fault_spec_free(old_spec);
}

int direction_fault_set(struct sw *sw, struct direction *direction,
			struct fault_spec *spec, uint64_t now_ns)
{
	struct fault_state *state = NULL;
	struct line_queue **lines = NULL;
	int err = 0;

	ASSERT(fault_spec_check(spec, NULL) == 0);
	if (spec) {
		state = fault_state_create(spec, direction->key, direction->spec,
					   direction->state);
		lines = calloc(spec->count, sizeof(struct line_queue *));
		err = state && lines ? make_lines(direction, spec, lines) : -ENOMEM;
	}
	if (err) {
		for (uint32_t i = 0; lines && i < spec->count; i++)
			line_queue_destroy(sw, lines[i]);
		free(lines);
		fault_state_free(state);
		return err;
	}
	adopt(sw, direction, spec, state, lines, now_ns);
	return 0;
}

int direction_fault_load(struct sw *sw, struct direction *direction,
			 struct fault_spec *spec)
{
	ASSERT(!direction->count.queued);
	/* Of what was there, nothing is to go on. */
	if (direction_fault_set(sw, direction, NULL, 0))
		return -ENOMEM;
	return spec ? direction_fault_set(sw, direction, spec, 0) : 0;
}

/* ---- frames ------------------------------------------------------------ */

static bool is_cut(const struct sw *sw, const struct direction *d,
		   const struct transit *transit)
{
	return d->port && cut_matrix_get(&sw->cuts, transit->from->node, d->port->node);
}

void direction_drop(struct sw *sw, struct direction *d, struct transit *transit,
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

/* What a frame takes at least.  A pair is a part of the way from link to link. */
static uint64_t floor_ns(const struct sw *sw, const struct direction *d)
{
	return d->to == TO_MEMBER ? 0 : sw->floor_ns;
}

/* On its way, without a line. */
static void send_off(struct sw *sw, struct direction *d, struct transit *transit,
		     uint8_t order, uint64_t delay_ns)
{
	uint64_t due_ns =
		fault_due_ns(d->state, order, delay_ns, transit->at_ns, transit->trail);
	struct hold *hold;

	if (due_ns <= transit->at_ns) {
		port_tap_enter(sw, transit);
		pass(sw, d, transit);
		return;
	}
	hold = hold_take(sw, transit, ARRIVAL_NOTES);
	if (hold && delay_queue_add(&sw->queue, due_ns, hold)) {
		hold_give(sw, hold);
		hold = NULL;
	}
	if (!hold) {
		direction_drop(sw, d, transit, SW_DROP_POOL);
		return;
	}
	hold->transit.entering = NULL;
	d->count.queued++;
	port_tap_enter(sw, transit);
}

static void go_on(struct sw *sw, struct direction *d, struct transit *transit,
		  const struct fault_verdict *verdict)
{
	if (verdict->line != NO_RULE)
		line_queue_join(sw, d->lines[verdict->line], transit, verdict);
	else
		send_off(sw, d, transit, verdict->order, verdict->delay_ns);
}

static const enum sw_fate fates[FAULT_FATES] = {
	[FAULT_PASS] = SW_PASS,	     [FAULT_DOWN] = SW_DROP_DOWN,
	[FAULT_LOSS] = SW_DROP_LOSS, [FAULT_LIMIT] = SW_DROP_LIMIT,
	[FAULT_AQM] = SW_DROP_AQM,   [FAULT_FCS] = SW_DROP_FCS,
	[FAULT_MTU] = SW_DROP_MTU,
};

/* One copy of the frame that is offered. */
struct offer {
	struct fault_frame frame;
	struct fault_matches matches;
	struct fault_copy copies[FAULT_COPIES_MAX];
};

static void enter_line(struct sw *sw, struct direction *d, struct transit *transit,
		       const struct offer *offer, unsigned copy,
		       struct fault_verdict *verdict)
{
	uint8_t i = verdict->line;
	struct fault_rule_state *state = &d->state->rule[i];
	struct fault_dice dice = { state->key + copy, offer->frame.no };
	struct fault_line_entry entry;

	while ((entry = fault_line_enter(&d->spec->rule[i], state, dice, &offer->frame,
					 transit->trail))
		       .evict) {
		line_queue_evict(sw, d->lines[i], entry.victim);
		dice.key += FAULT_COPIES_MAX;
	}
	verdict->fate = entry.fate;
	verdict->mark |= entry.mark;
}

static void judge(struct sw *sw, struct direction *d, struct transit *transit,
		  const struct offer *offer, unsigned copy)
{
	struct fault_verdict verdict;
	struct buffer *before;
	uint8_t *bytes;

	fault_judge(&verdict, d->spec, d->state, &offer->matches, &offer->frame, copy,
		    &offer->copies[copy], transit->trail);
	if (verdict.fate == FAULT_PASS && verdict.line != NO_RULE)
		enter_line(sw, d, transit, offer, copy, &verdict);
	if (verdict.fate != FAULT_PASS) {
		direction_drop(sw, d, transit, fates[verdict.fate]);
		return;
	}
	if (verdict.delay_ns < floor_ns(sw, d))
		verdict.delay_ns = floor_ns(sw, d);
	if (!fault_verdict_edits(&verdict)) {
		go_on(sw, d, transit, &verdict);
		return;
	}
	bytes = hold_edit_begin(sw, transit, &before);
	if (!bytes) {
		if (verdict.line != NO_RULE)
			fault_line_leave(&d->state->rule[verdict.line],
					 transit->frame.size, transit->at_ns);
		direction_drop(sw, d, transit, SW_DROP_POOL);
		return;
	}
	d->count.edited++;
	fault_edit(&verdict, bytes, transit->frame.size);
	go_on(sw, d, transit, &verdict);
	hold_edit_end(sw, before);
}

static void offer_impaired(struct sw *sw, struct direction *d, struct transit *transit)
{
	struct fault_trail *trail = transit->trail;
	struct trail_mark here, told;
	enum fault_fate fate;
	struct offer offer;
	unsigned count;

	offer.frame = (struct fault_frame){ transit->frame_no, transit->frame.bytes,
					    transit->frame.size, transit->at_ns };
	fault_match(&offer.matches, d->spec, d->state, &offer.frame);
	fate = fault_admit(d->spec, d->state, &offer.matches, &offer.frame, trail);
	if (fate != FAULT_PASS) {
		direction_drop(sw, d, transit, fates[fate]);
		return;
	}
	here = trail_mark(trail);
	count = fault_multiply(d->spec, d->state, &offer.matches, &offer.frame,
			       offer.copies, trail);
	if (count == 1) {
		judge(sw, d, transit, &offer, 0);
		return;
	}
	told = trail_mark(trail);
	d->count.copies += count - 1;
	for (unsigned copy = 0; copy < count; copy++) {
		struct transit one = *transit;

		trail_back_to(trail, copy ? here : told);
		trail->copy = copy;
		/* Only the frame itself came in from the machine. */
		one.entering = copy ? NULL : transit->entering;
		judge(sw, d, &one, &offer, copy);
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
		direction_drop(sw, d, transit, SW_DROP_CUT);
	} else if (!d->perfect) {
		offer_impaired(sw, d, transit);
	} else if (floor_ns(sw, d)) {
		send_off(sw, d, transit, NO_RULE, floor_ns(sw, d));
	} else {
		port_tap_enter(sw, transit);
		pass(sw, d, transit);
	}
}

void direction_arrive(struct sw *sw, struct transit *transit, uint64_t due_ns)
{
	struct direction *d = transit->direction;

	transit->at_ns = due_ns;
	d->count.queued--;
	if (fault_is_down(d->spec, d->state, due_ns, transit->trail)) {
		direction_drop(sw, d, transit, SW_DROP_DOWN);
	} else if (is_cut(sw, d, transit)) {
		direction_drop(sw, d, transit, SW_DROP_CUT);
	} else {
		pass(sw, d, transit);
	}
}
