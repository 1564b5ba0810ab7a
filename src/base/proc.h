/* SPDX-License-Identifier: MIT */
/* proc.h - a process, told apart from a later one with the same number
 *
 * A pid alone is not a name: it is used again.  A pid and the time at which that
 * process started (field 22 of /proc/PID/stat, clock ticks since boot) is one,
 * and can be written to a file and looked up by another program.
 *
 * A zombie counts as gone: it runs nothing and holds nothing.
 *
 * All functions look through /proc, so ids are those of the pid namespace that
 * the /proc in sight belongs to.
 *
 * Errors:    0 or -errno.  -ESRCH: that process is gone.
 * Ownership: proc_open() gives a descriptor, which the caller closes.
 * Threads:   any.
 */
#ifndef NL_BASE_PROC_H
#define NL_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"

struct proc_id {
	pid_t pid;
	uint64_t start_ticks;
};

/* Who has this number now?  pid 0: the caller. */
int proc_identify(struct proc_id *out, pid_t pid, struct why *why);
bool proc_alive(const struct proc_id *id);

/* A pidfd: readable when the process has ended.  -ESRCH if it is gone already. */
int proc_open(const struct proc_id *id, struct why *why);

/* Signal that process and no other, even if its number is used again meanwhile. */
int proc_signal(const struct proc_id *id, int signal, struct why *why);

/* SIGKILL, then wait until it is gone, at most timeout_ms.  0 also if it was
 * gone already; -ETIMEDOUT if it is still there. */
int proc_kill(const struct proc_id *id, int timeout_ms, struct why *why);

#endif
