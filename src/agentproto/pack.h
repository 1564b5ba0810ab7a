/* SPDX-License-Identifier: MIT */
/* pack.h - a file or a folder, sent as a stream (agentproto/file_tree.h)
 *
 * A file is read to its end whatever size it says that it has: those of /proc and
 * /sys say 0.  The path itself may be a link; below it links are sent as links.
 * What is neither file, folder nor link, and what cannot be read, is left out and
 * told; if it is the path itself, that is an error.
 *
 * Errors:    0 or -errno; *why names the path.
 * Ownership: descriptors are lent.
 * Threads:   any.
 */
#ifndef NL_AGENTPROTO_PACK_H
#define NL_AGENTPROTO_PACK_H

#include "agentproto/file_tree.h"
#include "base/why.h"

int pack_tree(const char *path, int out_fd, struct tree_left_out *left,
	      struct why *why);

/* As a program: to stdout.  Returns the exit status. */
int pack_run(const char *path);

#endif
