/* SPDX-License-Identifier: MIT */
/* history.h - what happened to the wiring in a run: its plan, and every change
 *
 * Reads plan.json, seed and journal.jsonl of a run directory (run/rundir.h), of a
 * lab that runs, too.
 *
 * Errors:    0 or -errno; *why names the file and the line.
 * Ownership: history_free().
 * Units:     lab time in nanoseconds.
 * Threads:   one.
 */
#ifndef NL_RUN_HISTORY_H
#define NL_RUN_HISTORY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "run/whole.h"

enum change_kind { CHANGE_FAULT, CHANGE_CUT, CHANGE_HEAL, CHANGE_PORT };

struct change {
	enum change_kind kind;
	uint64_t at_ns;	     /* `at` of the entry, by the switch's clock, or its `t` */
	const json_t *entry; /* of the journal */
};

struct history {
	char path[4096]; /* of the run directory */
	json_t *plan;
	uint64_t seed;
	uint64_t floor_ns;	  /* what a frame took at least on each link */
	uint64_t wall_at_zero_ns; /* wall clock when the lab began */
	json_t *entries;	  /* those of the changes */
	struct change *changes;	  /* in the order in which they were made */
	size_t change_count;
	struct whole whole; /* what is missing of the journal */
	bool over;	    /* the lab has come to its end */
};

int history_read(struct history *out, const char *run_dir, struct why *why);
void history_free(struct history *history);

/* The wall clock of a journal entry, since 1970; 0 if it is none. */
uint64_t history_wall_ns(const char *rfc3339);

#endif
