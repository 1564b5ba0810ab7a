/* SPDX-License-Identifier: MIT */
/* Processes that make processes: none is lost, each tells what it should, none stays. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cpu.h"

enum { AT_ONCE = 4, EXEC_EVERY = 4, SIGNAL_EVERY = 7, CODES = 120 };

struct child {
	pid_t pid;
	int number, out;
};

static int code_of(int worker, int number)
{
	return 1 + (worker * 31 + number) % CODES;
}

/* What was executed anew: forked CODE, tells it on descriptor 1. */
int cpu_forked_child(char **args)
{
	int code = args[0] ? (int)strtol(args[0], NULL, 10) : 0;

	return write(1, &code, sizeof(code)) == sizeof(code) ? code : 255;
}

_Noreturn static void be_child(int worker, int number, int out)
{
	static const struct rlimit none;
	int code = code_of(worker, number);
	char text[16];

	if (number % EXEC_EVERY == 0) {
		snprintf(text, sizeof(text), "%d", code);
		dup2(out, 1);
		execl("/proc/self/exe", "lab_cpu", "forked", text, (char *)NULL);
		_exit(254);
	}
	if (write(out, &code, sizeof(code)) != sizeof(code))
		_exit(255);
	if (number % SIGNAL_EVERY == 0) {
		setrlimit(RLIMIT_CORE, &none);
		kill(getpid(), SIGSEGV);
	}
	_exit(code);
}

static int start(struct child *child, int worker, int number)
{
	int ends[2];

	if (pipe(ends))
		return -errno;
	*child = (struct child){ .pid = fork(), .number = number, .out = ends[0] };
	if (child->pid == 0)
		be_child(worker, number, ends[1]);
	close(ends[1]);
	return child->pid < 0 ? -errno : 0;
}

/* 0, or 1 and a message. */
static int finish(const struct child *child, int worker)
{
	int want = code_of(worker, child->number), told = -1, status = -1;
	int signalled = child->number % SIGNAL_EVERY == 0 && child->number % EXEC_EVERY;

	if (read(child->out, &told, sizeof(told)) != sizeof(told) || told != want) {
		fprintf(stderr, "worker %d, child %d told %d, not %d\n", worker,
			child->number, told, want);
		return 1;
	}
	close(child->out);
	if (waitpid(child->pid, &status, 0) != child->pid) {
		fprintf(stderr, "worker %d, child %d is lost: errno %d\n", worker,
			child->number, errno);
		return 1;
	}
	if (signalled ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV
		      : WIFEXITED(status) && WEXITSTATUS(status) == want)
		return 0;
	fprintf(stderr, "worker %d, child %d ended with 0x%x, not %d\n", worker,
		child->number, status, want);
	return 1;
}

static int work(int worker, int children)
{
	struct child running[AT_ONCE];

	for (int done = 0; done < children;) {
		int now = children - done < AT_ONCE ? children - done : AT_ONCE;

		for (int i = 0; i < now; i++)
			if (start(&running[i], worker, done + i)) {
				fprintf(stderr, "worker %d: fork: errno %d\n", worker,
					errno);
				return 1;
			}
		for (int i = 0; i < now; i++)
			if (finish(&running[i], worker))
				return 1;
		done += now;
	}
	/* Nobody is left. */
	return !(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

int cpu_test_forks(char **args)
{
	int processes = args[0] ? (int)strtol(args[0], NULL, 10) : 32;
	int children = args[0] && args[1] ? (int)strtol(args[1], NULL, 10) : 50;
	int ended = 0, failed = 0, status;

	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 2;
		if (pid == 0)
			_exit(work(i, children));
	}
	while (wait(&status) > 0) {
		ended++;
		failed += status != 0;
	}
	printf("%d processes with %d children each, %d of them ended, %d failed\n",
	       processes, children, ended, failed);
	return failed || ended != processes;
}
