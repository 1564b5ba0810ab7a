/* SPDX-License-Identifier: MIT */
#include "switch/port.h"

#include <errno.h>

#include "switch/direction.h"
#include "switch/hold.h"
#include "switch/segment.h"

static void tap(struct sw *sw, const struct sw_tap_event *event)
{
	if (sw->config.sink->tap)
		sw->config.sink->tap(sw->config.ctx, event);
}

void port_tap_enter(struct sw *sw, struct transit *transit)
{
	struct frame frame = { transit->entering, transit->frame.size };

	if (!transit->entering)
		return;
	transit->entering = NULL;
	if (transit->from->tapped)
		tap(sw, &(struct sw_tap_event){ .port = transit->from->index,
						.from = transit->from->index,
						.inbound = true,
						.fate = SW_PASS,
						.now_ns = sw->now_ns,
						.frame = frame,
						.trail = transit->trail });
}

void port_tap_drop(struct sw *sw, struct transit *transit, enum sw_fate fate)
{
	const struct direction *d = transit->direction;
	bool late = !transit->entering;
	struct frame frame = { late ? transit->frame.bytes : transit->entering,
			       transit->frame.size };

	transit->entering = NULL;
	if (transit->from->tapped)
		tap(sw, &(struct sw_tap_event){ .port = transit->from->index,
						.from = transit->from->index,
						.inbound = true,
						.fate = fate,
						.late = late,
						.direction = d ? d->name : NULL,
						.frame_no = transit->frame_no,
						.now_ns = sw->now_ns,
						.frame = frame,
						.trail = transit->trail });
}

static void tap_leave(struct sw *sw, const struct port *port,
		      const struct transit *transit)
{
	if (port->tapped)
		tap(sw, &(struct sw_tap_event){ .port = port->index,
						.from = transit->from->index,
						.inbound = false,
						.fate = SW_PASS,
						.now_ns = sw->now_ns,
						.frame = transit->frame,
						.trail = transit->trail });
}

void port_enter(struct sw *sw, struct port *port, struct frame frame)
{
	struct transit transit = { .frame = frame,
				   .from = port,
				   .at_ns = sw->now_ns,
				   .entering = frame.bytes,
				   .trail = &sw->trail };
	enum sw_fate fate = SW_PASS;

	count_offered(&port->in, frame.size);
	if (frame.size < FRAME_BYTES_MIN || frame.size > FRAME_BYTES_MAX)
		fate = SW_DROP_BAD_FRAME;
	else if (!port->up || !port->out_of)
		fate = SW_DROP_NO_PORT;
	if (fate != SW_PASS) {
		port->in.dropped[fate]++;
		port_tap_drop(sw, &transit, fate);
		return;
	}
	count_passed(&port->in, frame.size);
	direction_offer(sw, port->out_of, &transit);
}

static void drop_out(struct sw *sw, struct port *port, struct transit *transit,
		     enum sw_fate fate)
{
	port->out.dropped[fate]++;
	port_tap_drop(sw, transit, fate);
}

static void add_to_backlog(struct sw *sw, struct port *port, struct transit *transit)
{
	struct hold *hold;

	if (port->out.queued >= SW_BACKLOG_FRAMES_MAX ||
	    port->backlog_bytes + transit->frame.size > SW_BACKLOG_BYTES_MAX) {
		drop_out(sw, port, transit, SW_DROP_FULL);
		return;
	}
	hold = hold_take(sw, transit, 1);
	if (!hold) {
		drop_out(sw, port, transit, SW_DROP_POOL);
		return;
	}
	hold_list_append(&port->backlog, hold);
	port->backlog_bytes += transit->frame.size;
	port->out.queued++;
}

/* 0, or -EAGAIN: it must wait.  The sink may take the port down in the call. */
static int hand_over(struct sw *sw, struct port *port, struct transit *transit)
{
	int err = sw->config.sink->deliver(sw->config.ctx, port->index, transit->frame);

	if (err == -EAGAIN && port->up)
		return err;
	if (err) {
		drop_out(sw, port, transit, SW_DROP_NO_PORT);
		return 0;
	}
	count_passed(&port->out, transit->frame.size);
	tap_leave(sw, port, transit);
	return 0;
}

void port_deliver(struct sw *sw, struct port *port, struct transit *transit)
{
	count_offered(&port->out, transit->frame.size);
	if (!port->up)
		drop_out(sw, port, transit, SW_DROP_NO_PORT);
	else if (port->backlog.first || hand_over(sw, port, transit) < 0)
		add_to_backlog(sw, port, transit);
}

static struct hold *pop_backlog(struct port *port)
{
	struct hold *hold = hold_list_pop(&port->backlog);

	if (hold) {
		port->backlog_bytes -= hold->transit.frame.size;
		port->out.queued--;
	}
	return hold;
}

void port_drain(struct sw *sw, struct port *port)
{
	struct hold *hold;
	int err = 0;

	while (!err && (hold = pop_backlog(port))) {
		struct transit transit = hold_begin(sw, hold);

		if (cut_matrix_get(&sw->cuts, transit.from->node, port->node)) {
			fault_note_add(transit.trail, NOTE_CUT, 0, transit.from->node,
				       port->node);
			drop_out(sw, port, &transit, SW_DROP_CUT);
		} else {
			err = hand_over(sw, port, &transit);
		}
		hold_end(sw);
		if (err) {
			hold_list_prepend(&port->backlog, hold);
			port->backlog_bytes += hold->transit.frame.size;
			port->out.queued++;
		} else {
			hold_give(sw, hold);
		}
	}
}

void port_set_up(struct sw *sw, struct port *port, bool up)
{
	struct hold *hold;

	if (port->up == up)
		return;
	port->up = up;
	if (up)
		return;
	while ((hold = pop_backlog(port))) {
		drop_out(sw, port, &hold->transit, SW_DROP_NO_PORT);
		hold_give(sw, hold);
	}
	if (port->segment)
		segment_forget(port->segment, port->member);
}
