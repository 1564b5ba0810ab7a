/* SPDX-License-Identifier: MIT */
/* build.h - make netlab's own kernel, once for each recipe, source and compiler
 *
 * The key of a kernel is a hash of what it is made of: the source, guest/
 * (recipe.h), the compiler.  A kernel that is there is not made again.  A build goes
 * on where an earlier one of the same key was cut off, and begins anew if that fails.
 *
 *	build/KEY/new		a source that is being unpacked and patched
 *	build/KEY/src		that, whole; make works in here
 *	build/KEY/out		what is installed
 *
 * One build at a time: the second waits.  Afterwards the trees of all builds are
 * removed; the fetched source stays (source.h).
 *
 * Errors:    0 or -errno; -ECANCELED: steps->cancel_fd became readable.  *why says
 *            what failed and what to do.  steps->log is set when there is a log.
 * Ownership: options and steps are borrowed.
 * Threads:   forks: one thread.
 */
#ifndef NL_KERNEL_BUILD_H
#define NL_KERNEL_BUILD_H

#include <stdbool.h>

#include "base/why.h"
#include "kernel/steps.h"
#include "kernel/store.h"

struct build_options {
	const char *source; /* a folder or a tarball; NULL: looked for */
	bool again;	    /* also if there is one; and look for a newer source */
	unsigned jobs;	    /* at once; 0: one a processor */
};

int build_kernel(struct stored *out, bool *was_there, const struct build_options *options,
		 struct steps *steps, struct why *why);

#endif
