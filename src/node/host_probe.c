/* SPDX-License-Identifier: MIT */
#include "node/host_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "clock/clock.h"
#include "node/jail.h"
#include "node/report.h"
#include "node/sandbox.h"

enum { TIMER_ROUNDS = 15 };

static int run_in_jail(struct why *why)
{
	/* By its place on any Debian; the jail's /bin is the host's. */
	char *const argv[] = { "true", NULL }, *const envp[] = { NULL };
	struct jail_spec spec = {
		.work_dir = "/tmp/jail",
		.memory_bytes = 1 << 20,
		.hostname = "probe",
		.cpu = -1,
		.exec = "/bin/true",
		.argv = argv,
		.envp = envp,
	};
	struct jail jail;
	int status, err;
	cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || mkdir(spec.work_dir, 0700))
		return why_errno(why, -errno, "prepare a folder");
	spec.stdio_fd = null;
	err = sandbox_guest_ids(&spec.uid, &spec.gid, why);
	if (!err)
		err = jail_start(&jail, &spec, why);
	if (!err)
		err = jail_await_start(&jail, why);
	if (err)
		return err;
	err = jail_reap(&jail, &status);
	if (err || status != 0)
		return why_set(why, -EIO,
			       "a program in a machine's jail ended with status %#x",
			       (unsigned)status);
	return 0;
}

/* /tmp, because there is one, and only the sandbox sees what is mounted over it. */
static int probe_sandbox(bool jail, struct why *why)
{
	struct sandbox_lab config = { .private_dir = "/tmp", .private_bytes = 1 << 20 };
	int ends[2], err;
	struct why local;
	pid_t pid;

	err = report_open(ends, why);
	if (err)
		return err;
	err = sandbox_fork_lab(&config, &pid, NULL, why);
	if (err) {
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid == 0) {
		err = jail ? run_in_jail(&local) : 0;
		if (err)
			report_fail(ends[1], err, &local);
		_exit(0);
	}
	close(ends[1]);
	err = report_wait(ends[0], why);
	close(ends[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

int host_probe_lab(struct why *why)
{
	return probe_sandbox(false, why);
}

int host_probe_jail(struct why *why)
{
	return probe_sandbox(true, why);
}

int host_probe_ptrace(struct why *why)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return why_errno(why, -errno, "fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return why_set(why, -EPERM, "a process may not be traced by its parent");
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

struct timing {
	struct clock *clock;
	struct loop *loop;
	struct timer timer;
	uint64_t late_ns[TIMER_ROUNDS];
	int rounds;
};

static void fired(void *ctx, uint64_t now_ns)
{
	struct timing *t = ctx;

	t->late_ns[t->rounds++] = clock_now_ns(t->clock) - t->timer.due_ns;
	if (t->rounds == TIMER_ROUNDS)
		loop_stop(t->loop);
	else
		timer_set(t->clock, &t->timer, now_ns + NS_PER_MS);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int host_probe_timer(uint64_t *late_ns, struct why *why)
{
	struct timing t = { .timer.fire = fired, .timer.ctx = &t };
	int err = loop_create(&t.loop, why);

	if (err)
		return err;
	err = clock_real_create(&t.clock, t.loop, why);
	if (!err) {
		timer_set(t.clock, &t.timer, clock_now_ns(t.clock) + NS_PER_MS);
		err = loop_run(t.loop);
		clock_destroy(t.clock);
	}
	loop_destroy(t.loop);
	if (err)
		return err;
	qsort(t.late_ns, TIMER_ROUNDS, sizeof(t.late_ns[0]), by_size);
	*late_ns = t.late_ns[TIMER_ROUNDS / 2];
	return 0;
}
