/* SPDX-License-Identifier: MIT */
/* Virtual time with guests made of paper: they speak the calendar's protocol over its
 * real socket, and write down what they were told. */
#include "clock/vtime.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock/vtime_internal.h"

enum { GUESTS = 3, PATIENCE_TURNS = 2000 };

struct scene {
	char dir[32];
	struct loop *loop;
	struct clock *host;
	struct vtime *vtime;
	int fd[GUESTS];
	uint32_t seq[GUESTS];
	char said[2048];
	unsigned stuck, broken, paced;
	char reason[128];
};

static struct scene s;

static void note(const char *what, unsigned who, uint64_t ns)
{
	size_t used = strlen(s.said);

	snprintf(s.said + used, sizeof(s.said) - used, "%s%u@%llu ", what, who,
		 (unsigned long long)ns);
}

static void on_broken(void *ctx, uint32_t guest, const char *why)
{
	(void)ctx;
	s.broken |= 1u << guest;
	snprintf(s.reason, sizeof(s.reason), "%s", why);
}

static void on_stuck(void *ctx, uint32_t guest, const char *doing)
{
	(void)ctx;
	s.stuck |= 1u << guest;
	snprintf(s.reason, sizeof(s.reason), "%s", doing);
}

static void on_paced(void *ctx)
{
	(void)ctx;
	s.paced++;
}

#define WALL_AT_ZERO_NS (UINT64_C(1795824000) * NS_PER_S)

static const struct vtime_ops ops = { on_broken, on_stuck, on_paced, NULL,
				      NULL };

static int open_scene(uint64_t pace_ppm, uint64_t guard_ns)
{
	struct vtime_config config = { .guest_count = GUESTS,
				       .pace_ppm = pace_ppm,
				       .guard_ns = guard_ns,
				       .wall_at_zero_ns = WALL_AT_ZERO_NS,
				       .ops = &ops };
	struct why why;

	memset(&s, 0, sizeof(s));
	snprintf(s.dir, sizeof(s.dir), "/tmp/vtime.XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	for (int i = 0; i < GUESTS; i++)
		s.fd[i] = -1;
	if (loop_create(&s.loop, &why) || clock_real_create(&s.host, s.loop, &why))
		return -1;
	config.loop = s.loop;
	config.host = s.host;
	return vtime_create(&s.vtime, &config, &why);
}

static int set_up(void **state)
{
	(void)state;
	return open_scene(VTIME_PACE_MAX, 0);
}

static int tear_down(void **state)
{
	(void)state;
	vtime_destroy(s.vtime);
	clock_destroy(s.host);
	loop_destroy(s.loop);
	for (int i = 0; i < GUESTS; i++)
		if (s.fd[i] >= 0)
			close(s.fd[i]);
	return rmdir(s.dir); /* sockets are gone with their listeners */
}

static void turn(unsigned times)
{
	while (times--)
		loop_turn(s.loop, 0);
}

/* ---- a guest ------------------------------------------------------------------- */

static void connect_guest(uint32_t guest)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct why why;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%u", s.dir, guest);
	assert_int_equal(vtime_guest_open(s.vtime, guest, addr.sun_path, &why), 0);
	s.fd[guest] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s.fd[guest], (struct sockaddr *)&addr, sizeof(addr)), 0);
}

static uint32_t say(uint32_t guest, enum tt_op op, uint64_t time)
{
	struct tt_message m = { .op = op, .seq = ++s.seq[guest], .time = time };

	assert_int_equal(write(s.fd[guest], &m, sizeof(m)), sizeof(m));
	return m.seq;
}

/* The next message for the guest; false: none comes. */
static bool hear(uint32_t guest, struct tt_message *m)
{
	for (int i = 0; i < PATIENCE_TURNS; i++) {
		ssize_t n = recv(s.fd[guest], m, sizeof(*m), MSG_DONTWAIT);

		if (n == sizeof(*m))
			return true;
		loop_turn(s.loop, i > 100 ? 1 : 0);
		if (i > 150)
			break;
	}
	return false;
}

/* Say it, and have it acknowledged. */
static uint64_t ask(uint32_t guest, enum tt_op op, uint64_t time)
{
	uint32_t seq = say(guest, op, time);
	struct tt_message m;

	for (;;) {
		assert_true(hear(guest, &m));
		if (m.op == TT_ACK) {
			assert_int_equal(m.seq, seq);
			return m.time;
		}
		assert_int_equal(m.op, TT_FREE_UNTIL);
		m.op = TT_ACK;
		assert_int_equal(write(s.fd[guest], &m, sizeof(m)), sizeof(m));
	}
}

