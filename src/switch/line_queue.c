/* SPDX-License-Identifier: MIT */
#include "switch/line_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "linkfault/edit.h"
#include "linkfault/line.h"
#include "switch/direction.h"
#include "switch/hold.h"
#include "switch/port.h"

/* What a line, and the delay behind it, may have to say of a frame. */
enum { LINE_NOTES = 5 };

struct line_queue *line_queue_create(struct direction *direction)
{
	struct line_queue *queue = calloc(1, sizeof(*queue));

	if (queue) {
		queue->kind = WAITER_LINE;
		queue->direction = direction;
	}
	return queue;
}

void line_queue_destroy(struct sw *sw, struct line_queue *queue)
{
	struct hold *hold;

	while (queue && (hold = hold_list_pop(&queue->frames)))
		hold_give(sw, hold);
	free(queue);
}

static struct fault_rule_state *state_of(const struct line_queue *queue)
{
	return &queue->direction->state->rule[queue->rule];
}

static void unschedule(struct sw *sw, struct line_queue *queue)
{
	if (queue->scheduled)
		delay_queue_remove(&sw->queue, queue);
	queue->scheduled = false;
}

/* A frame of the queue is lost. */
static void lose(struct sw *sw, struct line_queue *queue, struct hold *hold,
		 enum sw_fate fate)
{
	struct direction *d = queue->direction;

	d->count.queued--;
	d->count.dropped[fate]++;
	port_tap_drop(sw, &hold->transit, fate);
	hold_give(sw, hold);
}

static struct hold *pop(struct line_queue *queue, uint64_t now_ns)
{
	struct hold *hold = hold_list_pop(&queue->frames);

	fault_line_leave(state_of(queue), hold->transit.frame.size, now_ns);
	return hold;
}

/* It has left the line and is on its way. */
static void send_off(struct sw *sw, struct line_queue *queue, struct hold *hold,
		     uint64_t now_ns)
{
	uint64_t due_ns = fault_due_ns(queue->direction->state, hold->order,
				       hold->delay_ns, now_ns, &hold->trail);

	if (delay_queue_add(&sw->queue, due_ns, hold))
		lose(sw, queue, hold, SW_DROP_POOL);
}

/* Mark the frame at the front; false: no memory for its own copy. */
static bool mark(struct sw *sw, struct hold *hold)
{
	const struct fault_verdict verdict = { .mark = true };

	if (!hold_own_bytes(sw, hold))
		return false;
	fault_edit(&verdict, hold->buffer->bytes, hold->transit.frame.size);
	return true;
}

/* As far as it goes. */
static void run(struct sw *sw, struct line_queue *queue, uint64_t now_ns)
{
	struct direction *d = queue->direction;

	while (queue->frames.first) {
		struct hold *front = queue->frames.first;
		struct frame frame = front->transit.frame;
		struct fault_line_start start = fault_line_start(
			&d->spec->rule[queue->rule],
			fault_pace(d->spec, d->state, queue->rule, now_ns),
			state_of(queue), frame.size,
			edit_can_mark(frame.bytes, frame.size), front->transit.at_ns,
			now_ns, &front->trail);

		if (start.step == LINE_DROPS) {
			lose(sw, queue, pop(queue, now_ns), SW_DROP_AQM);
			continue;
		}
		if (start.mark && !mark(sw, front)) {
			lose(sw, queue, pop(queue, now_ns), SW_DROP_POOL);
			continue;
		}
		if (start.step == LINE_WAITS && start.at_ns == UINT64_MAX)
			return; /* line_queue_changed() will tell */
		if (start.at_ns > now_ns) {
			if (delay_queue_add(&sw->queue, start.at_ns, queue)) {
				lose(sw, queue, pop(queue, now_ns), SW_DROP_POOL);
				continue;
			}
			queue->scheduled = true;
			queue->sending = start.step == LINE_SENDS;
			return;
		}
		send_off(sw, queue, pop(queue, now_ns), now_ns);
	}
}

void line_queue_join(struct sw *sw, struct line_queue *queue, struct transit *transit,
		     const struct fault_verdict *verdict)
{
	struct direction *d = queue->direction;
	struct hold *hold = hold_take(sw, transit, LINE_NOTES);

	if (!hold) {
		fault_line_leave(state_of(queue), transit->frame.size, transit->at_ns);
		direction_drop(sw, d, transit, SW_DROP_POOL);
		return;
	}
	hold->delay_ns = verdict->delay_ns;
	hold->order = verdict->order;
	hold->transit.entering = NULL;
	port_tap_enter(sw, transit);
	d->count.queued++;
	hold_list_append(&queue->frames, hold);
	if (queue->frames.first == hold)
		run(sw, queue, transit->at_ns);
}

