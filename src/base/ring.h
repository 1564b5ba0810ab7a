/* SPDX-License-Identifier: MIT */
/* ring.h - the last bytes of a stream, for readers who come and go
 *
 * Every byte has its place, counted from the stream's beginning.  The ring holds
 * places ring_first() .. ring->end; a reader keeps its own place and can see how
 * much it missed.
 *
 * Saved (base/record.h, kind "ring", version 1): room, end, and the bytes of the places
 * that it holds, the first first.  It is loaded into a ring of the same room, and what was
 * in that is gone; readers' places stay what they were.
 *
 * Errors:    ring_init(): -ENOMEM.  ring_save(), ring_load(): the record's; a ring that
 *            could not be loaded is empty.
 * Ownership: ring_init() allocates, ring_free() frees; what ring_peek() lends is
 *            valid until the next ring_put().
 */
#ifndef NL_BASE_RING_H
#define NL_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

struct ring {
	uint8_t *bytes;
	size_t room;
	uint64_t end;
};

int ring_init(struct ring *ring, size_t room); /* 0 or -ENOMEM */
void ring_free(struct ring *ring);
void ring_put(struct ring *ring, const uint8_t *bytes, size_t size);
uint64_t ring_first(const struct ring *ring);
/* Bytes from place `from` on that lie in one piece; at most ring->end - from.
 * from must be within ring_first() .. end. */
size_t ring_peek(const struct ring *ring, uint64_t from, const uint8_t **bytes);
/* Copy the last up to size bytes; returns how many. */
size_t ring_tail(const struct ring *ring, uint8_t *bytes, size_t size);

int ring_save(const struct ring *ring, struct record *record, struct why *why);
int ring_load(struct ring *ring, struct record *record, struct why *why);

#endif