/* Be told to run; answers as a kernel does.  Returns how far it may go by itself. */
static uint64_t run(uint32_t guest, uint64_t *free_until_ns)
{
	struct tt_message m = { 0 };

	*free_until_ns = 0;
	do {
		if (!hear(guest, &m)) {
			*free_until_ns = UINT64_MAX;
			return UINT64_MAX;
		}
		if (m.op == TT_FREE_UNTIL)
			*free_until_ns = m.time;
		m.time = m.op == TT_RUN ? m.time : 0;
		if (m.op == TT_RUN) {
			uint64_t at_ns = m.time;

			note("run", guest, at_ns);
			m.op = TT_ACK;
			assert_int_equal(write(s.fd[guest], &m, sizeof(m)), sizeof(m));
			return at_ns;
		}
		m.op = TT_ACK;
		assert_int_equal(write(s.fd[guest], &m, sizeof(m)), sizeof(m));
	} while (true);
}

static uint64_t runs_at(uint32_t guest)
{
	uint64_t free_until_ns;

	return run(guest, &free_until_ns);
}

/* Connect, have the first turn, want to run at ns, wait. */
static void boot(uint32_t guest, uint64_t ns)
{
	connect_guest(guest);
	ask(guest, TT_START, guest);
	ask(guest, TT_REQUEST, ns);
	ask(guest, TT_WAIT, 0);
}

static uint64_t now(void)
{
	return clock_now_ns(vtime_clock(s.vtime));
}

/* ---- tests ---------------------------------------------------------------------- */

static void test_guests_run_in_the_order_of_their_times(void **state)
{
	(void)state;
	vtime_want(s.vtime);
	connect_guest(0);
	connect_guest(1);
	/* The second is faster, and yet the first has the first turn. */
	say(1, TT_START, 1);
	turn(20);
	{
		struct tt_message m;

		assert_int_equal(recv(s.fd[1], &m, sizeof(m), MSG_DONTWAIT), -1);
	}
	ask(0, TT_START, 0);
	ask(0, TT_REQUEST, 500);
	ask(0, TT_WAIT, 0);
	{
		struct tt_message m;

		assert_true(hear(1, &m));
		assert_int_equal(m.op, TT_ACK);
	}
	ask(1, TT_REQUEST, 200);
	ask(1, TT_WAIT, 0);
	assert_int_equal(runs_at(1), 200);
	assert_int_equal(now(), 200);
	ask(1, TT_REQUEST, 900);
	ask(1, TT_WAIT, 0);
	assert_int_equal(runs_at(0), 500);
	assert_string_equal(s.said, "run1@200 run0@500 ");
}

static void fire(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	note("timer", 0, now_ns);
}

static void test_timers_of_the_lab_have_their_place(void **state)
{
	struct timer a = { .fire = fire }, b = { .fire = fire };

	(void)state;
	boot(0, 300);
	timer_set(vtime_clock(s.vtime), &a, 300);
	timer_set(vtime_clock(s.vtime), &b, 100);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 300);
	assert_string_equal(s.said, "timer0@100 timer0@300 run0@300 ");
}

static void test_time_passes_only_when_it_is_wanted(void **state)
{
	(void)state;
	boot(0, 1000);
	turn(50);
	assert_int_equal(now(), 0);
	assert_true(vtime_state(s.vtime).standing);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	ask(0, TT_REQUEST, 2000);
	vtime_unwant(s.vtime);
	ask(0, TT_WAIT, 0);
	turn(50);
	assert_int_equal(now(), 1000);
}

static void test_a_step_ends_at_its_time_to_the_nanosecond(void **state)
{
	(void)state;
	boot(0, 1000);
	vtime_step(s.vtime, 5003);
	assert_int_equal(runs_at(0), 1000);
	ask(0, TT_REQUEST, 5003); /* at the end is within */
	ask(0, TT_WAIT, 0);
	assert_int_equal(runs_at(0), 5003);
	ask(0, TT_REQUEST, 5004);
	ask(0, TT_WAIT, 0);
	turn(50);
	assert_int_equal(now(), 5003);
	assert_int_equal(vtime_state(s.vtime).step_to_ns, 0);
	assert_int_equal(s.paced, 2); /* stood before, and stands again */
}

