/* SPDX-License-Identifier: MIT */
#include "cli/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a terminal takes that can be written to is not said; it is more than this. */
enum { TERMINAL_BYTES = 64 };

void outlet_open(struct outlet *outlet, int fd)
{
	char path[32];
	struct stat st;
	int own;

	*outlet = (struct outlet){ .fd = fd, .at_once = SIZE_MAX };
	if (fstat(fd, &st))
		return;
	outlet->is_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !isatty(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0) {
		outlet->fd = own;
		outlet->is_own = true;
	} else {
		outlet->at_once = S_ISFIFO(st.st_mode) ? PIPE_BUF : TERMINAL_BYTES;
	}
}

ssize_t outlet_put(const struct outlet *outlet, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	if (size > outlet->at_once)
		size = outlet->at_once;
	if (outlet->is_socket)
		n = send(outlet->fd, bytes, size, MSG_DONTWAIT);
	else
		n = write(outlet->fd, bytes, size);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

void outlet_close(struct outlet *outlet)
{
	if (outlet->is_own)
		close(outlet->fd);
	outlet->fd = -1;
}

bool outlet_has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}
