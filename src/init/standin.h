/* SPDX-License-Identifier: MIT */
/* standin.h - the machine's own, where the host keeps its own to itself
 *
 * The machine's root is the host's, read by an ordinary process.  What that process may
 * not read (node/closed.h has the list) would be closed to the machine's root as well,
 * which no program expects.  So before the overlay is mounted, its upper layer gets
 *
 *	a folder that is closed: an empty one, with its owner and mode
 *	a file that is closed: a stand-in, if there is one here; else it is not there
 *
 * Stand-ins are what programs cannot do without and Debian's defaults suffice for:
 * shadow and gshadow without a password, sudoers, a host key for sshd, redis.conf.
 * Nothing of the host's secrets is in them.
 *
 * Errors:    0 or -errno; *why names the path.
 * Ownership: all is borrowed for the call.
 * Threads:   process 1 of a machine, once.
 */
#ifndef NL_INIT_STANDIN_H
#define NL_INIT_STANDIN_H

#include "base/why.h"

/* lower: where the host's root is; upper: the layer above it; closed: the list. */
int standin_apply(const char *lower, const char *upper, const char *closed,
		  struct why *why);

/* The folders below run ("/run") that init systems make for servers, of those whose
 * user the machine knows by etc ("/etc"). */
int standin_run_folders(const char *etc, const char *run, struct why *why);

/* "shadow" of a "passwd", "gshadow" of a "group": nobody has a password.  The caller
 * frees; NULL when out of memory. */
char *standin_shadow(const char *passwd);
char *standin_gshadow(const char *group);

#endif
