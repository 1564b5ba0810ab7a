/* SPDX-License-Identifier: MIT */
/* host.h - what this computer can and cannot do for a lab
 *
 * For `netlab doctor`, and for tests that must know whether they may skip.  What
 * can be tried is tried: the checks make a lab's namespaces and a machine's jail
 * (and leave nothing), trace a process, and time a timer.  All take a tenth of a
 * second.
 *
 * Errors:    a check never fails to give an answer.
 * Ownership: plain values.
 * Threads:   forks: call it from a program with one thread.
 */
#ifndef NL_NODE_HOST_H
#define NL_NODE_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum host_grade {
	HOST_OK,
	HOST_WARN, /* labs run, but something is slower or smaller than it could be */
	HOST_FAIL, /* no lab runs until this is mended */
	HOST_GRADES,
};

enum { HOST_CHECKS_MAX = 24 };

struct host_check {
	const char *name; /* stable, one or two words: "user namespaces" */
	enum host_grade grade;
	char what[512]; /* what was found */
	char fix[512];  /* what to do about it; "" when HOST_OK */
};

struct host_options {
	const char *kernel;  /* as for choice_make() */
	const char *preload; /* the library for packaged kernels, NULL if not found */
};

/* Returns how many checks there are; out has room for HOST_CHECKS_MAX. */
size_t host_examine(struct host_check *out, const struct host_options *options);

/* Can labs run here?  No check failed. */
bool host_able(const struct host_check *checks, size_t count);
const char *host_grade_name(enum host_grade grade); /* "ok", "warn", "fail" */

#endif
