/* SPDX-License-Identifier: MIT */
/* base/proc.h: a process is told apart from a later one with its number. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"

static pid_t sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void a_living_process_is_alive(void **state)
{
	struct proc_id self;
	struct why why;

	(void)state;
	assert_int_equal(proc_identify(&self, 0, &why), 0);
	assert_int_equal(self.pid, getpid());
	assert_true(self.start_ticks > 0);
	assert_true(proc_alive(&self));
}

static void a_name_with_blanks_and_parentheses_is_read(void **state)
{
	struct proc_id before, after;
	struct why why;

	(void)state;
	assert_int_equal(proc_identify(&before, 0, &why), 0);
	prctl(PR_SET_NAME, ") R 1 2 (x");
	assert_int_equal(proc_identify(&after, 0, &why), 0);
	assert_true(before.start_ticks == after.start_ticks);
}

static void the_same_number_with_another_start_is_somebody_else(void **state)
{
	struct proc_id id;
	struct why why = { "" };
	pid_t pid = sleeper();

	(void)state;
	assert_int_equal(proc_identify(&id, pid, &why), 0);
	id.start_ticks--;
	assert_false(proc_alive(&id));
	assert_int_equal(proc_signal(&id, SIGKILL, &why), -ESRCH);
	assert_int_equal(proc_kill(&id, 1000, &why), 0); /* gone already */
	id.start_ticks++;
	assert_true(proc_alive(&id)); /* and was not touched */
	assert_int_equal(proc_kill(&id, 10000, &why), 0);
	waitpid(pid, NULL, 0);
}

static void a_zombie_is_gone(void **state)
{
	struct proc_id id;
	struct why why;
	siginfo_t info;
	pid_t pid = sleeper();

	(void)state;
	assert_int_equal(proc_identify(&id, pid, &why), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(proc_alive(&id));
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_identify(&id, pid, &why), -ESRCH);
}

static void a_pidfd_tells_the_end(void **state)
{
	struct proc_id id;
	struct why why;
	pid_t pid = sleeper();
	struct pollfd end = { .events = POLLIN };

	(void)state;
	assert_int_equal(proc_identify(&id, pid, &why), 0);
	end.fd = proc_open(&id, &why);
	assert_true(end.fd >= 0);
	assert_int_equal(poll(&end, 1, 0), 0);
	assert_int_equal(proc_signal(&id, SIGTERM, &why), 0);
	assert_int_equal(poll(&end, 1, 10000), 1);
	close(end.fd);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_living_process_is_alive),
		cmocka_unit_test(a_name_with_blanks_and_parentheses_is_read),
		cmocka_unit_test(the_same_number_with_another_start_is_somebody_else),
		cmocka_unit_test(a_zombie_is_gone),
		cmocka_unit_test(a_pidfd_tells_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
