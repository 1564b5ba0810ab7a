/* SPDX-License-Identifier: MIT */
/* All processes of a machine, played by a family of this test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cpus.h"
#include "clock/clock.h"
#include "node/herd.h"

enum { STUBS = 40 };

/* first ─► kernel ─► STUBS stubs; the kernel starts one more for each byte it is sent. */
static struct {
	pid_t first;
	int orders, answers;
} family;

/* Ends with its parent, which may have ended already. */
static void follow(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

static void become_stub(pid_t parent)
{
	follow(parent);
	for (;;)
		pause();
}

/* A child that uses the processor and is waited for. */
static void bury_one(void)
{
	pid_t own = getpid(), pid = fork();

	if (pid == 0) {
		follow(own);
		while (clock_used_ns() < 100 * NS_PER_MS)
			;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void be_kernel(pid_t parent, int orders, int answers)
{
	pid_t own = getpid();
	char order;

	follow(parent);
	setpgid(0, 0); /* its jail makes it the leader of a group */
	for (int i = 0; i < STUBS; i++)
		if (fork() == 0)
			become_stub(own);
	while (write(answers, "", 1) == 1 && read(orders, &order, 1) == 1) {
		if (order == 'b')
			bury_one();
		else if (fork() == 0)
			become_stub(own);
	}
	_exit(0);
}

static void order(char what)
{
	char done;

	assert_int_equal(write(family.orders, &what, 1), 1);
	assert_int_equal(read(family.answers, &done, 1), 1);
}

static int open_family(void **state)
{
	int orders[2], answers[2];
	pid_t own = getpid();
	char ready;

	(void)state;
	if (pipe(orders) || pipe(answers))
		return -1;
	family.first = fork();
	if (family.first == 0) {
		pid_t first = getpid();

		if (fork() == 0)
			be_kernel(first, orders[0], answers[1]);
		become_stub(own);
	}
	family.orders = orders[1];
	family.answers = answers[0];
	return read(answers[0], &ready, 1) == 1 ? 0 : -1;
}

static int close_family(void **state)
{
	(void)state;
	kill(family.first, SIGKILL);
	waitpid(family.first, NULL, 0);
	close(family.orders);
	close(family.answers);
	return 0;
}

static void walk(struct herd *herd, int to, size_t slice)
{
	int more;

	assert_int_equal(herd_begin(herd, family.first, to), 0);
	while ((more = herd_step(herd, slice)) > 0)
		;
	assert_int_equal(more, 0);
}

static int only_cpu_of(pid_t pid)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(pid, sizeof(set), &set), 0);
	if (CPU_COUNT(&set) != 1)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			return cpu;
	return -1;
}

static void all_of_a_machine_are_found_whatever_the_slice(void **state)
{
	static const size_t slices[] = { 1, 7, 1000 };
	struct herd herd = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		walk(&herd, HERD_STAY, slices[i]);
		assert_int_equal(herd.count, 2 + STUBS);
	}
	herd_free(&herd);
}

static void all_of_a_machine_move_and_whom_they_start_is_with_them(void **state)
{
	struct herd herd = { 0 };
	int to = cpus_nth(0);

	(void)state;
	assert_true(to >= 0);
	for (uint32_t n = 0; n < 3; n++) {
		to = cpus_nth(n);
		walk(&herd, to, 8);
		assert_int_equal(herd.refused, 0);
		order('s'); /* one more stub */
		walk(&herd, HERD_STAY, 1000);
		assert_int_equal(herd.count, 2 + STUBS + n + 1);
		for (size_t i = 0; i < herd.count; i++)
			assert_int_equal(only_cpu_of(herd.all[i].pid), to);
	}
	herd_free(&herd);
}

static void the_time_of_those_that_are_no_more_stays_counted(void **state)
{
	struct herd herd = { 0 };
	uint64_t before_ns;

	(void)state;
	walk(&herd, HERD_STAY, 1000);
	before_ns = herd.ran_ns;
	order('b'); /* it uses 100 ms and ends */
	walk(&herd, HERD_STAY, 1000);
	assert_int_equal(herd.count, 2 + STUBS);
	assert_true(herd.ran_ns >= before_ns + 80 * NS_PER_MS);
	herd_free(&herd);
}

static void a_machine_that_is_gone_has_nobody(void **state)
{
	struct herd herd = { 0 };
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(herd_begin(&herd, pid, cpus_nth(0)), 0);
	assert_int_equal(herd_step(&herd, 8), 0);
	assert_int_equal(herd.refused, 0);
	assert_int_equal(herd_begin(&herd, pid, HERD_STAY), 0);
	assert_int_equal(herd_step(&herd, 8), 0);
	assert_int_equal(herd.ran_ns, 0);
	herd_free(&herd);
}

/* ---- standing still ---------------------------------------------------- */

static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		fclose(file);
	}
	return state;
}

/* Signals arrive when they arrive. */
static void assert_comes_to(pid_t pid, char wanted)
{
	uint64_t end_ns = clock_used_ns() + 10 * NS_PER_S;

	while (state_of(pid) != wanted && clock_used_ns() < end_ns)
		sched_yield();
	assert_int_equal(state_of(pid), wanted);
}

