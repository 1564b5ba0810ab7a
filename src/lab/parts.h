/* SPDX-License-Identifier: MIT */
/* parts.h - where netlab's own pieces are: the agent's initramfs, the preload
 *
 * Looked for, in this order, in
 *
 *	$NETLAB_LIBEXEC				if set, nowhere else
 *	the build tree of the running binary	the same places CMake puts them
 *	PREFIX/libexec/netlab			beside an installed PREFIX/bin/netlab
 *
 * Errors:    -ENOENT, *why lists where it was looked for.
 * Threads:   any.
 */
#ifndef NL_LAB_PARTS_H
#define NL_LAB_PARTS_H

#include <limits.h>

#include "base/why.h"

struct parts {
	char initramfs[PATH_MAX]; /* with the agent as /init */
	char preload[PATH_MAX]; /* completes ptrace for packaged kernels; "" if absent */
};

int parts_find(struct parts *out, struct why *why);

#endif
