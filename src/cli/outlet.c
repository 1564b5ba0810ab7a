/* SPDX-License-Identifier: MIT */
#include "cli/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a terminal takes that can be written to is not said; it is more than this. */
enum { SHARED_BYTES = 64 };

void outlet_open(struct outlet *outlet, int fd)
{
	char path[32];
	struct stat st;

	*outlet = (struct outlet){ .fd = fd, .kind = OUTLET_SHARED };
	if (fstat(fd, &st))
		return;
	if (S_ISREG(st.st_mode))
		outlet->kind = OUTLET_FILE;
	else if (S_ISSOCK(st.st_mode))
		outlet->kind = OUTLET_SOCKET;
	if (!S_ISFIFO(st.st_mode) && !isatty(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		*outlet = (struct outlet){ .fd = fd, .kind = OUTLET_OWN };
}

ssize_t outlet_put(const struct outlet *outlet, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	if (outlet->kind == OUTLET_SHARED && size > SHARED_BYTES)
		size = SHARED_BYTES;
	if (outlet->kind == OUTLET_SOCKET)
		n = send(outlet->fd, bytes, size, MSG_DONTWAIT);
	else
		n = write(outlet->fd, bytes, size);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

void outlet_close(struct outlet *outlet)
{
	if (outlet->kind == OUTLET_OWN)
		close(outlet->fd);
	outlet->fd = -1;
}

bool outlet_has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}
