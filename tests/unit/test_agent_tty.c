/* SPDX-License-Identifier: MIT */
/* Commands on a terminal. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/agent_rig.h"

#define TTY ",\"tty\":true,\"rows\":30,\"cols\":100"

static struct rig rig;

static int up(void **state)
{
	(void)state;
	rig_up(&rig);
	return 0;
}

static int down(void **state)
{
	(void)state;
	rig_down(&rig);
	return 0;
}

static void a_terminal_is_one_with_its_size_and_controls_the_session(void **state)
{
	struct outcome o;
	(void)state;

	rig_run(&rig, "test -t 0 && test -t 1 && test -t 2 && stty size; : </dev/tty && echo yes",
		TTY, &o);
	assert_string_equal(o.out, "30 100\r\nyes\r\n");
	assert_int_equal(o.exit, 0);
	outcome_free(&o);
}

static void a_resize_is_seen_and_told(void **state)
{
	struct outcome o;
	(void)state;

	rig_exec(&rig, 1, "trap 'stty size; exit 0' WINCH; echo go; while :; do read x; done", TTY);
	rig_await_output(&rig, 1, "go");
	rig_text(&rig, PROTO_RESIZE, 1, "{\"rows\":11,\"cols\":22}");
	rig_collect(&rig, 1, &o);
	assert_non_null(strstr(o.out, "11 22"));
	outcome_free(&o);
}

static void control_c_interrupts_who_is_in_front(void **state)
{
	struct outcome o;
	(void)state;

	rig_exec(&rig, 1, "set -m; sh -c 'trap \"exit 9\" INT; echo in; read x; exit 8';"
		 "echo got $?", TTY);
	rig_await_output(&rig, 1, "in");
	rig_text(&rig, PROTO_STDIN, 1, "\003");
	rig_collect(&rig, 1, &o);
	assert_non_null(strstr(o.out, "got 9"));
	outcome_free(&o);
}

static void a_signal_goes_to_who_is_in_front(void **state)
{
	struct outcome o;
	(void)state;

	rig_exec(&rig, 1, "set -m; sh -c 'echo in; exec sleep 1000'; echo got $?", TTY);
	rig_await_output(&rig, 1, "in");
	rig_text(&rig, PROTO_SIGNAL, 1, "{\"signal\":15}");
	rig_collect(&rig, 1, &o);
	assert_non_null(strstr(o.out, "got 143"));
	outcome_free(&o);
}

/* The classic way to lose the end of the output. */
static void all_output_comes_before_the_end(void **state)
{
	(void)state;

	for (int i = 0; i < 100; i++) {
		struct outcome o;

		rig_run(&rig, "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done", TTY,
			&o);
		assert_non_null(strstr(o.out, "line 299\r\n"));
		assert_int_equal(o.out_size, 10 * 8 + 90 * 9 + 200 * 10);
		outcome_free(&o);
	}
}

static void end_of_input_is_typed(void **state)
{
	struct outcome o;
	(void)state;

	rig_exec(&rig, 1, "stty -echo; echo go; cat; echo over", TTY);
	rig_await_output(&rig, 1, "go");
	rig_text(&rig, PROTO_STDIN, 1, "line\n");
	rig_send(&rig, PROTO_STDIN, 1, "", 0);
	rig_collect(&rig, 1, &o);
	assert_non_null(strstr(o.out, "line\r\nover\r\n"));
	outcome_free(&o);
}

static void close_hangs_up_the_terminal(void **state)
{
	struct outcome o;
	(void)state;

	rig_exec(&rig, 1, "set -m; sleep 1000 & echo ready; sleep 1000", TTY);
	rig_await_output(&rig, 1, "ready");
	rig_send(&rig, PROTO_CLOSE, 1, "", 0);
	rig_collect(&rig, 1, &o);
	assert_int_equal(o.signal, SIGHUP);
	outcome_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
		T(a_terminal_is_one_with_its_size_and_controls_the_session),
		T(a_resize_is_seen_and_told),
		T(control_c_interrupts_who_is_in_front),
		T(a_signal_goes_to_who_is_in_front),
		T(all_output_comes_before_the_end),
		T(end_of_input_is_typed),
		T(close_hangs_up_the_terminal),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
