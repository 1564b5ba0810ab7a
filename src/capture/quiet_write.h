/* SPDX-License-Identifier: MIT */
/* quiet_write.h - write() to what may have no reader, without SIGPIPE and without waiting
 *
 * A process that ignores SIGPIPE passes that on to the programs it starts, so the
 * signal is held back for the length of the call only.
 *
 * Errors:    as write(2): bytes written or -errno; -EPIPE: nobody reads any more.
 * Threads:   the caller's own signal mask is used and restored.
 */
#ifndef NL_CAPTURE_QUIET_WRITE_H
#define NL_CAPTURE_QUIET_WRITE_H

#include <stddef.h>
#include <sys/types.h>

enum quiet_kind {
	QUIET_FILE,   /* regular: never full, or full for good */
	QUIET_PIPE,   /* or a terminal: an open file of our own, non-blocking */
	QUIET_SOCKET, /* maybe somebody else's, too: asked not to wait each time */
};

ssize_t quiet_write(int fd, enum quiet_kind kind, const void *bytes, size_t size);

#endif
