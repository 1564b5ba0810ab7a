/* SPDX-License-Identifier: MIT */
/* place.h - where kernels and their makings lie
 *
 *	$XDG_CACHE_HOME/netlab (or ~/.cache/netlab)
 *	    kernels/NAME/	linux, lib/modules/, kernel.json	(store.h)
 *	    build/KEY/		a build under way: src/, log		(build.h)
 *	    build/lock		held by who builds
 *	    source/		the newest kernel source that was fetched
 *	    apt/		lists of newer Debian releases		(apt.h)
 *	$XDG_CONFIG_HOME/netlab (or ~/.config/netlab)
 *	    kernel		what `netlab kernel use` said: one line
 *
 * Errors:    0 or -errno; -ENAMETOOLONG; -ENOENT if this user has no home.
 * Ownership: the caller's storage.  Nothing is created.
 * Threads:   any.
 */
#ifndef NL_KERNEL_PLACE_H
#define NL_KERNEL_PLACE_H

#include <limits.h>

#include "base/why.h"

/* below: what follows, "" for the folder itself. */
int place_cache(char out[PATH_MAX], const char *below, struct why *why);
int place_config(char out[PATH_MAX], const char *below, struct why *why);

/* Folder, slash, name. */
int place_join(char out[PATH_MAX], const char *folder, const char *name, struct why *why);

#endif
