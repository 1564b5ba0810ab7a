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

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each kind: what its numbers are (a quantity, a time in ns, or the halves a, the low one,
 * and b), how it reads, and what else they mean.  Append only. */
/* clang-format off */
#define FAULT_NOTES(N) \
	N(LOST_DOWN, PLAIN, "lost: the link is down") \
	N(LOST_FLAP, PLAIN, "lost: the link has flapped down") \
	N(LOST_RANDOM, PLAIN, "lost: random") \
	N(LOST_GOOD, PLAIN, "lost: gemodel good state") \
	N(LOST_BAD, PLAIN, "lost: gemodel bad state") \
	N(LOST_STATE, VALUE, "lost: state %" PRIu64) \
	N(LOST_LISTED, VALUE, "lost: number %" PRIu64 " is on the list") \
	N(LOST_EVERY, VALUE, "lost: every %" PRIu64) \
	N(LOST_MTU, PAIR, "lost: %u bytes, mtu %u") /* the frame's bytes, the limit */ \
	N(LOST_FCS, VALUE, "lost: frame check sequence, bit %" PRIu64) \
	N(LOST_LIMIT, PAIR, "lost: queue full, %u of %u frames") \
	N(LOST_LIMIT_BYTES, PAIR, "lost: queue full, %u of %u bytes") \
	N(LOST_OVERFLOW, PAIR, "lost: drawn from the full queue, %u of %u frames") \
	N(LOST_RED, AVERAGE, "lost: red, average queue %u bytes, probability %s") /* b: in ppm */ \
	N(LOST_CODEL, TIME, "lost: codel, %s in the queue") \
	N(MARKED_RED, AVERAGE, "marked CE: red, average queue %u bytes, probability %s") \
	N(MARKED_CODEL, TIME, "marked CE: codel, %s in the queue") \
	N(MARKED_LOSS, PLAIN, "marked CE instead of lost") \
	N(DUPLICATED, VALUE, "duplicated, %" PRIu64 " more") \
	N(DUPLICATE_OF, VALUE, "duplicate of #%" PRIu64) /* the frame's number */ \
	N(REPLAYED, TIME, "to be replayed after %s") \
	N(REPLAY_OF, VALUE, "replay of #%" PRIu64) /* the frame's number */ \
	N(FLIPPED, VALUE, "bit %" PRIu64 " flipped") /* from the first of the frame */ \
	N(REPAIRED, PLAIN, "checksums repaired") \
	N(QUEUED, PAIR, "queue %u of %u") /* frames before it, the limit */ \
	N(WAITED, TIME, "waited %s for the line") /* sending included */ \
	N(HELD, TIME, "held %s") /* by a clog or a hold */ \
	N(SLOTTED, TIME, "waited %s for its slot") \
	N(DELAYED, TIME, "delayed %s") \
	N(ORDER_KEPT, TIME, "delayed %s more to keep the order") \
	N(REORDERED, PLAIN, "reordered: sent without delay") \
	N(CUT, PLAIN, "cut: partition") /* a: from this node, b: to that one */ \
	N(LOST_FIRST, VALUE, "lost: one of the first %" PRIu64)
/* clang-format on */

enum fault_note_kind {
	NOTE_NONE,
#define NOTE(kind, shape, format) NOTE_##kind,
	FAULT_NOTES(NOTE)
#undef NOTE
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
	uint8_t room;  /* for notes */
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
	if (trail->notes >= trail->room) {
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
	trail->room = FAULT_NOTES_MAX;
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
