/* SPDX-License-Identifier: MIT */
/* run.h - another program, from its start to its end
 *
 * It runs in a process group of its own, without the caller's terminal: what is read
 * is its output.  When it has ended, or is told to end, nobody of that group is left.
 *
 *	running ──(ends)────────────────────────────► done
 *	   └─(cancel, time out)─► SIGTERM ─(5 s)─► SIGKILL ─► done
 *
 * If the caller is killed, the program gets SIGTERM.
 *
 * Errors:    0; -ECHILD: it ended with another status than 0, see status; -ECANCELED;
 *            -ETIMEDOUT; or -errno.  *why has the program's name.
 * Ownership: run.kept is the caller's to free, also after an error.
 * Threads:   forks: call it from a process with one thread.
 */
#ifndef NL_KERNEL_RUN_H
#define NL_KERNEL_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"

enum { RUN_TICK_MS = 100 };

struct run {
	const char *const *argv; /* argv[0] is looked for in PATH */
	const char *const *envp; /* NULL: the caller's */
	const char *dir;	 /* its working folder; NULL: the caller's */
	int log_fd;		 /* gets what it says; 0: nobody does */
	int cancel_fd;		 /* readable: end it; 0: none */
	int timeout_ms;		 /* silent for so long: end it; 0: however long */
	unsigned cpu_seconds;	 /* 0: as many as it takes */
	bool errors_too;	 /* stderr is read like stdout; else it is dropped */
	bool low_priority;	 /* whatever else the computer does comes first */
	size_t keep_bytes;	 /* the first so many bytes come back in kept */
	/* Each line as it comes, and, at least every RUN_TICK_MS, NULL. */
	void (*line)(void *ctx, const char *line);
	void *ctx;

	char *kept; /* out: with a zero at its end */
	size_t kept_size;
	int status; /* out: of wait() */
};

int run_program(struct run *run, struct why *why);

/* Is there such a program in PATH, or in the places of programs for root? */
bool run_find(const char *name);

#endif
