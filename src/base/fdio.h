/* SPDX-License-Identifier: MIT */
/* fdio.h - whole reads, whole writes, whole files, whole trees
 *
 * For descriptors that block.  Those that do not belong to the loop, except in
 * fdio_send() and fdio_recv(), which are one system call each.
 *
 * dir_fd and path are those of openat(): AT_FDCWD and any path, or a folder's
 * descriptor and a name below it.
 *
 * Errors:    0 or a count, or -errno; *why names the path.
 * Ownership: descriptors are lent, except those that fdio_recv() gives.
 * Threads:   any.
 */
#ifndef NL_BASE_FDIO_H
#define NL_BASE_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/why.h"

enum {
	FDIO_FDS_MAX = 16,    /* in one message */
	FDIO_DEPTH_MAX = 128, /* of a tree to remove */
};

/* Until size bytes or the end: returns the bytes that came, less than size only
 * at the end of file. */
ssize_t fdio_read(int fd, void *bytes, size_t size);
/* All of it, or -errno.  -EPIPE comes without SIGPIPE only if that is ignored. */
int fdio_write(int fd, const void *bytes, size_t size);
/* The same at the end of a regular file, or nothing: a part is taken back. */
int fdio_append(int fd, const void *bytes, size_t size);
int fdio_nonblock(int fd, bool on);

/* One message over a Unix socket, with descriptors beside it (count may be 0).
 * Never raises SIGPIPE.  Returns the bytes sent; size must be at least 1. */
ssize_t fdio_send(int sock, const void *bytes, size_t size, const int *fds,
		  size_t fd_count);
/* *fd_count: room in, descriptors received out; all close on exec.  What finds
 * no room is closed and the call fails with -EMSGSIZE.  0: the peer closed. */
ssize_t fdio_recv(int sock, void *bytes, size_t size, int *fds, size_t *fd_count);

/* mkdir -p.  Folders that are there keep their mode. */
int fdio_make_dirs(const char *path, mode_t mode, struct why *why);

/* A reader sees the old file or the new one, never a part: NAME.tmp, rename. */
int fdio_write_file(int dir_fd, const char *path, const void *bytes, size_t size,
		    mode_t mode, struct why *why);
/* The whole file, with a zero byte behind it that *size does not count; the
 * caller frees.  -EFBIG if it is larger than size_max, -EINVAL or -EISDIR if it is no
 * regular file: nobody is waited for. */
int fdio_read_file(int dir_fd, const char *path, size_t size_max, char **bytes,
		   size_t *size, struct why *why);

/* rm -r below a folder: never follows a symbolic link, never crosses into another
 * file system (-EXDEV), name is one component.  Not there: 0. */
int fdio_remove_tree(int dir_fd, const char *name, struct why *why);

#endif
