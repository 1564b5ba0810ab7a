/* SPDX-License-Identifier: MIT */
/* frame_record.h - frames that wait, as values of a record; for the files of this folder
 *
 * Pointers become indices: of ports, of directions (`saved.directions`), of bytes that
 * several share.  switch.h has the format.
 *
 * Errors:    the record's, and nothing is left of a frame that could not be loaded.
 * Ownership: what `struct saved` leads to is freed by who fills it.
 * Threads:   one.
 */
#ifndef NL_SWITCH_FRAME_RECORD_H
#define NL_SWITCH_FRAME_RECORD_H

#include "linkfault/fault_record.h"
#include "switch/core.h"

/* The name of a direction, as the steps of a trail borrow it. */
struct named {
	const char *name;
	uint32_t direction;
};

/* Bytes that several frames share. */
struct shared {
	struct buffer *buffer;
	uint32_t left; /* frames that have not been seen; only while saving */
	uint32_t from, size;
};

struct saved {
	struct record *r;
	struct sw *sw;
	/* Those of links, then those of pairs, segment for segment. */
	struct direction **directions;
	uint32_t direction_count;
	uint64_t *waiting;   /* frames seen there */
	struct named *named; /* by address of the name; only while saving */
	struct shared *shared;
	uint32_t shared_count, shared_first; /* before shared_first, all are used up */
	struct fault_book book;
};

/* The index of the direction with that name, by its address; while saving. */
uint32_t direction_of(const struct saved *s, const char *name);
/* A frame that waits, in a direction or (not under way) in a backlog; loading, it is
 * made.  NULL: there is an error. */
struct hold *hold_record(struct saved *s, struct hold *hold, bool under_way);
/* In a row: for a line, which has `more` to say of each, or in a backlog.  Returns how
 * many. */
uint64_t list_record(struct saved *s, struct hold_list *list,
		     void (*more)(struct saved *s, struct hold *hold));

#endif
