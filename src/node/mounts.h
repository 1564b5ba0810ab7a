/* SPDX-License-Identifier: MIT */
/* mounts.h - mounts by descriptor: clone, restrict, put in place
 *
 * A tree is cloned (open_tree), given its restrictions while nobody can see it
 * (mount_setattr, with everything mounted below), and then moved into place: there
 * is no moment at which it is visible with fewer.  Needs Linux 5.12.
 *
 * dir_fd and path are those of openat().
 *
 * Errors:    0 or -errno with *why.
 * Ownership: mounts_clone() gives a descriptor; mounts_place() lends it.
 * Threads:   any.
 */
#ifndef NL_NODE_MOUNTS_H
#define NL_NODE_MOUNTS_H

#include <stdint.h>
#include <sys/mount.h>

#include "base/why.h"

enum {
	MOUNTS_READ_ONLY = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	MOUNTS_WRITABLE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
};

/* A detached copy of what is at path and below it, with attrs (MOUNT_ATTR_*)
 * added.  Returns its descriptor. */
int mounts_clone(int dir_fd, const char *path, uint64_t attrs, struct why *why);
int mounts_place(int tree_fd, int dir_fd, const char *path, struct why *why);

/* clone and place; path_to is there already. */
int mounts_bind(const char *path_from, int dir_fd, const char *path_to, uint64_t attrs,
		struct why *why);

/* Set and clear attributes of the mount at path, and of all below it. */
int mounts_change(int dir_fd, const char *path, uint64_t set, uint64_t clear,
		  struct why *why);

/* A new file system of that type.  options as in mount(8), or NULL. */
int mounts_new(const char *type, const char *options, uint64_t attrs, int dir_fd,
	       const char *path, struct why *why);

#endif
