/* SPDX-License-Identifier: MIT */
/* steps.h - the steps of a build: which one, how far, its programs and their log
 *
 *	find the source ► fetch it ► unpack and patch ► configure ► compile ► install
 *
 * The whole is a million parts; a step has as many of them as it usually takes of the
 * time, so that who shows progress can tell the time that is left.
 *
 * Errors:    as of run.h; a step that fails names itself and the log.
 * Ownership: the caller's struct; descriptors and texts are borrowed.
 * Threads:   one.
 */
#ifndef NL_KERNEL_STEPS_H
#define NL_KERNEL_STEPS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum step {
	STEP_FIND,
	STEP_FETCH,
	STEP_UNPACK,
	STEP_CONFIGURE,
	STEP_COMPILE,
	STEP_INSTALL,
	STEPS,
};

/* What in a program's output tells how far it is. */
enum step_measure {
	MEASURE_NOTHING,
	MEASURE_LINES,	  /* each line is one */
	MEASURE_OBJECTS,  /* each object that is compiled */
	MEASURE_DOWNLOAD, /* apt's "dlstatus:…:PERCENT:…" */
};

struct steps {
	int cancel_fd; /* readable: stop; 0: never */
	int log_fd;    /* 0: none yet */
	char log[PATH_MAX];
	/* what: "compiling"; at least ten times a second while a program runs. */
	void (*news)(void *ctx, const char *what, uint32_t done_ppm);
	void *ctx;

	enum step step;
	char what[128];
	uint64_t count, expected;
	uint32_t done_ppm; /* never goes back */
	enum step_measure measure;
};

void steps_begin(struct steps *steps, enum step step, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Of what is next run in this step, so much is expected. */
void steps_expect(struct steps *steps, enum step_measure measure, uint64_t expected);

/* Runs a program at low priority, in dir (NULL: here).  kept: NULL, or gets what it
 * printed; the caller frees, also after an error. */
int steps_run(struct steps *steps, const char *dir, const char *const argv[], char **kept,
	      struct why *why);

#endif