static void test_a_paused_lab_stands_but_for_steps(void **state)
{
	(void)state;
	boot(0, 1000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	vtime_pause(s.vtime, true);
	ask(0, TT_REQUEST, 2000);
	ask(0, TT_WAIT, 0);
	turn(50);
	assert_int_equal(now(), 1000);
	vtime_step(s.vtime, 1500);
	turn(50);
	assert_int_equal(now(), 1500);
	vtime_pause(s.vtime, false);
	assert_int_equal(runs_at(0), 2000);
}

static void on_input(void *ctx)
{
	assert_true(vtime_open(s.vtime));
	note("input", *(unsigned *)ctx, now());
}

static void test_inputs_come_after_all_that_happens_at_their_time(void **state)
{
	unsigned one = 1, two = 2;
	struct vtime_input a = { .run = on_input, .ctx = &one };
	struct vtime_input b = { .run = on_input, .ctx = &two };

	(void)state;
	boot(0, 400);
	boot(1, 400);
	vtime_step(s.vtime, 400);
	assert_int_equal(runs_at(0), 400);
	vtime_input(s.vtime, &a);
	vtime_input(s.vtime, &b);
	vtime_input(s.vtime, &a); /* once */
	ask(0, TT_REQUEST, 9000000);
	ask(0, TT_WAIT, 0);
	assert_int_equal(runs_at(1), 400);
	turn(20);
	assert_false(vtime_open(s.vtime));
	ask(1, TT_REQUEST, 9000000);
	ask(1, TT_WAIT, 0);
	turn(20);
	assert_string_equal(s.said, "run0@400 run1@400 input1@1000400 input2@1000400 ");
}

static void test_an_input_is_one_lookahead_after_it_was_asked_for(void **state)
{
	unsigned one = 1;
	struct vtime_input a = { .run = on_input, .ctx = &one };

	(void)state;
	vtime_set_lookahead(s.vtime, 250);
	boot(0, 400);
	boot(1, 500);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 400);
	vtime_unwant(s.vtime);
	ask(0, TT_REQUEST, 9000000);
	ask(0, TT_WAIT, 0);
	turn(20);
	assert_int_equal(now(), 400);
	vtime_input(s.vtime, &a);
	/* What comes before has its turn, though time stood. */
	assert_int_equal(runs_at(1), 500);
	ask(1, TT_REQUEST, 9000000);
	ask(1, TT_WAIT, 0);
	turn(20);
	assert_string_equal(s.said, "run0@400 run1@500 input1@1000650 ");
}

static void test_a_planned_input_comes_at_just_its_time(void **state)
{
	unsigned one = 1, two = 2;
	struct vtime_input a = { .run = on_input, .ctx = &one };
	struct vtime_input b = { .run = on_input, .ctx = &two };
	uint64_t free_until_ns;

	(void)state;
	boot(0, 400);
	boot(1, 700);
	vtime_want(s.vtime);
	vtime_plan(s.vtime, &a, 700);
	/* Nobody goes beyond it alone. */
	assert_int_equal(run(0, &free_until_ns), 400);
	assert_true(free_until_ns <= 701);
	ask(0, TT_REQUEST, 9000000);
	ask(0, TT_WAIT, 0);
	assert_int_equal(runs_at(1), 700);
	ask(1, TT_REQUEST, 9000000);
	vtime_unwant(s.vtime);
	ask(1, TT_WAIT, 0);
	turn(20);
	assert_string_equal(s.said, "run0@400 run1@700 input1@700 ");
	/* Between two things that happen; and time stands where it is not wanted. */
	vtime_plan(s.vtime, &b, 1234567);
	turn(20);
	assert_true(now() < 1234567);
	vtime_want(s.vtime);
	turn(20);
	assert_string_equal(s.said, "run0@400 run1@700 input1@700 input2@1234567 ");
	assert_false(vtime_open(s.vtime));
}

static void test_a_guest_is_told_how_far_it_may_go_alone(void **state)
{
	uint64_t free_until_ns;

	(void)state;
	boot(0, 1000);
	boot(1, 7000);
	vtime_want(s.vtime);
	assert_int_equal(run(0, &free_until_ns), 1000);
	assert_int_equal(free_until_ns, 7000);
	/* It went on by itself, and says so before it speaks to a device. */
	ask(0, TT_UPDATE, 6999);
	say(0, TT_UPDATE, 7000);
	turn(20);
	assert_int_equal(s.broken, 1);
}

/* ---- devices ---------------------------------------------------------------------- */

