/* SPDX-License-Identifier: MIT */
/* unpack.h - a stream (agentproto/file_tree.h) becomes a file or a folder
 *
 *   RECEIVING ──'E'──► PLACING ──► there
 *       └─ an error, the stream's end, a signal ─► nothing is there
 *
 * What comes is made in a folder of its own beside the target, and takes its place
 * when all of it has come: a file replaces a file, a new folder appears whole, and
 * a folder that is there takes the new entries in.  Whoever sent the stream decides
 * about bytes, the nine plain mode bits, times, and names of one component; it can
 * name nothing outside, and no link is ever followed, neither one that it sent nor
 * one that was there.  The owner can always enter a folder.
 *
 * `to` is as for cp(1): a folder that is there takes the source under its own
 * name (a folder without a name of its own: its content); else it is the new name.
 *
 * Errors:    0 or -errno; *why names the path.  -EPROTO: no stream, or one that is
 *            cut short.
 * Ownership: descriptors are lent.
 * Threads:   one in a process: SIGHUP, SIGINT and SIGTERM are caught.
 */
#ifndef NL_AGENTPROTO_UNPACK_H
#define NL_AGENTPROTO_UNPACK_H

#include "agentproto/file_tree.h"
#include "base/why.h"

enum unpack_links {
	UNPACK_LINKS_ANY,    /* in a machine: where a link points is its own affair */
	UNPACK_LINKS_INSIDE, /* only those that cannot lead out of what is copied */
};

/* name: the source's own, "" if it has none. */
int unpack_tree(int in_fd, const char *to, const char *name, enum unpack_links links,
		struct tree_left_out *left, struct why *why);

/* As a program: from stdin.  Returns the exit status. */
int unpack_run(const char *to, const char *name, enum unpack_links links);

/* Cannot a link `depth` folders below what is copied lead out of it?  Only if its
 * way goes up at its beginning and nowhere else, and not too far: then it is so also
 * through other such links. */
bool unpack_link_is_inside(const char *target, unsigned depth);

#endif
