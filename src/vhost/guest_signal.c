/* SPDX-License-Identifier: MIT */
#include "vhost/guest_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What eventfds are signalled with, made when the first one comes; the process has one. */
static aio_context_t kernel;

/* A descriptor to write to nowhere with. */
static int use_kernel(struct why *why)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere >= 0 && (kernel || syscall(SYS_io_setup, 1, &kernel) == 0))
		return nowhere;
	why_errno(why, -errno, "an eventfd, which this host gives no safe way to signal");
	if (nowhere >= 0)
		close(nowhere);
	return -EPROTO;
}

static void ring_eventfd(const struct guest_signal *signal)
{
	static const char nothing;
	const struct timespec at_once = { 0 };
	struct io_event over;
	struct iocb write_it = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = (uint32_t)signal->nowhere_fd,
		.aio_buf = (uintptr_t)&nothing,
		.aio_nbytes = 1,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)signal->fd,
	};
	struct iocb *all[] = { &write_it };

	/* A write to nowhere is over when io_submit() returns. */
	if (syscall(SYS_io_submit, kernel, 1, all) == 1)
		syscall(SYS_io_getevents, kernel, 1, 1, &over, &at_once);
}

static bool is_unix_socket(int fd)
{
	int domain = 0;
	socklen_t size = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       domain == AF_UNIX;
}

/* Eventfds have no file that stat knows: the kernel names them in its own table. */
static bool is_eventfd(int fd)
{
	char path[32], target[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	return strcmp(target, "anon_inode:[eventfd]") == 0;
}

static int open_again(int fd)
{
	char path[32];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return own < 0 ? -errno : own;
}

void guest_signal_init(struct guest_signal *signal)
{
	*signal = (struct guest_signal){ .fd = -1, .nowhere_fd = -1 };
}

void guest_signal_close(struct guest_signal *signal)
{
	if (signal->fd >= 0)
		close(signal->fd);
	if (signal->nowhere_fd >= 0)
		close(signal->nowhere_fd);
	guest_signal_init(signal);
}

int guest_signal_take(struct guest_signal *signal, int fd, struct why *why)
{
	cleanup_close int given = fd, nowhere = -1;
	enum guest_signal_kind kind;

	guest_signal_close(signal);
	if (fd < 0)
		return 0;
	if (is_unix_socket(given)) {
		kind = GUEST_SIGNAL_SOCKET;
	} else if (fcntl(given, F_GETPIPE_SZ) >= 0) {
		int own = open_again(given);

		if (own < 0)
			return why_errno(why, own, "a pipe that cannot be written to");
		close(steal_fd(&given));
		given = own;
		kind = GUEST_SIGNAL_PIPE;
	} else if (is_eventfd(given)) {
		nowhere = use_kernel(why);
		if (nowhere < 0)
			return nowhere;
		kind = GUEST_SIGNAL_EVENTFD;
	} else {
		return why_set(why, -EPROTO,
			       "its descriptor is no pipe, no Unix socket and no eventfd");
	}
	*signal = (struct guest_signal){ .kind = kind,
					 .fd = steal_fd(&given),
					 .nowhere_fd = steal_fd(&nowhere) };
	return 0;
}

void guest_signal_ring(const struct guest_signal *signal)
{
	const uint64_t one = 1;

	switch (signal->kind) {
	case GUEST_SIGNAL_NONE:
		return;
	case GUEST_SIGNAL_SOCKET:
		while (send(signal->fd, &one, sizeof(one), MSG_DONTWAIT | MSG_NOSIGNAL) <
			       0 &&
		       errno == EINTR)
			;
		return;
	case GUEST_SIGNAL_PIPE:
		while (write(signal->fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
		return;
	case GUEST_SIGNAL_EVENTFD:
		ring_eventfd(signal);
		return;
	}
}
