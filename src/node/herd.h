/* SPDX-License-Identifier: MIT */
/* herd.h - all processes of a machine: how long they ran, and which processor is theirs
 *
 *   first process of its jail ─► kernel ─► stubs, one for each address space in it
 *
 * found by /proc; with hundreds of them that takes time, so it is a walk in steps:
 *
 *   herd_begin() ─► herd_step() ─► ... ─► herd_step() says that it is over
 *
 * To move: a process is moved before its children are asked for, so that one which it
 * starts meanwhile is either among them or has inherited the new processor.
 *
 * Processes end and begin during a walk; what cannot be found any more is left out, as is
 * what goes beyond HERD_MAX processes or HERD_THREADS_MAX threads in one of them: no honest
 * machine has so many.
 *
 * Errors:    -ENOMEM.  A host that does not show children (no CONFIG_PROC_CHILDREN, /proc
 *            with hidepid) has a herd of one.
 * Ownership: herd_free().  It may be freed in the middle of a walk.
 * Units:     nanoseconds of processor time.
 * Threads:   any.
 */
#ifndef NL_NODE_HERD_H
#define NL_NODE_HERD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HERD_STAY = -1, HERD_MAX = 32768, HERD_THREADS_MAX = 64 };

struct herd {
	struct herd_one {
		pid_t pid, parent; /* in the /proc in sight */
		unsigned level;	   /* 0: the first */
	} *all;
	size_t count, room, next;
	int to; /* the number of a processor; HERD_STAY: do not move */

	/* Those that live, and those that have lived and were waited for. */
	uint64_t ran_ns;
	uint64_t waited_ns; /* for a processor; of those that live */
	size_t refused;	    /* that could not be moved */
};

/* first: as the /proc in sight numbers it.  The herd is empty (zero) or has been used. */
int herd_begin(struct herd *herd, pid_t first, int to);
/* `most` threads, and at most HERD_THREADS_MAX beyond.
 * 1: there are more; 0: it is over; or -errno. */
int herd_step(struct herd *herd, size_t most);
void herd_free(struct herd *herd);

/* Have the kernel below that first process and all processes in it stand still, or go on.
 * traced: the kernel traces its stubs, for it has no seccomp.  0 or -errno. */
int herd_stall(pid_t first, bool traced, bool stall);

#endif
