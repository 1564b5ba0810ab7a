/* SPDX-License-Identifier: MIT */
/* lab_root.h - the host's files as the lab process sees them (sandbox.h)
 *
 * Restrictions set here can be taken off again by whoever made them.  So the lab
 * moves into one more user and mount namespace afterwards, in which they are
 * locked.
 *
 * Errors:  0 or -errno with *why; after an error the process is to end.
 * Threads: the calling process's mount namespace, which must be its own.
 */
#ifndef NL_NODE_LAB_ROOT_H
#define NL_NODE_LAB_ROOT_H

#include "base/why.h"
#include "node/sandbox.h"

int lab_root_restrict(const struct sandbox_lab *config, struct why *why);

#endif
