/* SPDX-License-Identifier: MIT */
/* fault.h - what one direction of one link does to a frame
 *
 * A verdict is a function of (spec, state, key, frame's number, frame, now), and so
 * is the state that comes after it.  Nothing here reads a clock, allocates, or keeps
 * a generator: every draw is base/draw.h's keyed hash of the direction, the rule, the
 * frame's number and the name of the decision.  There is no floating point.
 *
 * In this order:
 *
 *	fault_match()     which rules is the frame for?
 *	fault_admit()     down, flap, mtu
 *	fault_multiply()  duplicate, replay; each copy goes on alone:
 *	fault_judge()     loss -> corrupt -> (which line) -> delay, jitter, reorder
 *	fault_edit()      what was decided about its bytes is done to them
 *	fault_line_*()    the line, if it has to wait for one (line.h)
 *	fault_due_ns()    and when it arrives, once it has left that
 *
 * Every rule that matches acts: losses are drawn one after another, delays add up.
 * Only of lines there is one: that of the last rule that has any.
 *
 * Cuts by partition are the switch's: they depend on who sent the frame and who
 * would get it.  docs/faults.md has each model in full.
 *
 * Errors:    none: a spec that fault_spec_check() accepted always has a verdict.
 * Ownership: nothing is kept.
 * Units:     in the names: _ppb parts per billion, _ns nanoseconds.
 * Threads:   pure but for *state and *trail.
 */
#ifndef NL_LINKFAULT_FAULT_H
#define NL_LINKFAULT_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "linkfault/note.h"
#include "linkfault/spec.h"
#include "linkfault/fault_state.h"

enum fault_fate {
	FAULT_PASS,
	FAULT_DOWN,  /* the link is down */
	FAULT_LOSS,  /* lost by a loss model */
	FAULT_LIMIT, /* the queue was full */
	FAULT_AQM,   /* the queue was too long or too slow for RED or CoDel */
	FAULT_FCS,   /* damaged, and the receiver's hardware would have noticed */
	FAULT_MTU,   /* too large */
	FAULT_FATES,
};

struct fault_frame {
	uint64_t no; /* in its direction, from 0 */
	const uint8_t *bytes;
	uint32_t size;
	uint64_t now_ns; /* not before that of the frame before it */
};

/* Which rules the frame is for, a bit each, and its number in each. */
struct fault_matches {
	uint32_t rules;
	uint64_t number[FAULT_RULES_MAX]; /* only for those */
};

void fault_match(struct fault_matches *out, const struct fault_spec *spec,
		 struct fault_state *state, const struct fault_frame *frame);

enum fault_fate fault_admit(const struct fault_spec *spec, struct fault_state *state,
			    const struct fault_matches *matches,
			    const struct fault_frame *frame, struct fault_trail *trail);

enum fault_copy_kind { COPY_ITSELF, COPY_DUPLICATE, COPY_REPLAY };

struct fault_copy {
	enum fault_copy_kind kind;
	uint8_t rule;
	uint64_t later_ns; /* COPY_REPLAY */
};

/* copies[0] is the frame itself; returns how many there are in all. */
unsigned fault_multiply(const struct fault_spec *spec, struct fault_state *state,
			const struct fault_matches *matches,
			const struct fault_frame *frame,
			struct fault_copy copies[FAULT_COPIES_MAX],
			struct fault_trail *trail);

enum { NO_RULE = 255 };

struct fault_verdict {
	enum fault_fate fate;
	uint8_t line;	   /* the rule whose line it goes through, or NO_RULE */
	uint8_t order;	   /* the rule that keeps its order, or NO_RULE */
	bool mark, repair; /* set CE; make checksums right */
	uint8_t flips;	   /* bits to flip */
	uint64_t delay_ns; /* once it has left the line */
	uint32_t flip[FAULT_FLIPS_MAX];
};

/* Copy number `copy` of the frame (0: itself), of copies[copy]. */
void fault_judge(struct fault_verdict *out, const struct fault_spec *spec,
		 struct fault_state *state, const struct fault_matches *matches,
		 const struct fault_frame *frame, unsigned copy,
		 const struct fault_copy *what, struct fault_trail *trail);

static inline bool fault_verdict_edits(const struct fault_verdict *verdict)
{
	return verdict->flips || verdict->mark;
}

/* Flip, repair, mark: in the caller's own copy of the frame. */
void fault_edit(const struct fault_verdict *verdict, uint8_t *bytes, uint32_t size);

/* When it arrives, leaving the line now. */
uint64_t fault_due_ns(struct fault_state *state, uint8_t order, uint64_t delay_ns,
		      uint64_t now_ns, struct fault_trail *trail);

/* Is the link down for what arrives now?  Rules for certain frames only have spoken
 * when it was offered. */
bool fault_is_down(const struct fault_spec *spec, struct fault_state *state,
		   uint64_t now_ns, struct fault_trail *trail);

/* The rule whose rate the line of a rule sends at: that of the state that the link is
 * in, if it has one. */
const struct fault_rule *fault_pace(const struct fault_spec *spec,
				    struct fault_state *state, uint32_t index,
				    uint64_t now_ns);

/* Does who is at the end see a carrier?  own: a copy of state->rule[0] of its own, for
 * now_ns that never goes back.  *change_ns: until when, as far as that is known. */
bool fault_has_carrier(const struct fault_spec *spec, struct fault_rule_state *own,
		       uint64_t now_ns, uint64_t *change_ns);

/* For who looks: is the link up, which state is it in (NULL: it has none), is the rule
 * for frames of this moment? */
bool fault_is_up(const struct fault_spec *spec, const struct fault_state *state,
		 uint64_t now_ns);
const char *fault_in_state(const struct fault_spec *spec, const struct fault_state *state,
			   uint64_t now_ns);
bool fault_rule_in_force(const struct fault_spec *spec, const struct fault_state *state,
			 uint32_t index, uint64_t now_ns);

#endif
