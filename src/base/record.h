/* SPDX-License-Identifier: MIT */
/* record.h - a thing's state as plain data: written down, checked, read back
 *
 * Each thing that can be saved has one function that names its values in order, and
 * that function both writes and reads: so what is written is what is read.
 *
 *	save:  record_save(&r)  ─► record_begin ─► values ─► record_end ─► r.bytes, r.size
 *	load:  record_load(&r, bytes, size)  ─► the same calls again ─► record_end
 *
 * There may be several records one after the other; each is for itself.
 *
 *	offset  bytes
 *	0       4      "NLR1"
 *	4       4      version of the kind
 *	8       8      kind: text, zeros behind it
 *	16      8      size of the values in bytes
 *	24      8      checksum of all of the record but this: record_sum()
 *	32      size   the values, without gaps
 *
 * A whole number has 1, 2, 4 or 8 bytes, the lowest first; a truth is a byte, 0 or 1; a
 * text is its length (4 bytes) and its bytes.  There are no pointers: what is referred to
 * has an index, and an index is looked at before it is used.
 *
 * A record that is cut short, damaged, of another kind or version is refused as a whole
 * by record_begin(), before anything of it is read.  The checksum is against accidents,
 * so who reads values checks them all the same.
 *
 * Errors:    sticky.  After the first, each call does nothing (and what is read is 0),
 *            and record_end() returns it: -EBADMSG with a *why that says what is wrong,
 *            in which part, at which byte; -ENOMEM.
 * Ownership: saving, the bytes are the record's until record_free(); loading, they are
 *            lent for as long as the record is used, and it has nothing to free.
 * Threads:   one.
 */
#ifndef NL_BASE_RECORD_H
#define NL_BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum { RECORD_HEADER_BYTES = 32, RECORD_KIND_BYTES = 8 };

struct record {
	bool loading;
	uint8_t *bytes; /* saving: all so far */
	size_t size, room;
	const uint8_t *in; /* loading */
	size_t at;	   /* the next value's place, from the first byte of all */
	size_t begin, end; /* the open record's header; loading: the end of its values */
	char kind[RECORD_KIND_BYTES + 1];
	const char *part; /* which part of it is dealt with, and the how-manieth, */
	uint64_t index;	  /* for who reads the error; NULL: none */
	struct why *why;
	int err;
};

void record_save(struct record *record);
void record_load(struct record *record, const uint8_t *bytes, size_t size);
void record_free(struct record *record);

/* kind: up to RECORD_KIND_BYTES characters.  *why is used until record_end(). */
void record_begin(struct record *record, const char *kind, uint32_t version,
		  struct why *why);
/* 0, or what went wrong since record_begin(); values that nobody has read do. */
int record_end(struct record *record);

/* From here on it is about this part, `"port", 3`; the text is borrowed. */
void record_part(struct record *record, const char *part, uint64_t index);
/* The values make no sense.  Returns -EBADMSG, or the error that was there before. */
int record_refuse(struct record *record, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Memory is short.  The same. */
int record_no_memory(struct record *record);

static inline bool record_ok(const struct record *record)
{
	return !record->err;
}

/* Values. */
void record_u8(struct record *record, uint8_t *value);
void record_u16(struct record *record, uint16_t *value);
void record_u32(struct record *record, uint32_t *value);
void record_u64(struct record *record, uint64_t *value);
void record_i32(struct record *record, int32_t *value);
void record_i64(struct record *record, int64_t *value);
void record_bool(struct record *record, bool *value);
/* A number that must be below that: `what` says what it is ("port"). */
void record_below(struct record *record, uint32_t *value, uint32_t below,
		  const char *what);
/* Must be the same here and there. */
void record_same(struct record *record, uint64_t value, const char *what);
/* How many items of at least so many bytes follow; refused if they cannot be there. */
void record_count(struct record *record, uint64_t *count, size_t item_bytes);
void record_bytes(struct record *record, void *bytes, size_t size);
/* Into an array of `room` bytes, zero at the end. */
void record_text(struct record *record, char *text, size_t room);
/* A text of its own: loading, *text is allocated and the caller's; or NULL. */
void record_string(struct record *record, char **text, size_t bytes_max);

/* The checksum, FNV-1a: each byte counts, and so does its place. */
uint64_t record_sum(const uint8_t *header, const uint8_t *values, size_t size);

#endif
