/* SPDX-License-Identifier: MIT */
#include "agent/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/lookup.h"
#include "base/cleanup.h"
#include "base/fdio.h"

enum { TIMER_SLACK_NS = 50000 }; /* the kernel's default; the clock set its own */

/* All the child needs, ready before it is made: it shares our memory until it
 * becomes the program, so it makes system calls and nothing else. */
struct job {
	const struct spawn *spawn;
	struct lookup lookup;
	int fd[3];   /* the child's ends */
	int control; /* terminal to make the controlling one, or -1 */
	sigset_t mask;
	volatile int err; /* errno of what failed, or 0 */
	const char *volatile stage;
};

static _Noreturn void child_failed(struct job *job, const char *stage)
{
	job->err = errno;
	job->stage = stage;
	_exit(127);
}

/* As a shell does: go on to the next folder unless there is a program here that
 * cannot be run; remember that it was forbidden. */
static _Noreturn void child_exec(struct job *job)
{
	char *const *envp = job->spawn->envp;
	int err = ENOENT;

	for (char **path = job->lookup.paths; *path; path++) {
		execve(*path, job->spawn->argv, envp);
		if (errno == ENOEXEC) {
			job->lookup.script_argv[1] = *path;
			execve("/bin/sh", job->lookup.script_argv, envp);
			errno = ENOEXEC;
		}
		if (errno == EACCES)
			err = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			child_failed(job, "");
	}
	errno = err;
	child_failed(job, "");
}

static _Noreturn void child_run(struct job *job)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };

	setsid();
	/* Without its group it runs all the same. */
	if (job->spawn->group_fd > 0 && write(job->spawn->group_fd, "0", 1) < 0)
		job->err = 0;
	if (job->control >= 0 && ioctl(job->control, TIOCSCTTY, 0) < 0)
		child_failed(job, "controlling terminal");
	for (int i = 0; i < 3; i++)
		if (dup2(job->fd[i], i) < 0)
			child_failed(job, "standard streams");
	if (chdir(job->spawn->cwd) < 0)
		child_failed(job, job->spawn->cwd);
	sigaction(SIGPIPE, &plain, NULL);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	sigprocmask(SIG_SETMASK, &job->mask, NULL);
	child_exec(job);
}

/* vfork: a process of this kernel is a process of the host too, and a copy of
 * ours would cost one more for nothing. */
static pid_t __attribute__((noinline)) launch(struct job *job)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = vfork();
	if (pid == 0)
		child_run(job);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int open_null(int *fd, struct why *why)
{
	*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return *fd < 0 ? why_errno(why, -errno, "open /dev/null") : 0;
}

/* A pipe of which one end is ours: end 0 if we read from it. */
static int open_pipe(int *ours, int *childs, int our_end, struct why *why)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return why_errno(why, -errno, "pipe");
	*ours = fds[our_end];
	*childs = fds[!our_end];
	return fdio_nonblock(*ours, true);
}

static int open_tty(const struct spawn *spawn, struct spawned *out, int *slave,
		    struct why *why)
{
	struct winsize size = { .ws_row = spawn->rows, .ws_col = spawn->cols };
	int master;

	if (openpty(&master, slave, NULL, NULL, &size) < 0)
		return why_errno(why, -errno, "pseudo-terminal (is /dev/pts mounted?)");
	fcntl(*slave, F_SETFD, FD_CLOEXEC);
	out->in = master;
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fdio_nonblock(master, true);
	out->out = fcntl(master, F_DUPFD_CLOEXEC, 0);
	return out->out < 0 ? why_errno(why, -errno, "pseudo-terminal") : 0;
}

/* Our ends go to *out, the child's to its[3]; its[] may hold one more than once. */
static int open_streams(const struct spawn *spawn, struct spawned *out, int its[3],
			struct why *why)
{
	int err = 0;

	switch (spawn->io) {
	case SPAWN_TTY:
		return open_tty(spawn, out, &its[0], why);
	case SPAWN_ON_TTY:
		its[0] = open(spawn->tty_path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		return its[0] < 0 ? why_errno(why, -errno, "%s", spawn->tty_path) : 0;
	case SPAWN_QUIET:
		return open_null(&its[0], why);
	case SPAWN_LOG:
		err = open_null(&its[0], why);
		break;
	case SPAWN_PIPES:
		err = open_pipe(&out->in, &its[0], 1, why);
		break;
	}
	err = err ? err : open_pipe(&out->out, &its[1], 0, why);
	return err ? err : open_pipe(&out->err, &its[2], 0, why);
}

static void close_all(int fds[3])
{
	for (int i = 0; i < 3; i++)
		cleanup_close_(&fds[i]);
}

static int why_failed(const struct job *job, int *exit_code, struct why *why)
{
	const char *name = job->spawn->argv[0];

	*exit_code = job->err == ENOENT && !*job->stage ? 127 : 126;
	if (job->err == ENOENT && !*job->stage && !strchr(name, '/'))
		return why_set(why, -ENOENT, "%s: command not found", name);
	if (*job->stage)
		return why_errno(why, -job->err, "%s: %s", name, job->stage);
	return why_errno(why, -job->err, "%s", name);
}

static int run_job(struct job *job, struct spawned *out, int *exit_code, struct why *why)
{
	sigemptyset(&job->mask);
	job->stage = "";
	out->pid = launch(job);
	if (out->pid < 0)
		return why_errno(why, -errno, "%s: fork", job->spawn->argv[0]);
	/* The reaper collects the child that failed: nobody asked for its end. */
	return job->err ? why_failed(job, exit_code, why) : 0;
}

int spawn_program(const struct spawn *spawn, struct spawned *out, int *exit_code,
		  struct why *why)
{
	struct job job = { .spawn = spawn, .control = -1 };
	int its[3] = { -1, -1, -1 };
	int err;

	*exit_code = 126;
	*out = (struct spawned){ .pid = -1, .in = -1, .out = -1, .err = -1 };
	err = open_streams(spawn, out, its, why);
	err = err ? err : lookup_program(&job.lookup, spawn->argv, spawn->envp, why);
	for (int i = 0; i < 3; i++)
		job.fd[i] = its[i] >= 0 ? its[i] : its[0];
	if (spawn->io == SPAWN_TTY || spawn->io == SPAWN_ON_TTY)
		job.control = its[0];
	err = err ? err : run_job(&job, out, exit_code, why);
	lookup_free(&job.lookup);
	close_all(its);
	if (err) {
		int ours[3] = { out->in, out->out, out->err };

		close_all(ours);
	}
	return err;
}
