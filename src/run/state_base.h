/* SPDX-License-Identifier: MIT */
/* state_base.h - the folder of all labs of this user
 *
 * For state.c; others use state.h.  The folder must belong to the user and be
 * closed to everybody else, or it is refused with what to do about it.
 *
 * Errors:    0 or -errno; -ENOENT from state_base_open(.., false): no folder, so no
 *            labs.
 * Ownership: the descriptor is the caller's; closing it gives up the lock.
 */
#ifndef NL_RUN_STATE_BASE_H
#define NL_RUN_STATE_BASE_H

#include <limits.h>
#include <stdbool.h>

#include "base/why.h"

/* Labs may be in several: number 0 is where new ones go. */
enum { STATE_PLACES = 2 };

/* Open the folder and lock it against other changers (waits for them).  Its path
 * goes to path. */
int state_base_open(int *fd, char path[PATH_MAX], unsigned place, bool create,
		    struct why *why);

#endif
