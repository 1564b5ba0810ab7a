/* SPDX-License-Identifier: MIT */
#include "capture/quiet_write.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

ssize_t quiet_write(int fd, enum quiet_kind kind, const void *bytes, size_t size)
{
	const struct timespec at_once = { 0 };
	sigset_t pipe_only, before, pending;
	ssize_t n;
	int err;

	if (kind == QUIET_SOCKET) {
		do {
			n = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		} while (n < 0 && errno == EINTR);
		return n < 0 ? -errno : n;
	}
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	do {
		n = write(fd, bytes, size);
	} while (n < 0 && errno == EINTR);
	err = n < 0 ? errno : 0;
	/* Take back our own signal, not one that somebody else is waiting for. */
	if (err == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_only, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err ? -err : n;
}
