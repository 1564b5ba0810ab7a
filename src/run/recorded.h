/* SPDX-License-Identifier: MIT */
/* recorded.h - a run in virtual time as its run directory has it, to be compared with
 *
 * All that the run's digest covers: frames (run/frame_recorder.h), the journal's entries that
 * count (digest_line()), consoles and logs; and the inputs (run/inputs.h), in the order
 * in which they happened.
 *
 * A run that has ended has a digest.json, which says when, and how much of the rest
 * counts.  One that has not, or was killed, ends with the last that is there.  One whose
 * journal has a gap (run/whole.h) ends with the last entry before it: what was done to
 * the machines later is not known.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: recorded_free(); files are mapped, so it lives on in a forked process.
 * Units:     lab time in nanoseconds.
 * Threads:   any; it does not change.
 */
#ifndef NL_RUN_RECORDED_H
#define NL_RUN_RECORDED_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "run/frame_recorder.h"
#include "run/whole.h"
#include "plan/plan.h"

struct recorded_entry {
	uint64_t at_ns;
	const char *text; /* what counts of the line */
	size_t size;
};

struct recorded_input {
	uint64_t at_ns;
	json_t *entry;
};

struct recorded_stream {
	const uint8_t *bytes;
	size_t size; /* that count */
	bool all;    /* nothing that counts is missing at its end */
	bool cut;    /* something is, wherever */
	size_t mapped;
};

struct recorded {
	char path[PATH_MAX];
	bool ended;	   /* there is a digest.json */
	uint64_t end_ns;   /* when */
	char digest[DIGEST_TEXT_BYTES]; /* ended */
	struct whole whole;		/* what is missing */

	const struct frame_record *frames;
	uint64_t frame_count;
	bool frames_all; /* of the run */
	struct recorded_entry *entries;
	size_t entry_count;
	struct recorded_input *inputs;
	size_t input_count;
	struct recorded_stream *consoles; /* by node */
	struct recorded_stream *logs;	  /* of node n from first_log[n] on */
	uint32_t *first_log;		  /* one more at the end */
	struct recorded_stream stdin_bytes;

	/* Its own. */
	char *journal;
	void *frames_map;
	size_t frames_bytes;
	uint32_t node_count;
};

int recorded_read(struct recorded **out, const char *run_dir, const struct plan *plan,
		  struct why *why);
void recorded_free(struct recorded *recorded); /* NULL does nothing */

#endif
