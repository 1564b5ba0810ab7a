/* SPDX-License-Identifier: MIT */
/* source.h - a kernel's source: where there is one, and into a folder with it
 *
 * Looked for, in this order:
 *
 *	1. what is given: a folder or a tarball
 *	2. an installed linux-source package: /usr/src/linux-source-X.Y.tar.*
 *	3. one that was fetched before, in the cache
 *	4. one that the system's apt offers
 *	5. one of a newer release of Debian (apt.h)
 *
 * From 3 to 5 the source is fetched into the cache and stays there, one at a time, so
 * that a changed configuration needs no network.  With `fresh`, 3 is left out.
 *
 * Unpacked is what a User-Mode Linux kernel can be made of: not the code of other
 * processors and of hardware that no machine has, a third of the whole.
 *
 * Errors:    0 or -errno; *why says what was tried and what can be done.
 * Ownership: plain values.
 * Threads:   forks: one thread.
 */
#ifndef NL_KERNEL_SOURCE_H
#define NL_KERNEL_SOURCE_H

#include <limits.h>
#include <stdbool.h>

#include "base/why.h"
#include "kernel/apt.h"
#include "kernel/steps.h"

/* The first release with system calls without ptrace. */
enum { SOURCE_MAJOR_MIN = 6, SOURCE_MINOR_MIN = 16 };

struct source {
	bool folder;	     /* path is a folder, else a tarball */
	char path[PATH_MAX]; /* "": offer is to be fetched first */
	char what[256];	     /* for people, and to tell it from others */
	struct apt_offer offer;
};

int source_find(struct source *out, const char *given, bool fresh, struct steps *steps,
		struct why *why);
/* Fetch it if it is not here; sets path. */
int source_fetch(struct source *source, struct steps *steps, struct why *why);
/* Into dir, which is new.  The source is left as it is. */
int source_unpack(const struct source *source, const char *dir, struct steps *steps,
		  struct why *why);

/* Of an unpacked source, from its Makefile: "7.3.4".  -EINVAL: no kernel's; -ERANGE:
 * too old. */
int source_version(const char *dir, char *version, size_t room, struct why *why);

#endif
