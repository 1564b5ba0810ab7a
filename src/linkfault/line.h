/* SPDX-License-Identifier: MIT */
/* line.h - what a frame waits for before it is on its way: rate, queue, gates
 *
 *	offered ─► queue (limit, RED) ─► gates (hold, clog, slots) ─► CoDel ─► sending
 *
 *   rate      a frame of s bytes occupies the line for 8 s' / rate seconds, after
 *             the frames before it; s' = s + overhead, in whole cells if there are
 *             any: ceil(s' / cell) * (cell + cell overhead).  No Ethernet preamble,
 *             gap or FCS is counted unless the overhead does.
 *   capacity  instead of a rate, times at which 1500 bytes may pass (mahimahi):
 *             several small frames share one, a large one takes several, and what
 *             nobody waited for is lost.
 *   limit     a frame that would wait behind limit_frames frames, or with which
 *             more than limit_bytes bytes would wait or be on the line, is one too
 *             many; which one goes then is the queue's policy.
 *   RED       Floyd, Jacobson, "Random early detection gateways", 1993: at each
 *             arrival the average moves by 2^-9 of its distance to the queue;
 *             between minimum and maximum a frame is marked or dropped with
 *             pa = pb / (1 - count pb), pb = p (average - min) / (max - min)
 *   CoDel     RFC 8289, when a frame gets to the front.
 *   slot      nothing leaves but in a slot; the next is min .. max after one was
 *             used; a slot lets through what waits, up to its frames and bytes.
 *   clog      while it is off, nothing leaves; then all of it does, in order.
 *   hold      the same until the hold is lifted.
 *
 * The caller has the frames: it enters each, starts the one at the front when the
 * line is free, and says when it has left.
 *
 * Errors:    none.
 * Ownership: nothing is kept.
 * Units:     in the names.
 * Threads:   pure but for *state.
 */
#ifndef NL_LINKFAULT_LINE_H
#define NL_LINKFAULT_LINE_H

#include "linkfault/chance.h"
#include "linkfault/fault.h"

struct fault_line_entry {
	enum fault_fate fate; /* FAULT_PASS, FAULT_LIMIT, FAULT_AQM */
	bool mark;	      /* it has to be marked CE */
	bool evict; /* number `victim` of those behind the front has to go first */
	uint32_t victim;      /* 0: the one next after the front */
};

/* A frame comes to the queue.  If it passes it has entered.  If one is to be evicted,
 * nothing has been decided: have that leave, and ask again with a key that is
 * FAULT_COPIES_MAX higher; as often as it takes. */
struct fault_line_entry fault_line_enter(const struct fault_rule *rule,
					 struct fault_rule_state *state,
					 struct fault_dice dice,
					 const struct fault_frame *frame,
					 struct fault_trail *trail);

enum fault_line_step {
	LINE_SENDS, /* it leaves at at_ns, perhaps now */
	LINE_WAITS, /* ask again at at_ns; UINT64_MAX: when the spec has changed */
	LINE_DROPS, /* CoDel; the caller says that it has left */
};

struct fault_line_start {
	enum fault_line_step step;
	uint64_t at_ns;
	bool mark;
};

/* The frame at the front, of size bytes, that came at since_ns: what now?  The one
 * before it has left.  pace: whose rate it is (fault_pace()). */
struct fault_line_start fault_line_start(const struct fault_rule *rule,
					 const struct fault_rule *pace,
					 struct fault_rule_state *state, uint32_t size,
					 bool can_mark, uint64_t since_ns,
					 uint64_t now_ns, struct fault_trail *trail);

/* state->line.restart: the trace by which the frame at the front was to leave is gone.
 * It has come through the gates; when does it leave now? */
uint64_t fault_line_restart(const struct fault_rule *rule, const struct fault_rule *pace,
			    struct fault_rule_state *state, uint32_t size,
			    uint64_t since_ns, uint64_t now_ns,
			    struct fault_trail *trail);

/* A frame of size bytes has left the line or the queue. */
void fault_line_leave(struct fault_rule_state *state, uint32_t size, uint64_t now_ns);

#endif
