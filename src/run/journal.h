/* SPDX-License-Identifier: MIT */
/* journal.h - what happened in this run, in order, with its lab time
 *
 * One JSON object a line:
 *
 *	{"n":17,"t":2000131072,"wall":"2026-01-31T14:25:03.000131072Z",
 *	 "event":"fault","direction":"backup n1->n2","fault":{"loss":"10%"}}
 *
 * n counts from 0 without gaps, t is lab time in nanoseconds.  docs/journal.md
 * lists the events.  Each line goes to the file at once, and into a tail in
 * memory of limited size that `events` reads by number.
 *
 * Errors:    creation only.  When the disk takes no more the file ends with a whole line
 *            (journal_error()); what comes later is in the tail.
 * Ownership: the journal owns its descriptor.  Lines are lent until the next entry.
 * Threads:   the loop's.
 */
#ifndef NL_RUN_JOURNAL_H
#define NL_RUN_JOURNAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "clock/clock.h"

enum {
	JOURNAL_TAIL_ENTRIES = 8192,
	JOURNAL_TAIL_BYTES_MAX = 8 << 20,
	JOURNAL_LINE_BYTES_MAX = 256 << 10, /* a longer entry loses its fields */
};

struct journal;

/* fd: of the file, opened for appending; -1: memory only. */
int journal_create(struct journal **out, const struct clock *clock, int fd,
		   struct why *why);
void journal_destroy(struct journal *journal); /* NULL does nothing */

/* Add an entry.  fields is an object whose reference is taken over, or NULL. */
void journal_write(struct journal *journal, const char *event, json_t *fields);

/* The tail holds entries first <= n < next. */
uint64_t journal_first(const struct journal *journal);
uint64_t journal_next(const struct journal *journal);
/* Entry n as a line without its newline, 0 at the end; n must be in the tail.  NULL: there
 * was no memory to make it, so its number is missing in the file, too. */
const char *journal_line(const struct journal *journal, uint64_t n, size_t *size);
/* 0, or -errno: why there are entries that are not in the file; the first reason. */
int journal_error(const struct journal *journal);

/* Called after each entry; one listener. */
void journal_listen(struct journal *journal, void (*grown)(void *ctx), void *ctx);

#endif
