/* SPDX-License-Identifier: MIT */
/* recipe.h - how netlab's own kernel is configured and patched: the folder guest/
 *
 *	kernel.config		the options, on top of allnoconfig
 *	patches/NNNN-*.patch	applied in the order of their names
 *
 * Looked for, in this order, in $NETLAB_GUEST if set (and nowhere else), in
 * PREFIX/share/netlab/guest beside an installed PREFIX/bin/netlab, and in the build
 * tree of the running program.
 *
 * Errors:    0 or -errno; -ENOENT: no such folder.
 * Ownership: recipe_free() frees.
 * Threads:   any.
 */
#ifndef NL_KERNEL_RECIPE_H
#define NL_KERNEL_RECIPE_H

#include <limits.h>
#include <stddef.h>

#include "base/why.h"

enum { RECIPE_HASH_BYTES = 17 };

struct recipe {
	char dir[PATH_MAX];
	char config[PATH_MAX]; /* the file */
	char *fragment;	       /* its text */
	char **patches;	       /* paths, in order */
	size_t patch_count;
	char hash[RECIPE_HASH_BYTES]; /* of the options and patches, in hex */
};

int recipe_read(struct recipe *out, struct why *why);
void recipe_free(struct recipe *recipe);

/* 16 hex digits for a text. */
void recipe_hash(char out[RECIPE_HASH_BYTES], const char *text);

#endif
