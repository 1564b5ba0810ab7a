/* SPDX-License-Identifier: MIT */
/* comparison.h - a run beside one that was recorded: the first thing that differs
 *
 * Frames, journal entries, and bytes of consoles and logs are given as they come, and
 * each has to be the next of its kind in the recording.  What should have come before
 * a time and has not is missing as soon as anything later comes.  After the first
 * difference nothing is compared any more.
 *
 * At the very instant at which the recording ends, more may happen than it has: it was
 * ended in the middle of it.  And a console may have more then: a machine may have gone a
 * little beyond that instant by itself, and have printed something there.
 *
 * Errors:    creation: -ENOMEM.
 * Ownership: borrows the recording; the divergence's texts are the comparison's.
 * Units:     lab time in nanoseconds; frames of a port and way are numbered from 0.
 * Threads:   pure.
 */
#ifndef NL_RUN_COMPARISON_H
#define NL_RUN_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "run/recorded.h"

enum divergence_kind { DIVERGED_FRAME, DIVERGED_ENTRY, DIVERGED_STREAM };

/* What one of both runs has; absent: nothing. */
struct divergence_side {
	bool there;
	uint64_t at_ns;
	struct frame_record frame; /* DIVERGED_FRAME */
	uint64_t number;	   /* of that frame at its port and way */
	char *text; /* DIVERGED_ENTRY: what counts of it; DIVERGED_STREAM: the line, as
		     * far as it has come */
};

struct divergence {
	enum divergence_kind kind;
	uint64_t at_ns; /* the earlier one of both */
	struct divergence_side was, is;
	uint32_t node, service; /* DIVERGED_STREAM; DIGEST_CONSOLE: its console */
	uint64_t line, byte;	/* DIVERGED_STREAM: from 1, from 0 */
};

struct comparison;

int comparison_create(struct comparison **out, const struct recorded *recorded,
		      uint32_t port_count, struct why *why);
void comparison_destroy(struct comparison *comparison); /* NULL does nothing */

/* Each returns true if that is the first difference. */
bool comparison_frame(struct comparison *comparison, const struct frame_record *frame);
bool comparison_entry(struct comparison *comparison, uint64_t now_ns, const char *text,
		      size_t size);
bool comparison_stream(struct comparison *comparison, uint64_t now_ns, uint32_t node,
		       uint32_t service, const uint8_t *bytes, size_t size);
/* Time has come to now_ns, and all that happens until then has happened. */
bool comparison_until(struct comparison *comparison, uint64_t now_ns);
/* The run has ended, as the recording has: is all that it has there? */
bool comparison_end(struct comparison *comparison);

/* NULL: none until now. */
const struct divergence *comparison_first(const struct comparison *comparison);
uint64_t comparison_frames(const struct comparison *comparison);  /* compared */
uint64_t comparison_entries(const struct comparison *comparison); /* the same */

#endif