void line_queue_evict(struct sw *sw, struct line_queue *queue, uint32_t victim)
{
	struct fault_rule_state *state = state_of(queue);
	struct hold *before = queue->frames.first, *hold;
	uint32_t frames = state->line.frames;

	for (uint32_t i = 0; i < victim; i++)
		before = before->next;
	hold = hold_list_remove_after(&queue->frames, before);
	fault_line_leave(state, hold->transit.frame.size, sw->now_ns);
	fault_note_add_line(&hold->trail, NOTE_LOST_OVERFLOW, state->name_number, frames,
			    frames);
	lose(sw, queue, hold, SW_DROP_LIMIT);
}

void line_queue_event(struct sw *sw, struct line_queue *queue, uint64_t now_ns)
{
	queue->scheduled = false;
	if (queue->sending) {
		queue->sending = false;
		send_off(sw, queue, pop(queue, now_ns), now_ns);
	}
	run(sw, queue, now_ns);
}

static uint8_t same_rule(uint8_t rule, const struct fault_spec *before,
			 const struct fault_spec *spec)
{
	for (uint32_t i = 0; i < spec->count; i++)
		if (!strcmp(spec->rule[i].name, before->rule[rule].name))
			return (uint8_t)i;
	return NO_RULE;
}

void line_queue_renumber(struct line_queue *queue, uint8_t rule,
			 const struct fault_spec *before,
			 const struct fault_state *before_state,
			 const struct fault_spec *spec, struct fault_state *state)
{
	uint64_t *last_ns = &state->rule[rule].last_due_ns;

	queue->rule = rule;
	for (struct hold *hold = queue->frames.first; hold; hold = hold->next) {
		uint8_t order = hold->order;

		if (order == NO_RULE)
			continue;
		hold->order = same_rule(order, before, spec);
		if (hold->order != NO_RULE)
			continue;
		/* Who kept its order is gone: from here on the line's own rule does. */
		hold->order = rule;
		if (*last_ns < before_state->rule[order].last_due_ns)
			*last_ns = before_state->rule[order].last_due_ns;
	}
}

/* The trace that the front waited for is another one now. */
static void restart(struct sw *sw, struct line_queue *queue, uint64_t now_ns)
{
	const struct direction *d = queue->direction;
	struct hold *front = queue->frames.first;
	uint64_t at_ns = fault_line_restart(
		&d->spec->rule[queue->rule],
		fault_pace(d->spec, d->state, queue->rule, now_ns), state_of(queue),
		front->transit.frame.size, front->transit.at_ns, now_ns, &front->trail);

	unschedule(sw, queue);
	if (at_ns > now_ns && delay_queue_add(&sw->queue, at_ns, queue) == 0) {
		queue->scheduled = true;
		return;
	}
	queue->sending = false;
	if (at_ns > now_ns)
		lose(sw, queue, pop(queue, now_ns), SW_DROP_POOL);
	else
		send_off(sw, queue, pop(queue, now_ns), now_ns);
	run(sw, queue, now_ns);
}

void line_queue_changed(struct sw *sw, struct line_queue *queue, uint64_t now_ns)
{
	/* What is being sent already leaves as it was going to. */
	if (queue->sending) {
		if (state_of(queue)->line.restart)
			restart(sw, queue, now_ns);
		return;
	}
	unschedule(sw, queue);
	run(sw, queue, now_ns);
}

void line_queue_flush(struct sw *sw, struct line_queue *queue, uint64_t now_ns)
{
	const struct fault_rule *rule = &queue->direction->spec->rule[queue->rule];
	enum fault_note_kind kind =
		rule->hold || rule->clog.on_ns ? NOTE_HELD : NOTE_WAITED;
	struct hold *hold;

	unschedule(sw, queue);
	if (queue->sending)
		fault_note_take_back(&queue->frames.first->trail, NOTE_WAITED);
	queue->sending = false;
	while ((hold = hold_list_pop(&queue->frames))) {
		uint64_t waited_ns = now_ns - hold->transit.at_ns;

		if (waited_ns)
			fault_note_add_line(&hold->trail, kind, rule->name_number,
					    (uint32_t)waited_ns,
					    (uint32_t)(waited_ns >> 32));
		send_off(sw, queue, hold, now_ns);
	}
}
