/* SPDX-License-Identifier: MIT */
/* service_cgroup.h - the processes that came of one program, wherever they went
 *
 * A daemon leaves its parent, its session and its terminal; a cgroup it leaves only
 * if it is root and means to.
 *
 * Errors:    -1: there is no such group, for instance because the kernel has no
 *            cgroups or this is no machine; all that is asked of -1 is "nobody".
 * Ownership: descriptors are the caller's.
 * Threads:   any.
 */
#ifndef NL_INIT_SERVICE_CGROUP_H
#define NL_INIT_SERVICE_CGROUP_H

#include <stdbool.h>

#define SERVICE_CGROUPS "/sys/fs/cgroup" /* of a machine */

/* The folder of a new or empty group below root (SERVICE_CGROUPS); NULL: none. */
int service_cgroup_make(const char *root, const char *name);
/* What a process writes "0" into to join. */
int service_cgroup_open_door(int group_fd);

bool service_cgroup_has_members(int group_fd);
/* 0, or -errno: its members cannot be read. */
int service_cgroup_signal(int group_fd, int signal_no);

#endif
