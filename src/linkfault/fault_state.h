/* SPDX-License-Identifier: MIT */
/* fault_state.h - what a direction remembers between frames
 *
 * Chains, repeated draws, counters and the line.  It begins all-zero but for the
 * keys, and only the functions of fault.h and line.h change it: the same spec, keys,
 * frames and times give the same states, and so the same verdicts.
 *
 * Errors:    fault_state_create() returns NULL when memory is short.
 * Ownership: the caller's, until fault_state_free().
 * Units:     nanoseconds of lab time, bytes.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_FAULT_STATE_H
#define NL_LINKFAULT_FAULT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "linkfault/spec.h"

/* A draw that may be used again. */
struct fault_last {
	uint64_t bits;
	bool drawn;
};

/* The period that a random cycle is in. */
struct fault_cycle_state {
	uint64_t n; /* even: on, odd: off */
	uint64_t end_ns;
	bool begun;
};

/* The line of a rule: what is on it, or waits for it. */
struct fault_line {
	uint64_t free_ns;   /* idle from free_ns + free_rest / rate_bps ns on */
	uint64_t free_rest; /* below rate_bps: so no rounding ever adds up */
	uint64_t rate_bps;  /* of the frame before; 0: there was none */
	uint64_t bytes;	    /* of the frames that have not left it */
	uint32_t frames;
	uint32_t front_bytes; /* of the one at the front, if there is one */
	/* RED */
	uint64_t average;    /* of the queue, in bytes / 2^16 */
	uint64_t idle_ns;    /* since when it is empty */
	uint32_t since_drop; /* frames */
	/* CoDel */
	bool dropping;
	uint32_t drops, drops_before;
	uint64_t above_ns; /* when it will have been too slow for an interval; 0: it is
			      not */
	uint64_t drop_next_ns;
	/* slots */
	uint64_t slot_ns, slot_next_ns, slot_no;
	uint32_t slot_frames, slot_bytes; /* passed in this one */
	/* capacity */
	uint64_t opportunity; /* the next one */
	uint32_t left_bytes;  /* of the one at left_ns */
	uint64_t left_ns;
	bool by_trace; /* the front waits for left_ns */
	bool restart;  /* but that trace is gone: it has to be started once more */
	/* clog and hold */
	bool held;
	uint64_t opened_ns; /* when it last let go */
};

struct fault_rule_state {
	uint64_t key;  /* of its draws */
	uint16_t name_number; /* of the rule, for notes */
	uint64_t seen; /* frames that matched */
	uint64_t loss_from, trace_from; /* of those: before the loss, the trace was set */
	uint64_t drop_from;		/* and before drop-first was */
	struct fault_cycle_state when, flap, clog;
	struct fault_chain_state states;
	uint8_t chain; /* gemodel: 0 good, 1 bad; state: 0 (as 1), 1 .. 4 */
	struct fault_last loss, duplicate, corrupt, reorder, jitter;
	uint32_t since_reorder; /* frames */
	uint64_t last_due_ns;	/* keep_order */
	struct fault_line line;
};

struct fault_state {
	uint32_t count;
	struct fault_rule_state rule[];
};

/* For a spec, in a direction of that key.  What rules of the same name had before
 * goes on, unless it belongs to a word that has changed: that begins as if it had been
 * there from the start.  before may be NULL, as may before_spec. */
struct fault_state *fault_state_create(const struct fault_spec *spec, uint64_t key,
				       const struct fault_spec *before_spec,
				       const struct fault_state *before);
void fault_state_free(struct fault_state *state);

#endif