static void kernel_and_stubs_stand_still_and_go_on(void **state)
{
	struct herd herd = { 0 };

	(void)state;
	walk(&herd, HERD_STAY, 1000);
	assert_int_equal(herd_stall(family.first, false, true), 0);
	for (size_t i = 1; i < herd.count; i++)
		assert_comes_to(herd.all[i].pid, 'T');
	assert_comes_to(family.first, 'S');
	assert_int_equal(herd_stall(family.first, false, false), 0);
	for (size_t i = 1; i < herd.count; i++)
		assert_comes_to(herd.all[i].pid, 'S');
	herd_free(&herd);
}

/* Beside a helper that it does not trace, one stub that computes.  Says each signal for
 * which that one stood. */
static void be_tracing_kernel(pid_t parent, int says)
{
	pid_t stub, own = getpid();
	int status;

	follow(parent);
	setpgid(0, 0);
	if (fork() == 0)
		become_stub(own);
	stub = fork();
	if (stub == 0) {
		follow(own);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGUSR1);
		for (;;)
			;
	}
	while (waitpid(stub, &status, 0) == stub && WIFSTOPPED(status)) {
		char signal = (char)WSTOPSIG(status);

		ptrace(PTRACE_CONT, stub, NULL, NULL);
		if (write(says, &signal, 1) != 1)
			break;
	}
	_exit(0);
}

static void a_traced_stub_stands_still_for_a_signal_that_means_nothing(void **state)
{
	struct herd herd = { 0 };
	int says[2];
	char signal;
	pid_t own = getpid(), first;

	(void)state;
	assert_int_equal(pipe(says), 0);
	first = fork();
	if (first == 0) {
		pid_t parent = getpid();

		if (fork() == 0)
			be_tracing_kernel(parent, says[1]);
		become_stub(own);
	}
	close(says[1]);
	for (int round = 0; round < 3; round++) {
		/* Of its own beginning, and then of ours: no stop, and no end of one. */
		assert_int_equal(read(says[0], &signal, 1), 1);
		assert_int_equal(signal, round ? SIGALRM : SIGUSR1);
		assert_int_equal(herd_begin(&herd, first, HERD_STAY), 0);
		while (herd_step(&herd, 100) > 0)
			;
		assert_int_equal(herd.count, 4);
		assert_int_equal(herd_stall(first, true, true), 0);
		assert_comes_to(herd.all[1].pid, 'T');
		assert_comes_to(herd.all[2].pid, 'S'); /* the helper has heard nothing */
		assert_comes_to(herd.all[3].pid, 't');
		assert_int_equal(herd_stall(first, true, false), 0);
	}
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	close(says[0]);
	herd_free(&herd);
}

static void the_processors_are_those_that_this_process_may_use(void **state)
{
	static struct cpus cpus;
	cpu_set_t all, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(cpus_find(&cpus), 0);
	assert_int_equal(cpus.count, CPU_COUNT(&all));
	for (size_t i = 0; i < cpus.count; i++) {
		assert_true(CPU_ISSET(cpus.at[i].number, &all));
		assert_true(cpus.at[i].core <= i);
		assert_int_equal(cpus_nth((uint32_t)(i + cpus.count)), cpus.at[i].number);
	}
	assert_int_equal(cpus_same(&cpus), 1);
	CPU_ZERO(&one);
	CPU_SET(cpus.at[cpus.count - 1].number, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_same(&cpus), cpus.count == 1);
	assert_int_equal(cpus_nth(5), cpus.at[cpus.count - 1].number);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void what_a_processor_did_grows(void **state)
{
	static struct cpus cpus;
	uint64_t before_ns = 0, after_ns = 0;

	(void)state;
	assert_int_equal(cpus_find(&cpus), 0);
	assert_int_equal(cpus_look(&cpus), 0);
	for (size_t i = 0; i < cpus.count; i++) {
		assert_true(cpus.at[i].busy_ns > 0);
		before_ns += cpus.at[i].busy_ns;
	}
	for (uint64_t end_ns = clock_used_ns() + 100 * NS_PER_MS;
	     clock_used_ns() < end_ns;)
		;
	assert_int_equal(cpus_look(&cpus), 0);
	for (size_t i = 0; i < cpus.count; i++)
		after_ns += cpus.at[i].busy_ns;
	assert_true(after_ns >= before_ns + 50 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			all_of_a_machine_are_found_whatever_the_slice, open_family,
			close_family),
		cmocka_unit_test_setup_teardown(
			all_of_a_machine_move_and_whom_they_start_is_with_them,
			open_family, close_family),
		cmocka_unit_test_setup_teardown(
			the_time_of_those_that_are_no_more_stays_counted, open_family,
			close_family),
		cmocka_unit_test(a_machine_that_is_gone_has_nobody),
		cmocka_unit_test_setup_teardown(kernel_and_stubs_stand_still_and_go_on,
						open_family, close_family),
		cmocka_unit_test(
			a_traced_stub_stands_still_for_a_signal_that_means_nothing),
		cmocka_unit_test(the_processors_are_those_that_this_process_may_use),
		cmocka_unit_test(what_a_processor_did_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
