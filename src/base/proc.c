/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Field 22; the first one that counts from behind the program's name, which may
 * itself hold blanks and parentheses. */
static int parse_stat(const char *stat, char *state, uint64_t *start_ticks)
{
	const char *p = strrchr(stat, ')');

	if (!p || sscanf(p,
			 ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			 "%*d %*d %*d %*d %" SCNu64,
			 state, start_ticks) != 2)
		return -EPROTO;
	return 0;
}

/* The caller's number in the namespace of the /proc in sight. */
static pid_t own_pid(void)
{
	char text[32];
	ssize_t size = readlink("/proc/self", text, sizeof(text) - 1);

	if (size < 0)
		return -errno;
	text[size] = 0;
	return (pid_t)strtol(text, NULL, 10);
}

static int look(pid_t pid, struct proc_id *out, char *state)
{
	char path[64], stat[1024];
	ssize_t got;

	/* Not getpid(): /proc may belong to an outer pid namespace. */
	if (pid == 0 && (pid = own_pid()) < 0)
		return (int)pid;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	got = read(fd, stat, sizeof(stat) - 1);
	if (got < 0)
		return -errno; /* ESRCH: it ended between open and read */
	stat[got] = 0;
	out->pid = pid;
	return parse_stat(stat, state, &out->start_ticks);
}

int proc_identify(struct proc_id *out, pid_t pid, struct why *why)
{
	struct proc_id id;
	char state;
	int err = look(pid, &id, &state);

	if (err)
		return why_errno(why, err, "process %d: /proc/%d/stat", (int)pid,
				 (int)pid);
	*out = id;
	return 0;
}

bool proc_alive(const struct proc_id *id)
{
	struct proc_id now;
	char state;

	if (id->pid <= 0 || look(id->pid, &now, &state))
		return false;
	return now.start_ticks == id->start_ticks && state != 'Z' && state != 'X';
}

int proc_open(const struct proc_id *id, struct why *why)
{
	cleanup_close int fd = -1;

	if (id->pid <= 0)
		return why_set(why, -ESRCH, "process %d is no process", (int)id->pid);
	fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	if (fd < 0)
		return why_errno(why, -errno, "process %d: pidfd_open", (int)id->pid);
	/* Only now: what was looked at before the descriptor existed may be gone. */
	if (!proc_alive(id))
		return why_set(why, -ESRCH, "process %d is gone", (int)id->pid);
	return steal_fd(&fd);
}

int proc_signal(const struct proc_id *id, int signal, struct why *why)
{
	cleanup_close int fd = proc_open(id, why);

	if (fd < 0)
		return fd;
	if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0))
		return why_errno(why, -errno, "process %d: signal %d", (int)id->pid,
				 signal);
	return 0;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int proc_kill(const struct proc_id *id, int timeout_ms, struct why *why)
{
	int64_t until = monotonic_ms() + timeout_ms;
	cleanup_close int fd = proc_open(id, why);
	struct pollfd gone = { .fd = fd, .events = POLLIN };

	if (fd == -ESRCH)
		return 0;
	if (fd < 0)
		return fd;
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) && errno != ESRCH)
		return why_errno(why, -errno, "process %d: kill", (int)id->pid);
	for (;;) {
		int64_t left = until - monotonic_ms();
		int got = poll(&gone, 1, left > 0 ? (int)left : 0);

		if (got > 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return why_errno(why, -errno, "process %d: poll", (int)id->pid);
		if (got == 0)
			return why_set(why, -ETIMEDOUT,
				       "process %d did not end within %d ms of SIGKILL",
				       (int)id->pid, timeout_ms);
	}
}
