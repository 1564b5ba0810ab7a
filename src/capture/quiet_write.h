/* SPDX-License-Identifier: MIT */
/* quiet_write.h - write() to what may have no reader, without SIGPIPE
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

ssize_t quiet_write(int fd, const void *bytes, size_t size);

#endif
