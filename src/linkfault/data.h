/* SPDX-License-Identifier: MIT */
/* data.h - the rows of numbers that some faults need: lists, tables, traces
 *
 *	DATA_NUMBERS   "3,7,9-12"      frames or bits: first and last of each range,
 *	                               ascending, apart
 *	DATA_TABLE     netem's .dist   whole numbers, 8192 to the standard deviation
 *	DATA_SAMPLES   "1ms 1ms 7ms"   delays, one drawn for each frame
 *	DATA_TRACE     the same        delays, taken in turn
 *	DATA_CAPACITY  mahimahi        a millisecond a line, ascending: at each, 1500
 *	                               bytes may pass; the last is the period
 *
 * '#' begins a comment in all but the first.
 *
 * Errors:    -EINVAL, -ERANGE, -ENOMEM with *why, which names the line.
 * Ownership: counted; immutable once made.
 * Units:     nanoseconds (samples, trace), milliseconds (capacity).
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_DATA_H
#define NL_LINKFAULT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum fault_data_kind {
	DATA_NUMBERS,
	DATA_TABLE,
	DATA_SAMPLES,
	DATA_TRACE,
	DATA_CAPACITY,
};

enum { FAULT_DATA_COUNT_MAX = 1 << 20, FAULT_DATA_BYTES_MAX = 16 << 20 };

struct fault_data {
	unsigned refs;
	enum fault_data_kind kind;
	char *name; /* the list as it was written, or the file's name */
	size_t count;
	int64_t value[];
};

/* text ends with a zero byte; name is copied. */
int fault_data_parse(struct fault_data **out, enum fault_data_kind kind, const char *name,
		     const char *text, struct why *why);
/* One that was made before, in another process: values need not be aligned. */
int fault_data_make(struct fault_data **out, enum fault_data_kind kind, const char *name,
		    size_t name_bytes, const void *values, size_t count, struct why *why);
struct fault_data *fault_data_ref(struct fault_data *data); /* NULL is nothing */
void fault_data_free(struct fault_data *data);
/* Could fault_data_parse() have made it?  0 or -EINVAL. */
int fault_data_check(const struct fault_data *data);
/* The same numbers?  Either may be NULL. */
bool fault_data_same(const struct fault_data *a, const struct fault_data *b);

/* DATA_NUMBERS: is the number in it? */
bool fault_data_has(const struct fault_data *data, uint64_t number);

#endif
