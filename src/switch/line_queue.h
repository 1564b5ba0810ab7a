/* SPDX-License-Identifier: MIT */
/* line_queue.h - the frames that wait for a direction's line
 *
 *	join ─► idle ──► sending ──(left)──► on its way, or arrived
 *	          └────► waiting for a gate ──► ...
 *
 * linkfault/line.h decides; here are the frames themselves, in order, and the time
 * at which to ask again, as an entry of the switch's delay queue.
 *
 * Errors:    line_queue_create() returns NULL when memory is short; a frame that
 *            cannot be kept is dropped and counted.
 * Ownership: a queue owns the holds in it.
 * Threads:   one.
 */
#ifndef NL_SWITCH_LINE_QUEUE_H
#define NL_SWITCH_LINE_QUEUE_H

#include "switch/core.h"

struct line_queue *line_queue_create(struct direction *direction);
/* Its frames are given back, uncounted: the switch ends. */
void line_queue_destroy(struct sw *sw, struct line_queue *queue); /* NULL is nothing */

/* The frame has entered the line (fault_line_enter()). */
void line_queue_join(struct sw *sw, struct line_queue *queue, struct transit *transit,
		     const struct fault_verdict *verdict);
/* Number `victim` of those behind the front has been drawn: it leaves. */
void line_queue_evict(struct sw *sw, struct line_queue *queue, uint32_t victim);
/* The time that it asked for has come. */
void line_queue_event(struct sw *sw, struct line_queue *queue, uint64_t now_ns);
/* Its rule has that number in the new spec.  Whose rule keeps their order is found there
 * by name; if it is gone, the line's own keeps it. */
void line_queue_renumber(struct line_queue *queue, uint8_t rule,
			 const struct fault_spec *before,
			 const struct fault_state *before_state,
			 const struct fault_spec *spec, struct fault_state *state);
/* The spec has changed: look again. */
void line_queue_changed(struct sw *sw, struct line_queue *queue, uint64_t now_ns);
/* There will be no line any more: all of them are on their way now, in the order that
 * they were to keep.  Spec and state are still those that they waited for. */
void line_queue_flush(struct sw *sw, struct line_queue *queue, uint64_t now_ns);

#endif
