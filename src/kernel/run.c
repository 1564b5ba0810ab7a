/* SPDX-License-Identifier: MIT */
#include "kernel/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

enum {
	END_MS = 5000, /* between SIGTERM and SIGKILL */
	LINE_BYTES_MAX = 4096,
	IOPRIO_WHO_PROCESS = 1,
	IOPRIO_IDLE = 3 << 13,
	EXIT_NO_EXEC = 127,
};

/* Where Debian keeps depmod, which is not in everybody's PATH. */
static const char root_path[] = "/usr/sbin:/sbin";

struct running {
	struct run *run;
	pid_t pid;
	int pidfd, out_fd;
	char line[LINE_BYTES_MAX];
	size_t line_size;
	int spent_ms;
};

bool run_find(const char *name)
{
	cleanup_free char *path = NULL;
	char file[PATH_MAX], *rest, *folder;

	if (asprintf(&path, "%s:%s", getenv("PATH") ?: "/usr/bin:/bin", root_path) < 0)
		return false;
	rest = path;
	while ((folder = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/%s", *folder ? folder : ".", name);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

/* In the child; no return. */
_Noreturn static void become(const struct run *run, int out, pid_t parent)
{
	struct rlimit none = { 0, 0 }, seconds = { run->cpu_seconds, run->cpu_seconds };
	struct sched_param batch = { 0 };
	sigset_t no_signals;
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_NO_EXEC);
	setrlimit(RLIMIT_CORE, &none);
	if (run->cpu_seconds)
		setrlimit(RLIMIT_CPU, &seconds);
	if (run->low_priority) {
		/* Each is a favour to others; none is worth failing for. */
		sched_setscheduler(0, SCHED_BATCH, &batch);
		setpriority(PRIO_PROCESS, 0, 19);
		syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&no_signals);
	sigprocmask(SIG_SETMASK, &no_signals, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(run->errors_too ? out : null, 2) < 0)
		_exit(EXIT_NO_EXEC);
	close_range(3, ~0U, 0);
	if (run->dir && chdir(run->dir))
		_exit(EXIT_NO_EXEC);
	if (run->envp)
		execvpe(run->argv[0], (char *const *)run->argv, (char *const *)run->envp);
	else
		execvp(run->argv[0], (char *const *)run->argv);
	_exit(EXIT_NO_EXEC);
}

static void flush_line(struct running *r)
{
	r->line[r->line_size] = 0;
	if (r->run->line)
		r->run->line(r->run->ctx, r->line);
	r->line_size = 0;
}

static int keep(struct run *run, const char *bytes, size_t size)
{
	size_t room = run->keep_bytes - run->kept_size;
	char *more;

	if (size > room)
		size = room;
	if (!size)
		return 0;
	more = realloc(run->kept, run->kept_size + size + 1);
	if (!more)
		return -ENOMEM;
	memcpy(more + run->kept_size, bytes, size);
	run->kept = more;
	run->kept_size += size;
	more[run->kept_size] = 0;
	return 0;
}

/* Take what is there.  1: more may come; 0: the end. */
static int take(struct running *r)
{
	char bytes[16384];
	ssize_t got = read(r->out_fd, bytes, sizeof(bytes));
	int err;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (got == 0)
		return 0;
	if (r->run->log_fd && (err = fdio_write(r->run->log_fd, bytes, (size_t)got)))
		return err;
	err = keep(r->run, bytes, (size_t)got);
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] == '\n')
			flush_line(r);
		else if (r->line_size < sizeof(r->line) - 1)
			r->line[r->line_size++] = bytes[i];
	}
	return err ? err : 1;
}

static int wait_event(struct running *r, struct pollfd *fds, int count)
{
	int got = poll(fds, (nfds_t)count, RUN_TICK_MS);

	if (got < 0 && errno != EINTR)
		return -errno;
	if (got == 0)
		r->spent_ms += RUN_TICK_MS;
	if (r->run->line)
		r->run->line(r->run->ctx, NULL);
	return got < 0 ? 0 : got;
}

/* Until it ends, or is to be ended. */
static int watch(struct running *r)
{
	struct pollfd fds[] = {
		{ .fd = r->out_fd, .events = POLLIN },
		{ .fd = r->pidfd, .events = POLLIN },
		{ .fd = r->run->cancel_fd ? r->run->cancel_fd : -1, .events = POLLIN },
	};
	int err;

	for (;;) {
		for (int i = 0; i < 3; i++)
			fds[i].revents = 0;
		err = wait_event(r, fds, 3);
		if (err < 0)
			return err;
		if (fds[2].revents)
			return -ECANCELED;
		if (fds[0].revents) {
			err = take(r);
			if (err < 0)
				return err;
			if (!err)
				fds[0].fd = -1;
		} else if (fds[1].revents) {
			/* Ended, and all that it said has been read; whoever else of
			 * its group holds the pipe is not waited for. */
			return 0;
		}
		if (r->run->timeout_ms && r->spent_ms >= r->run->timeout_ms)
			return -ETIMEDOUT;
	}
}

/* Nobody of its group outlives it.  The leader stays a zombie until the last signal,
 * so that the group's number is nobody else's. */
static int end(struct running *r, bool early)
{
	siginfo_t info;

	if (early) {
		struct pollfd gone = { .fd = r->pidfd, .events = POLLIN };

		kill(-r->pid, SIGTERM);
		for (int ms = 0; ms < END_MS; ms += RUN_TICK_MS) {
			char bytes[4096];

			if (poll(&gone, 1, RUN_TICK_MS) > 0)
				break;
			/* Who waits for room in the pipe does not end. */
			while (read(r->out_fd, bytes, sizeof(bytes)) > 0)
				;
		}
		kill(-r->pid, SIGKILL);
		kill(r->pid, SIGKILL); /* before its setpgid() */
	}
	while (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			return -errno;
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &r->run->status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int verdict(const struct run *run, struct why *why)
{
	const char *name = run->argv[0];

	if (!run->status)
		return 0;
	if (WIFSIGNALED(run->status))
		return why_set(why, -ECHILD, "%s was killed by signal %d", name,
			       WTERMSIG(run->status));
	if (WEXITSTATUS(run->status) == EXIT_NO_EXEC)
		return why_set(why, -ECHILD, "%s could not be executed", name);
	return why_set(why, -ECHILD, "%s failed (exit status %d)", name,
		       WEXITSTATUS(run->status));
}

int run_program(struct run *run, struct why *why)
{
	struct running r = { .run = run };
	pid_t parent = getpid();
	int ends[2], err, ended;

	run->kept = NULL;
	run->kept_size = 0;
	run->status = 0;
	if (pipe2(ends, O_CLOEXEC))
		return why_errno(why, -errno, "%s: pipe", run->argv[0]);
	cleanup_close int out_fd = ends[0];
	r.pid = fork();
	if (r.pid == 0)
		become(run, ends[1], parent);
	close(ends[1]);
	if (r.pid < 0)
		return why_errno(why, -errno, "%s: fork", run->argv[0]);
	setpgid(r.pid, r.pid);
	r.out_fd = out_fd;
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0);
	r.pidfd = pidfd;
	err = pidfd < 0 ? -errno : fdio_nonblock(out_fd, true);
	if (!err)
		err = watch(&r);
	ended = end(&r, err != 0);
	if (r.line_size)
		flush_line(&r);
	if (err == -ECANCELED)
		return why_set(why, err, "%s was interrupted", run->argv[0]);
	if (err || ended)
		return why_errno(why, err ? err : ended, "%s", run->argv[0]);
	return verdict(run, why);
}
