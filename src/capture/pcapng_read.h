/* SPDX-License-Identifier: MIT */
/* pcapng_read.h - a capture of netlab's, read back
 *
 * Reads what pcapng.h writes: one section in this machine's byte order, interfaces
 * with nanoseconds, enhanced packet blocks.  Blocks and options of other kinds are
 * passed over, so a file that another program has added to can be read, too.
 *
 * Errors:    -EINVAL with what is wrong and at which byte; a file that ends within a
 *            block (its writer was killed) ends before it.
 * Ownership: the file's content is mapped until pcapng_close(); a record borrows from
 *            it, and its comment from the reader, until the next one.
 * Threads:   one per file.
 */
#ifndef NL_CAPTURE_PCAPNG_READ_H
#define NL_CAPTURE_PCAPNG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "capture/pcapng.h"

struct pcapng_file {
	const uint8_t *bytes;
	size_t size, at;
	char **interfaces; /* names; "" for one without */
	size_t interface_count;
	uint64_t count; /* records that were read */
	bool cut_short; /* it ended within a block */
	bool ended;	/* its writer came to the end: there are statistics, last of all */
	uint64_t missed; /* frames that its writer found no room for, as those say */
	char comment[PCAPNG_TEXT_BYTES_MAX + 1];
};

struct pcapng_record {
	uint64_t number; /* in the file, from 1: frame.number of tshark */
	uint32_t interface;
	uint64_t wall_ns;
	const uint8_t *bytes;
	uint32_t captured, size;
	uint32_t flags;	     /* 0: none were given */
	const char *comment; /* "": none */
	uint64_t id;	     /* or PCAPNG_NO_ID */
	int verdict;	     /* or PCAPNG_NO_VERDICT */
};

int pcapng_open(struct pcapng_file *out, const char *path, struct why *why);
/* The bytes are borrowed. */
void pcapng_open_bytes(struct pcapng_file *out, const uint8_t *bytes, size_t size);
/* 1: a record, 0: the end, or -EINVAL. */
int pcapng_next(struct pcapng_file *file, struct pcapng_record *record, struct why *why);
void pcapng_close(struct pcapng_file *file);

#endif
