/* SPDX-License-Identifier: MIT */
/* rerun.h - a recorded run of a virtual lab once more, compared as it goes
 *
 * The recorded inputs (run/inputs.h) are done again at their virtual times, by a client
 * that is none: nobody reads what commands say.  Whatever the digest covers is compared
 * with the recording (run/comparison.h).
 *
 *   RUNNING ──all is done that the recording has──► SAME
 *      ├─────time has come to `until`─────────────► HALTED
 *      ├─────something differs────────────────────► DIVERGED
 *      └─────the lab ends, an input is refused────► BROKEN
 *
 * Inputs of others wait while it is RUNNING.  After it the lab is like any other; at
 * pace max it stands, for the recorded commands that are still under way do not want
 * time to pass.  After DIVERGED it is paused.
 *
 * Errors:    0 or -errno with *why; later ones are the state BROKEN.
 * Ownership: the lab and the recording are borrowed.
 * Units:     lab time in nanoseconds.
 * Threads:   the loop's.
 */
#ifndef NL_LAB_RERUN_H
#define NL_LAB_RERUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "run/comparison.h"
#include "run/recorded.h"

struct lab;
struct rerun;

enum rerun_state {
	RERUN_RUNNING,
	RERUN_SAME,
	RERUN_HALTED,
	RERUN_DIVERGED,
	RERUN_BROKEN,
};

/* What to do again, and how far.  Borrowed by the lab. */
struct rerun_config {
	const struct recorded *recorded;
	uint64_t until_ns; /* 0: to its end */
};

/* Before the lab boots. */
int rerun_create(struct rerun **out, struct lab *lab, const struct rerun_config *config,
		 struct why *why);
void rerun_destroy(struct rerun *rerun); /* NULL does nothing */

/* The run ends here, before its digest is sealed; NULL does nothing. */
void rerun_seal(struct rerun *rerun);

enum rerun_state rerun_state(const struct rerun *rerun); /* NULL: RERUN_HALTED */
/* Grows a few times a second of the host's. */
uint64_t rerun_ticks(const struct rerun *rerun);
const char *rerun_reason(const struct rerun *rerun); /* RERUN_BROKEN */
const struct comparison *rerun_comparison(const struct rerun *rerun);
const struct rerun_config *rerun_config(const struct rerun *rerun);

#endif
