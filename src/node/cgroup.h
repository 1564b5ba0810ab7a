/* SPDX-License-Identifier: MIT */
/* cgroup.h - what the control groups that we are in leave us
 *
 * Version 2.  A group's limit holds for all below it, so each group from ours to the
 * topmost that can be seen is asked, and the least counts.  What is the group's cache of
 * files is free for who needs it.
 *
 * Errors:    what cannot be read limits nothing.
 * Ownership: plain values.
 * Threads:   any.
 */
#ifndef NL_NODE_CGROUP_H
#define NL_NODE_CGROUP_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

#define CGROUP_OURS  "/proc/self/cgroup"
#define CGROUP_MOUNT "/sys/fs/cgroup"

struct cgroup_limit {
	uint64_t left, max;    /* UINT64_MAX: there is none */
	char file[PATH_MAX]; /* that says so */
};

struct cgroup_room {
	struct cgroup_limit memory; /* bytes */
	struct cgroup_limit processes;
};

/* ours: what says in which group we are; mount: where groups are seen. */
void cgroup_look(struct cgroup_room *out, const char *ours, const char *mount);

/* Is there room for so many machines of the smallest size?  0, or -ENOMEM, -EAGAIN. */
int cgroup_check(const struct cgroup_room *room, size_t machines, struct why *why);

/* How many processes of our group (or of the host, where that cannot be seen) the host's
 * kernel has killed for want of memory, ever. */
uint64_t cgroup_memory_kills(const char *ours, const char *mount);

#endif
