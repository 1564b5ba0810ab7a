/* SPDX-License-Identifier: MIT */
/* note.h - what was decided about a frame, in a form that costs nothing to keep
 *
 * Each decision that did something to a frame leaves one note: which model it was
 * and what it drew.  A *trail* is the row of notes that a frame has collected on its
 * way, with the directions that it came through; it travels with the frame, so
 * whoever sees the frame last (a capture, `netlab explain`) can tell all of it.
 *
 *	backup n1->n2 #123: queue 12 of 1000; delayed 37.2ms
 *
 * Notes are numbers until somebody wants words: fault_note_format() is the one
 * place that has them.
 *
 * Errors:    none.  A trail that is full forgets what comes last, and says so.
 * Ownership: a trail borrows the names of its steps.
 * Units:     in the names of the kinds below.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_NOTE_H
#define NL_LINKFAULT_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* value, or of two halves a (low) and b (high), as said here.  Append only. */
enum fault_note_kind {
	NOTE_LOST_DOWN = 1, /* the link is down */
	NOTE_LOST_FLAP,	    /* down by itself (flap, chain) */
	NOTE_LOST_RANDOM,
	NOTE_LOST_GOOD,	       /* Gilbert-Elliott, in the good state */
	NOTE_LOST_BAD,	       /* Gilbert-Elliott, in the bad state */
	NOTE_LOST_STATE,       /* value: the state of the 4-state chain, 3 or 4 */
	NOTE_LOST_LISTED,      /* value: the number that was listed */
	NOTE_LOST_EVERY,       /* value: n of "every n-th" */
	NOTE_LOST_MTU,	       /* a: frame's bytes, b: the limit */
	NOTE_LOST_FCS,	       /* value: the bit that was wrong */
	NOTE_LOST_LIMIT,       /* a: frames in the queue, b: limit_frames */
	NOTE_LOST_LIMIT_BYTES, /* a: bytes in the queue, b: limit_bytes */
	NOTE_LOST_OVERFLOW,    /* drawn among those that waited; a, b as LIMIT */
	NOTE_LOST_RED,	       /* a: average queue in bytes, b: probability, ppm */
	NOTE_LOST_CODEL,       /* value: ns in the queue */
	NOTE_MARKED_RED,       /* CE set; as LOST_RED */
	NOTE_MARKED_CODEL,     /* CE set; as LOST_CODEL */
	NOTE_MARKED_LOSS,      /* CE set where the loss model would have lost it */
	NOTE_DUPLICATED,       /* value: copies made */
	NOTE_DUPLICATE_OF,     /* value: the frame's number */
	NOTE_REPLAYED,	       /* value: ns until it is seen again */
	NOTE_REPLAY_OF,	       /* value: the frame's number */
	NOTE_FLIPPED,	       /* value: bit, from the first of the frame */
	NOTE_REPAIRED,	       /* its checksums were made right again */
	NOTE_QUEUED,	       /* a: frames before it, b: limit_frames */
	NOTE_WAITED,	       /* value: ns for the line, sending included */
	NOTE_HELD,	       /* value: ns, by a clog or a hold */
	NOTE_SLOTTED,	       /* value: ns, for its slot */
	NOTE_DELAYED,	       /* value: ns */
	NOTE_ORDER_KEPT,       /* value: ns later, not to overtake */
	NOTE_REORDERED,	       /* sent without the delay */
	NOTE_CUT,	       /* by a partition; a: from this node, b: to that one */
	NOTE_KINDS,
};

/* 12 bytes, so that a frame's notes fit beside it. */
struct fault_note {
	uint8_t kind;
	uint8_t step;  /* of the trail */
	uint16_t rule; /* the number of its name: rule_name.h; 0: the link's own */
	uint32_t a, b;
};

enum { FAULT_NOTES_MAX = 10, FAULT_STEPS_MAX = 3 };

/* One direction on the way. */
struct fault_step {
	const char *direction;
	uint64_t frame_no; /* there */
};

struct fault_trail {
	uint8_t steps, notes;
	bool forgot;   /* there were more notes */
	uint32_t copy; /* 0: the frame itself; else which copy of it */
	struct fault_step step[FAULT_STEPS_MAX];
	struct fault_note note[FAULT_NOTES_MAX];
};

static inline uint64_t fault_note_value(const struct fault_note *note)
{
	return (uint64_t)note->b << 32 | note->a;
}

static inline void fault_note_add(struct fault_trail *trail, enum fault_note_kind kind,
				  uint16_t rule, uint32_t a, uint32_t b)
{
	if (trail->notes == FAULT_NOTES_MAX) {
		trail->forgot = true;
		return;
	}
	trail->note[trail->notes++] =
		(struct fault_note){ .kind = (uint8_t)kind,
				     .rule = rule,
				     .step = (uint8_t)(trail->steps - (trail->steps > 0)),
				     .a = a,
				     .b = b };
}

static inline void fault_note_add_value(struct fault_trail *trail,
					enum fault_note_kind kind, uint16_t rule,
					uint64_t value)
{
	fault_note_add(trail, kind, rule, (uint32_t)value, (uint32_t)(value >> 32));
}

/* What the line has to say: before the delay that follows it, though that was drawn
 * first; and a frame that the line loses has had none. */
void fault_note_add_line(struct fault_trail *trail, enum fault_note_kind kind,
			 uint16_t rule, uint32_t a, uint32_t b);
/* What the last step has of that kind is not so any more. */
void fault_note_take_back(struct fault_trail *trail, enum fault_note_kind kind);

/* A frame has come; nothing is decided yet. */
static inline void trail_begin(struct fault_trail *trail)
{
	trail->steps = trail->notes = 0;
	trail->forgot = false;
	trail->copy = 0;
}

/* A frame is offered to one more direction. */
static inline void trail_step(struct fault_trail *trail, const char *direction,
			      uint64_t frame_no)
{
	if (trail->steps == FAULT_STEPS_MAX)
		trail->forgot = true;
	else
		trail->step[trail->steps++] = (struct fault_step){ direction, frame_no };
}

/* Where a trail forks: each branch goes on from the mark. */
struct trail_mark {
	uint8_t steps, notes;
	bool forgot;
	uint32_t copy;
};

static inline struct trail_mark trail_mark(const struct fault_trail *trail)
{
	return (struct trail_mark){ trail->steps, trail->notes, trail->forgot,
				    trail->copy };
}

static inline void trail_back_to(struct fault_trail *trail, struct trail_mark mark)
{
	trail->steps = mark.steps;
	trail->notes = mark.notes;
	trail->forgot = mark.forgot;
	trail->copy = mark.copy;
}

enum { FAULT_NOTE_BYTES_MAX = 128, FAULT_TRAIL_BYTES_MAX = 2048 };

/* "bit 811 flipped", "rule votes: lost: random".  Returns text. */
const char *fault_note_format(char text[FAULT_NOTE_BYTES_MAX],
			      const struct fault_note *note);

/* All of it: "backup n1->n2 #123: queue 12 of 1000; delayed 37.2ms", the steps
 * separated by " | "; "" for a trail without a step.  Returns text. */
const char *fault_trail_format(char text[FAULT_TRAIL_BYTES_MAX],
			       const struct fault_trail *trail);

#endif
