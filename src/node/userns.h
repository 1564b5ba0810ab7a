/* SPDX-License-Identifier: MIT */
/* userns.h - user namespaces: whose ids are in them, and why there are none
 *
 * Errors:    0 or -errno with *why.
 * Ownership: values and lent descriptors.
 * Threads:   any.
 */
#ifndef NL_NODE_USERNS_H
#define NL_NODE_USERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/why.h"

enum { USERNS_IDS_MAX = 64 };

/* Ids that are the same inside and outside. */
struct userns_ids {
	unsigned id[USERNS_IDS_MAX];
	size_t count;
};

void userns_add(struct userns_ids *ids, unsigned id); /* once; ignored when full */

/* The owners of path and of every folder above it. */
void userns_add_owners(struct userns_ids *uids, struct userns_ids *gids,
		       const char *path);

/* Write the maps of a process.  proc_fd: its folder in /proc.  more_than_own: the
 * writer has privileges, so setgroups() need not be denied. */
int userns_map(int proc_fd, const struct userns_ids *uids, const struct userns_ids *gids,
	       bool more_than_own, struct why *why);

/* The same for a process that is to know its own ids only, and those as the ids that
 * nobody has: whoever it is, all files look the same to it, as of owners that it does not
 * know. */
#define USERNS_NOBODY 65534
int userns_map_nobody(int proc_fd, unsigned uid, unsigned gid, struct why *why);

/* Is this id known in the namespace that we are in? */
bool userns_knows(const char *proc_map, unsigned id);

/* Say why a namespace, or the first privileged act inside one, was refused with
 * err, and which command changes that.  Returns err. */
int userns_explain(int err, const char *what, struct why *why);

#endif
