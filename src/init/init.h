/* SPDX-License-Identifier: MIT */
/* init.h - from the kernel's first process to a machine with its root in place
 *
 *	init_mounts_early()	proc, sysfs, devtmpfs; the host's files on INIT_HOST
 *	init_modules_*()	what the kernel does not have built in
 *	init_port_open()	the way to the lab
 *	init_root()		the root file system, and into it
 *	init_mounts_late()	proc, sysfs, devtmpfs, devpts, tmpfs, /lab
 *
 * Errors:    0 or a descriptor, or -errno; *why names the step.
 * Threads:   one; process 1 of a machine, once, in this order.
 */
#ifndef NL_INIT_INIT_H
#define NL_INIT_INIT_H

#include "agentproto/params.h"
#include "base/why.h"

#define INIT_HOST    "/.netlab/host" /* hostfs of "/", until init_root() */
#define INIT_LAB_DIR "/lab"

int init_mounts_early(struct why *why);
/* space_fd: see init_root(). */
int init_mounts_late(const struct params *params, int space_fd, struct why *why);

/* A read-only view of a folder of the host. */
int init_mount_hostfs(const char *host_path, const char *target, struct why *why);
/* mkdir -p and mount in one. */
int init_mount(const char *type, const char *target, unsigned long flags,
	       const char *options, struct why *why);

/* *space_fd: the file system that takes what the machine writes, for what else is to
 * share it; the caller closes it. */
int init_root(const struct params *params, int *space_fd, struct why *why);

/* A virtio console port by its name.  init_port_listen() must come before the
 * driver is loaded, and its descriptor (or its error) goes to init_port_open(),
 * which waits for the port, and for the lab at its other end. */
int init_port_listen(void);
int init_port_open(const char *name, int listen_fd, struct why *why);

#endif
