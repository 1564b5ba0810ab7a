/* SPDX-License-Identifier: MIT */
/* failing.h - the n-th call of a kind fails, and no other
 *
 * A program that is linked with failing.c (failing_test() in CMake) has the calls
 * below wrapped.  What is tried is done again and again, with the first, the second,
 * ... call of a kind failing, until one round needs fewer calls than that:
 *
 *	for (unsigned n = 1;; n++) {
 *		failing_arm(FAILING_MEMORY, n);
 *		err = operation(&why);
 *		if (!failing_disarm())
 *			break;
 *		... err, a reason, and all as it was before ...
 *	}
 *
 * Memory: malloc, calloc, realloc, strdup, strndup, asprintf, vasprintf of the
 *         project's own code, and of jansson's through base/json_memory.h, but for
 *         reading (json_loadb()), where jansson itself takes it for granted.
 * Files:  open, openat, pipe2, socket, socketpair, accept4, memfd_create,
 *         epoll_create1, timerfd_create: EMFILE.
 * Space:  write, writev, mkdirat, renameat, ftruncate: ENOSPC.
 * Full:   a write to a regular file: it takes half of the bytes, and the next ones none:
 *         ENOSPC.
 * Maps:   mmap: ENOMEM.
 *
 * In a process that is forked meanwhile nothing fails, unless that is asked for.
 *
 * Threads: one.
 */
#ifndef NL_TESTS_FAILING_H
#define NL_TESTS_FAILING_H

#include <stdbool.h>

enum failing_kind {
	FAILING_NOTHING,
	FAILING_MEMORY,
	FAILING_FILES,
	FAILING_SPACE,
	FAILING_FULL,
	FAILING_MAPS,
	FAILING_KINDS,
};

/* From now on the n-th (from 1) call of that kind fails. */
void failing_arm(enum failing_kind kind, unsigned n);
/* Nothing fails any more.  Has one failed? */
bool failing_disarm(void);
/* How many calls before it would have. */
unsigned failing_left(void);
const char *failing_kind_name(enum failing_kind kind);
/* For whole programs (failing_program.c): called when a call fails; forked processes have
 * calls that fail, too. */
void failing_on_failure(void (*told)(void));
void failing_keep_in_forks(void);
/* Descriptors that this process has open. */
unsigned failing_open_files(void);

#endif
