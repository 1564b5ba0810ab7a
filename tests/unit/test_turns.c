/* SPDX-License-Identifier: MIT */
/* The watchdog of the loop, with turns that really take long. */
#include "clock/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cpus.h"
#include "clock/clock.h"

extern const char __executable_start[];

static struct {
	struct loop *loop;
	struct turns *turns;
	uint64_t work_ns; /* that a call does */
	uint64_t used_ns, took_ns;
} rig;

static int set_up(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	return loop_create(&rig.loop, NULL) || turns_create(&rig.turns, rig.loop, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	turns_destroy(rig.turns);
	loop_destroy(rig.loop);
	return 0;
}

static void work(void *ctx)
{
	uint64_t used_ns = clock_used_ns(), begun_ns = clock_host_ns();

	(void)ctx;
	while (clock_used_ns() - used_ns < rig.work_ns)
		;
	rig.used_ns = clock_used_ns() - used_ns;
	rig.took_ns = clock_host_ns() - begun_ns;
}

static void rest(void *ctx)
{
	(void)ctx;
}

static void turn(uint64_t work_ns)
{
	struct deferred first = { .run = rest }, second = { .run = work },
			third = { .run = rest };

	rig.work_ns = work_ns;
	loop_defer(rig.loop, &first);
	loop_defer(rig.loop, &second);
	loop_defer(rig.loop, &third);
	loop_turn(rig.loop, 0);
	loop_turn(rig.loop, 0); /* a turn ends when the next one waits */
}

/* What is written to standard error meanwhile. */
static void turn_and_hear(uint64_t work_ns, char *said, size_t bytes)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t got;

	assert_non_null(file);
	assert_true(kept >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
	turn(work_ns);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	rewind(file);
	got = fread(said, 1, bytes - 1, file);
	said[got] = 0;
	fclose(file);
}

static void the_longest_turn_is_kept(void **state)
{
	uint64_t longest_ns;

	(void)state;
	assert_int_equal(turns_longest_ns(rig.turns), 0);
	turn(6 * NS_PER_MS);
	longest_ns = turns_longest_ns(rig.turns);
	assert_true(longest_ns >= 6 * NS_PER_MS);
	turn(0);
	assert_int_equal(turns_longest_ns(rig.turns), longest_ns);
}

static void a_turn_that_is_too_long_is_told_with_the_call_that_made_it_so(void **state)
{
	char said[256], code[32];

	(void)state;
	turn_and_hear(TURNS_LONG_NS + NS_PER_MS, said, sizeof(said));
	snprintf(code, sizeof(code), "the call to +0x%" PRIxPTR " ",
		 (uintptr_t)work - (uintptr_t)__executable_start);
	assert_non_null(strstr(said, "a turn of the loop took 2"));
	assert_non_null(strstr(said, code));
	assert_true(turns_longest_ns(rig.turns) > TURNS_LONG_NS);
}

static void a_turn_of_many_calls_is_cut(void **state)
{
	struct deferred calls[32];

	(void)state;
	rig.work_ns = NS_PER_MS;
	for (int i = 0; i < 32; i++) {
		calls[i] = (struct deferred){ .run = work };
		loop_defer(rig.loop, &calls[i]);
	}
	for (int i = 0; i < 33; i++)
		loop_turn(rig.loop, 0);
	assert_true(turns_longest_ns(rig.turns) >= TURNS_CUT_NS);
	assert_true(turns_longest_ns(rig.turns) < 16 * NS_PER_MS);
}

static void what_is_not_watched_any_more_is_not_told(void **state)
{
	char said[256];

	(void)state;
	turns_destroy(rig.turns);
	rig.turns = NULL;
	turn_and_hear(TURNS_LONG_NS + NS_PER_MS, said, sizeof(said));
	assert_string_equal(said, "");
}

/* On one processor with another that takes half of it. */
static void waiting_for_a_processor_is_not_the_turns(void **state)
{
	char said[256];
	cpu_set_t all, one;
	pid_t own = getpid(), other;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)cpus_nth(0), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	other = fork();
	if (other == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == own)
			;
		_exit(0);
	}
	turn_and_hear(100 * NS_PER_MS, said, sizeof(said));
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_true(rig.took_ns > rig.used_ns + 40 * NS_PER_MS);
	assert_true(turns_longest_ns(rig.turns) >= 100 * NS_PER_MS);
	assert_true(turns_longest_ns(rig.turns) < rig.used_ns + 20 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_longest_turn_is_kept, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_turn_that_is_too_long_is_told_with_the_call_that_made_it_so,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_turn_of_many_calls_is_cut, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_watched_any_more_is_not_told,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(waiting_for_a_processor_is_not_the_turns,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
