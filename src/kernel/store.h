/* SPDX-License-Identifier: MIT */
/* store.h - the kernels that were built on this computer
 *
 * One folder a kernel, named RELEASE-KEY: "7.3.4-1f0c24aa".  It appears whole, by
 * rename, or not at all; kernel.json in it says what it was made of.
 *
 * Errors:    0 or -errno; -ENOENT: no kernel of that name.  A folder that is no
 *            kernel (a half, somebody else's) is none.
 * Ownership: store_list()'s array is the caller's to free.
 * Threads:   any.
 */
#ifndef NL_KERNEL_STORE_H
#define NL_KERNEL_STORE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "kernel/recipe.h"

enum { STORE_NAME_BYTES_MAX = 96 };

struct stored {
	char name[STORE_NAME_BYTES_MAX];
	char dir[PATH_MAX];
	char release[64];
	char key[RECIPE_HASH_BYTES];	/* of all that it was made of */
	char recipe[RECIPE_HASH_BYTES]; /* of guest/ then */
	char source[256];		/* "linux-source-7.3 7.3.4-1~bpo13+1" */
	char compiler[128];
	uint64_t patches; /* how many */
	int64_t built_s;  /* since 1970 */
};

/* The latest release first, and of one release the latest build. */
int store_list(struct stored **out, size_t *count, struct why *why);
int store_find(struct stored *out, const char *name, struct why *why);

/* The program of a kernel. */
int store_kernel_path(char out[PATH_MAX], const struct stored *kernel, struct why *why);

/* Make a folder that is filled (linux, modules) a kernel of the store; sets name and
 * dir.  dir lies in the cache, too, and is gone afterwards. */
int store_add(struct stored *kernel, const char *dir, struct why *why);
int store_remove(const char *name, struct why *why);

#endif