static void on_cue(void *ctx)
{
	note("cue", *(unsigned *)ctx, now());
	vtime_hold(vtime_guest(s.vtime, *(unsigned *)ctx));
}

static void on_kick(void *ctx)
{
	note("kick", *(unsigned *)ctx, now());
}

static void on_reply(void *ctx)
{
	note("reply", *(unsigned *)ctx, now());
}

static int kick(uint32_t guest, unsigned *number)
{
	struct vtime_kick k = { .run = on_kick, .send = on_reply, .ctx = number };
	struct why why;
	int err = vtime_kick(vtime_guest(s.vtime, guest), &k, &why);

	loop_again(s.loop);
	return err;
}

static void acknowledge(uint32_t guest, struct tt_message m)
{
	m.op = TT_ACK;
	assert_int_equal(write(s.fd[guest], &m, sizeof(m)), sizeof(m));
}

static void test_a_kick_is_answered_when_all_it_led_to_is_done(void **state)
{
	unsigned zero = 0, one = 1;
	struct vtime_cue cue = { .run = on_cue, .ctx = &one };
	struct tt_message m;

	(void)state;
	boot(0, 1000);
	boot(1, 9000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	/* A device of guest 0 has taken a kick, and a frame of it goes to guest 1. */
	assert_int_equal(kick(0, &zero), 0);
	vtime_cue(vtime_guest(s.vtime, 1), &cue);
	turn(20);
	assert_string_equal(s.said, "run0@1000 cue1@1000 ");
	/* Guest 1 wants to run now, because of it; then its answer has come. */
	assert_int_equal(ask(1, TT_GET, 0), 1000);
	ask(1, TT_REQUEST, 1000);
	vtime_release(vtime_guest(s.vtime, 1));
	loop_again(s.loop);
	turn(5);
	/* Guest 0 must not go on by itself any more before it hears of the reply. */
	assert_true(hear(0, &m));
	assert_int_equal(m.op, TT_FREE_UNTIL);
	assert_int_equal(m.time, 1000);
	assert_null(strstr(s.said, "reply"));
	acknowledge(0, m);
	turn(20);
	assert_non_null(strstr(s.said, "kick0@1000 reply0@1000"));
	ask(0, TT_WAIT, 0);
	assert_int_equal(runs_at(1), 1000);
}

static void test_a_kick_waits_for_those_who_are_not_so_far(void **state)
{
	unsigned zero = 0;
	uint64_t free_until_ns;

	(void)state;
	vtime_set_lookahead(s.vtime, 500);
	boot(0, 1000);
	boot(1, 1100);
	vtime_want(s.vtime);
	assert_int_equal(run(0, &free_until_ns), 1000);
	assert_int_equal(free_until_ns, 1600);
	ask(0, TT_UPDATE, 1300);
	assert_int_equal(kick(0, &zero), 0);
	assert_int_equal(run(1, &free_until_ns), 1100);
	assert_int_equal(free_until_ns, 1500); /* it ran beside guest 0 */
	assert_null(strstr(s.said, "kick"));
	ask(1, TT_REQUEST, 5000);
	ask(1, TT_WAIT, 0);
	turn(20);
	assert_string_equal(s.said, "run0@1000 run1@1100 kick0@1300 reply0@1300 ");
}

static void test_a_running_guest_is_not_called_in_the_middle(void **state)
{
	unsigned zero = 0, one = 1;
	struct vtime_cue a = { .run = on_cue, .ctx = &zero };
	struct vtime_cue b = { .run = on_cue, .ctx = &one };

	(void)state;
	boot(0, 1000);
	boot(1, 900000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	vtime_cue(vtime_guest(s.vtime, 0), &a);
	vtime_cue(vtime_guest(s.vtime, 1), &b);
	turn(20);
	assert_string_equal(s.said, "run0@1000 ");
	ask(0, TT_REQUEST, 900000);
	ask(0, TT_WAIT, 0);
	turn(20);
	/* Guest 0 may have come as far as it was allowed to by itself. */
	assert_string_equal(s.said, "run0@1000 cue1@1000 ");
	vtime_release(vtime_guest(s.vtime, 1));
	loop_again(s.loop);
	turn(20);
	assert_string_equal(s.said, "run0@1000 cue1@1000 cue0@899999 ");
}

static void test_where_nothing_is_to_happen_ever_time_stands(void **state)
{
	(void)state;
	boot(0, INT64_MAX);
	boot(1, INT64_MAX);
	vtime_want(s.vtime);
	turn(20);
	assert_int_equal(now(), 0);
	assert_true(vtime_state(s.vtime).standing);
}

static void test_a_frozen_guest_has_no_turn_and_hears_nothing(void **state)
{
	unsigned zero = 0;
	struct vtime_cue cue = { .run = on_cue, .ctx = &zero };

	(void)state;
	boot(0, 5 * NS_PER_MS);
	boot(1, 2 * NS_PER_MS);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(1), 2 * NS_PER_MS);
	vtime_guest_set_clock(s.vtime, 0, GUEST_CLOCK_RATE_ONE, true);
	vtime_cue(vtime_guest(s.vtime, 0), &cue);
	ask(1, TT_REQUEST, 9 * NS_PER_MS);
	ask(1, TT_WAIT, 0);
	assert_int_equal(runs_at(1), 9 * NS_PER_MS);
	ask(1, TT_WAIT, 0);
	turn(20);
	assert_string_equal(s.said, "run1@2000000 run1@9000000 ");
	/* It goes on where it stood: what it wanted is as far away as it was. */
	vtime_guest_set_clock(s.vtime, 0, GUEST_CLOCK_RATE_ONE, false);
	turn(20);
	assert_string_equal(s.said, "run1@2000000 run1@9000000 cue0@9000000 ");
	assert_int_equal(ask(0, TT_GET, 0), 2 * NS_PER_MS);
	vtime_release(vtime_guest(s.vtime, 0));
	loop_again(s.loop);
	assert_int_equal(runs_at(0), 5 * NS_PER_MS);
	assert_int_equal(now(), 12 * NS_PER_MS);
}

static void test_a_guest_takes_its_wall_time_with_its_offset_and_runs_at_its_rate(void **state)
{
	(void)state;
	vtime_guest_set_wall_offset(s.vtime, 0, -3000000000);
	vtime_guest_set_clock(s.vtime, 1, GUEST_CLOCK_RATE_MAX, false);
	boot(0, 10000);
	boot(1, 10000);
	assert_true(ask(0, TT_GET_TOD, 0) == WALL_AT_ZERO_NS - 3 * NS_PER_S);
	assert_true(ask(1, TT_GET_TOD, 0) == WALL_AT_ZERO_NS);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(1), 10000);
	assert_int_equal(now(), 5000);
	ask(1, TT_WAIT, 0);
	assert_int_equal(runs_at(0), 10000);
	assert_int_equal(now(), 10000);
	assert_int_equal(ask(1, TT_GET, 0), 20000);
}

