/* SPDX-License-Identifier: MIT */
#include "base/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

int ring_init(struct ring *ring, size_t room)
{
	*ring = (struct ring){ .bytes = malloc(room), .room = room };
	return ring->bytes ? 0 : -ENOMEM;
}

void ring_free(struct ring *ring)
{
	free(ring->bytes);
	*ring = (struct ring){ 0 };
}

void ring_put(struct ring *ring, const uint8_t *bytes, size_t size)
{
	/* Of more than fits, only the last bytes would be seen. */
	if (size > ring->room) {
		ring->end += size - ring->room;
		bytes += size - ring->room;
		size = ring->room;
	}
	while (size) {
		size_t at = ring->end % ring->room;
		size_t n = ring->room - at < size ? ring->room - at : size;

		memcpy(ring->bytes + at, bytes, n);
		ring->end += n;
		bytes += n;
		size -= n;
	}
}

uint64_t ring_first(const struct ring *ring)
{
	return ring->end > ring->room ? ring->end - ring->room : 0;
}

size_t ring_peek(const struct ring *ring, uint64_t from, const uint8_t **bytes)
{
	size_t at = from % ring->room;
	uint64_t left = ring->end - from;

	ASSERT(from >= ring_first(ring) && from <= ring->end);
	*bytes = ring->bytes + at;
	return left < ring->room - at ? (size_t)left : ring->room - at;
}

size_t ring_tail(const struct ring *ring, uint8_t *bytes, size_t size)
{
	uint64_t from = ring_first(ring);
	size_t copied = 0;

	if (ring->end - from > size)
		from = ring->end - size;
	while (from < ring->end) {
		const uint8_t *piece;
		size_t n = ring_peek(ring, from, &piece);

		memcpy(bytes + copied, piece, n);
		copied += n;
		from += n;
	}
	return copied;
}

enum { RECORD_VERSION = 1 };

/* Both ways: the values in their order. */
static int ring_record(struct ring *ring, struct record *record, struct why *why)
{
	uint64_t left;

	record_begin(record, "ring", RECORD_VERSION, why);
	record_same(record, ring->room, "the room of the ring");
	record_u64(record, &ring->end);
	left = ring->end - ring_first(ring);
	/* Places stay where they were: in two pieces, if it goes round. */
	while (left && record_ok(record)) {
		size_t at = (ring->end - left) % ring->room;
		size_t n = ring->room - at < left ? ring->room - at : (size_t)left;

		record_bytes(record, ring->bytes + at, n);
		left -= n;
	}
	return record_end(record);
}

int ring_save(const struct ring *ring, struct record *record, struct why *why)
{
	struct ring same = *ring; /* of its bytes nothing is changed */

	return ring_record(&same, record, why);
}

int ring_load(struct ring *ring, struct record *record, struct why *why)
{
	int err = ring_record(ring, record, why);

	if (err)
		ring->end = 0;
	return err;
}
