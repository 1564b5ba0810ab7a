/* SPDX-License-Identifier: MIT */
/* unpack_place.h - what has come takes its place
 *
 * Into a folder that is there: looked at first, so that a conflict (a file where a
 * folder is to be, or the other way round) changes nothing.  A link that is there is
 * replaced or in the way like a file, never followed.
 *
 * Errors:    0 or -errno; *why names the path.
 * Ownership: descriptors are lent.
 * Threads:   any.
 */
#ifndef NL_AGENTPROTO_UNPACK_PLACE_H
#define NL_AGENTPROTO_UNPACK_PLACE_H

#include "base/why.h"

/* from_fd's entry `from` becomes to_fd's entry `to`; path is what to call it. */
int unpack_place(int from_fd, const char *from, int to_fd, const char *to,
		 const char *path, struct why *why);

/* The entries of one folder become the other's. */
int unpack_place_content(int from_fd, int to_fd, const char *path, struct why *why);

#endif