static void test_two_kicks_at_once_are_against_the_rules(void **state)
{
	unsigned zero = 0;

	(void)state;
	boot(0, 1000);
	boot(1, 1000);
	assert_int_equal(kick(0, &zero), -EPROTO);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	assert_int_equal(kick(1, &zero), -EPROTO);
	assert_int_equal(kick(0, &zero), 0);
	assert_int_equal(kick(0, &zero), -EPROTO);
}

static void test_a_device_that_dies_in_a_kick_lets_the_guest_go_on(void **state)
{
	unsigned zero = 0;

	(void)state;
	boot(0, 1000);
	boot(1, 2000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	assert_int_equal(kick(0, &zero), 0);
	vtime_kick_cancel(vtime_guest(s.vtime, 0), &zero);
	turn(20);
	ask(0, TT_WAIT, 0);
	assert_int_equal(runs_at(1), 2000);
	assert_string_equal(s.said, "run0@1000 run1@2000 ");
}

static void test_a_guest_that_dies_in_a_kick_leaves_the_calendar(void **state)
{
	unsigned zero = 0;

	(void)state;
	boot(0, 1000);
	boot(1, 2000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	assert_int_equal(kick(0, &zero), 0);
	vtime_guest_dying(s.vtime, 0);
	turn(20);
	assert_int_equal(now(), 1000);
	vtime_guest_gone(s.vtime, 0);
	assert_int_equal(runs_at(1), 2000);
}

/* ---- bad guests ---------------------------------------------------------------------
 */

static void test_a_guest_that_breaks_the_protocol_is_named(void **state)
{
	(void)state;
	boot(1, 1000);
	boot(2, 500);
	say(1, TT_WAIT, 0);
	turn(20);
	assert_int_equal(s.broken, 1 << 1);
	assert_string_equal(s.reason, "WAIT while waiting");
	/* Time stands until its process is gone. */
	vtime_want(s.vtime);
	turn(20);
	assert_int_equal(now(), 0);
	vtime_guest_gone(s.vtime, 1);
	assert_int_equal(runs_at(2), 500);
}

static void test_a_guest_that_runs_ahead_is_named(void **state)
{
	(void)state;
	boot(0, 1000);
	boot(1, 2000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	say(0, TT_UPDATE, 2000);
	turn(20);
	assert_int_equal(s.broken, 1);
	assert_int_equal(now(), 1000);
}

static void test_a_guest_that_ends_leaves_the_calendar(void **state)
{
	(void)state;
	boot(0, 1000);
	boot(1, 3000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	close(s.fd[0]);
	s.fd[0] = -1;
	turn(50);
	assert_int_equal(now(), 1000);
	assert_int_equal(s.broken, 0); /* its process may have an honest reason */
	vtime_guest_gone(s.vtime, 0);
	assert_int_equal(runs_at(1), 3000);
}

static void test_a_guest_that_does_not_go_on_is_named(void **state)
{
	struct tt_message m;

	(void)state;
	tear_down(state);
	assert_int_equal(open_scene(VTIME_PACE_MAX, 20 * NS_PER_MS), 0);
	boot(0, 1000);
	boot(2, 5000);
	vtime_want(s.vtime);
	assert_int_equal(runs_at(0), 1000);
	for (int i = 0; i < PATIENCE_TURNS && !s.stuck; i++)
		loop_turn(s.loop, 10);
	assert_int_equal(s.stuck, 1);
	assert_string_equal(s.reason, "has been running");
	assert_int_equal(recv(s.fd[2], &m, sizeof(m), MSG_DONTWAIT), -1);
}

static void test_rubbish_is_refused(void **state)
{
	static const uint32_t operations[] = { TT_RUN, TT_FREE_UNTIL, 10, UINT32_MAX };

	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		boot(0, 1000);
		say(0, (enum tt_op)operations[i], 0);
		turn(20);
		assert_int_equal(s.broken, 1);
		tear_down(state);
		set_up(state);
	}
}

/* ---- pace
 * ------------------------------------------------------------------------------ */

static void test_time_passes_no_faster_than_the_pace(void **state)
{
	uint64_t began_ns, host_ns;

	(void)state;
	tear_down(state);
	assert_int_equal(open_scene(2 * VTIME_PACE_ONE, 0), 0);
	boot(0, 40 * NS_PER_MS);
	began_ns = clock_now_ns(s.host);
	for (int i = 0; i < PATIENCE_TURNS && now() < 40 * NS_PER_MS; i++)
		loop_turn(s.loop, 10);
	host_ns = clock_now_ns(s.host) - began_ns;
	assert_int_equal(now(), 40 * NS_PER_MS);
	/* Twice as fast, and a little of it may have passed while it booted. */
	assert_true(host_ns > 15 * NS_PER_MS);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_guests_run_in_the_order_of_their_times),
		T(test_timers_of_the_lab_have_their_place),
		T(test_time_passes_only_when_it_is_wanted),
		T(test_a_step_ends_at_its_time_to_the_nanosecond),
		T(test_a_paused_lab_stands_but_for_steps),
		T(test_inputs_come_after_all_that_happens_at_their_time),
		T(test_an_input_is_one_lookahead_after_it_was_asked_for),
		T(test_a_planned_input_comes_at_just_its_time),
		T(test_a_guest_is_told_how_far_it_may_go_alone),
		T(test_a_kick_is_answered_when_all_it_led_to_is_done),
		T(test_a_kick_waits_for_those_who_are_not_so_far),
		T(test_a_running_guest_is_not_called_in_the_middle),
		T(test_where_nothing_is_to_happen_ever_time_stands),
		T(test_a_frozen_guest_has_no_turn_and_hears_nothing),
		T(test_a_guest_takes_its_wall_time_with_its_offset_and_runs_at_its_rate),
		T(test_two_kicks_at_once_are_against_the_rules),
		T(test_a_device_that_dies_in_a_kick_lets_the_guest_go_on),
		T(test_a_guest_that_dies_in_a_kick_leaves_the_calendar),
		T(test_a_guest_that_breaks_the_protocol_is_named),
		T(test_a_guest_that_runs_ahead_is_named),
		T(test_a_guest_that_ends_leaves_the_calendar),
		T(test_a_guest_that_does_not_go_on_is_named),
		T(test_rubbish_is_refused),
		T(test_time_passes_no_faster_than_the_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
