/* SPDX-License-Identifier: MIT */
#include "clock/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <errno.h>
#include <string.h>

#include <cmocka.h>

enum { GUESTS = 4 };

static struct calendar calendar;
static struct why why;

static int set_up(void **state)
{
	(void)state;
	return calendar_init(&calendar, GUESTS, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	calendar_free(&calendar);
	return 0;
}

static void run(uint32_t guest, uint64_t timer_ns)
{
	calendar_run(&calendar, guest);
	calendar_refresh(&calendar, guest, timer_ns);
}

/* A guest that has had its first turn and waits; it wants to run at ns. */
static void wants(uint32_t guest, uint64_t ns)
{
	calendar_expect(&calendar, guest);
	assert_int_equal(calendar_start(&calendar, guest, &why), 0);
	run(guest, CALENDAR_NEVER);
	assert_int_equal(calendar_request(&calendar, guest, ns, &why), 0);
	assert_int_equal(calendar_wait(&calendar, guest, &why), 0);
}

static void next_is(uint64_t timer_ns, enum calendar_turn_kind kind, uint64_t at_ns,
		    uint32_t guest)
{
	struct calendar_turn turn = calendar_next(&calendar, timer_ns);

	assert_int_equal(turn.kind, kind);
	if (kind == TURN_GUEST || kind == TURN_TIMER)
		assert_int_equal(turn.at_ns, at_ns);
	if (kind == TURN_GUEST)
		assert_int_equal(turn.guest, guest);
}

static void test_the_earliest_comes_first(void **state)
{
	(void)state;
	wants(0, 300);
	wants(1, 100);
	wants(2, 200);
	next_is(CALENDAR_NEVER, TURN_GUEST, 100, 1);
	next_is(99, TURN_TIMER, 99, 0);
	next_is(101, TURN_GUEST, 100, 1);
}

static void test_at_one_instant_timers_then_guests_by_number(void **state)
{
	(void)state;
	/* In whatever order they say so. */
	wants(3, 50);
	wants(1, 50);
	wants(2, 50);
	next_is(50, TURN_TIMER, 50, 0);
	next_is(51, TURN_GUEST, 50, 1);
	calendar_advance(&calendar, 50);
	run(1, CALENDAR_NEVER);
	assert_int_equal(calendar_wait(&calendar, 1, &why), 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 50, 2);
}

static void test_nothing_happens_while_somebody_is_waited_for(void **state)
{
	(void)state;
	wants(0, 10);
	calendar_expect(&calendar, 1); /* its process was started, it is not here yet */
	next_is(5, TURN_BUSY, 0, 0);
	assert_int_equal(calendar_start(&calendar, 1, &why), 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 0, 1);
	run(1, CALENDAR_NEVER);
	next_is(5, TURN_BUSY, 0, 0);
	assert_int_equal(calendar_wait(&calendar, 1, &why), 0);
	calendar_hold(&calendar, 0); /* it owes an answer */
	calendar_hold(&calendar, 0);
	next_is(5, TURN_BUSY, 0, 0);
	calendar_release(&calendar, 0);
	next_is(5, TURN_BUSY, 0, 0);
	calendar_release(&calendar, 0);
	next_is(5, TURN_TIMER, 5, 0);
}

static void test_a_guest_that_dies_stops_time_until_it_is_gone(void **state)
{
	(void)state;
	wants(0, 10);
	wants(1, 20);
	calendar_advance(&calendar, 10);
	run(0, CALENDAR_NEVER);
	calendar_hold(&calendar, 0);
	calendar_dying(&calendar, 0);
	next_is(CALENDAR_NEVER, TURN_BUSY, 0, 0);
	calendar_release(&calendar, 0); /* late answers change nothing */
	next_is(CALENDAR_NEVER, TURN_BUSY, 0, 0);
	/* That it has ended has its place. */
	calendar_ended(&calendar, 0);
	next_is(9, TURN_TIMER, 10, 0);
	next_is(CALENDAR_NEVER, TURN_LEAVE, 10, 0);
	calendar_leave(&calendar, 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 20, 1);
	/* Its place can be taken again. */
	calendar_expect(&calendar, 0);
	assert_int_equal(calendar_start(&calendar, 0, &why), 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 10, 0);
}

static void test_a_guests_clock_begins_with_its_first_turn(void **state)
{
	(void)state;
	calendar_advance(&calendar, 1000);
	wants(2, 500); /* half a microsecond of its own time from its beginning */
	next_is(CALENDAR_NEVER, TURN_GUEST, 1500, 2);
	assert_int_equal(calendar_guest_now(&calendar, 2), 0);
	calendar_advance(&calendar, 1400);
	assert_int_equal(calendar_guest_now(&calendar, 2), 400);
	calendar_advance(&calendar, 1500);
	run(2, CALENDAR_NEVER);
	assert_int_equal(calendar.guests[2].turn_guest_ns, 500);
}

/* Rates at which nanoseconds are left out, shown twice, or both come out even. */
static const uint32_t rates[] = { 900000000,  999999999,  1000000000, 1000200000,
				  1100000000, 1333333333, 2000000000 };

/* A guest whose own time is told to go back, or not to be what it asked for, ends: it is a
 * panic of its kernel. */
static void test_at_any_rate_a_guest_is_told_what_it_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		struct calendar_guest *g = &calendar.guests[0];
		uint64_t guest_ns = 0;

		calendar_set_clock(&calendar, 0, rates[i], false);
		calendar_expect(&calendar, 0);
		assert_int_equal(calendar_start(&calendar, 0, &why), 0);
		run(0, CALENDAR_NEVER);
		for (unsigned n = 0; n < 1000; n++) {
			uint64_t wants_ns = guest_ns + 1 + n % 23, shown_ns;

			assert_int_equal(calendar_request(&calendar, 0, wants_ns, &why), 0);
			assert_int_equal(calendar_wait(&calendar, 0, &why), 0);
			/* What it hears of on the way, and at the very moment. */
			if (g->request_ns > calendar.now_ns + 1) {
				calendar_advance(&calendar, g->request_ns - 1);
				shown_ns = calendar_guest_now(&calendar, 0);
				assert_in_range(shown_ns, guest_ns, wants_ns - 1);
			}
			calendar_advance(&calendar, g->request_ns);
			assert_int_equal(calendar_guest_now(&calendar, 0), wants_ns);
			next_is(CALENDAR_NEVER, TURN_GUEST, g->request_ns, 0);
			run(0, CALENDAR_NEVER);
			assert_int_equal(g->turn_guest_ns, wants_ns);
			guest_ns = wants_ns;
		}
		calendar_leave(&calendar, 0);
	}
}

static void test_at_any_rate_it_goes_as_far_by_itself_as_it_may(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		struct calendar_guest *g = &calendar.guests[0];

		calendar_set_clock(&calendar, 0, rates[i], false);
		calendar_expect(&calendar, 0);
		assert_int_equal(calendar_start(&calendar, 0, &why), 0);
		for (unsigned n = 1; n < 1000; n++) {
			uint64_t until_ns;

			run(0, calendar.now_ns + n);
			until_ns = calendar_guest_free_until(&calendar, 0);
			assert_true(guest_clock_lab_ns(&g->clock, until_ns) >=
				    g->free_until_ns);
			/* The last moment before it is one that it may come to. */
			assert_int_equal(calendar_update(&calendar, 0, until_ns - 1, &why), 0);
			assert_true(g->local_ns < g->free_until_ns);
			assert_int_equal(
				calendar_update(&calendar, 0, until_ns + 1, &why), -EPROTO);
			calendar_request(&calendar, 0, until_ns, &why);
			assert_int_equal(calendar_wait(&calendar, 0, &why), 0);
			calendar_advance(&calendar, g->request_ns);
		}
		calendar_leave(&calendar, 0);
	}
}

static void test_a_new_rate_moves_what_a_guest_has_asked_for(void **state)
{
	(void)state;
	wants(0, 1000);
	calendar_advance(&calendar, 500);
	calendar_set_clock(&calendar, 0, GUEST_CLOCK_RATE_ONE / 2, false);
	next_is(CALENDAR_NEVER, TURN_GUEST, 1500, 0);
	calendar_advance(&calendar, 1000);
	calendar_set_clock(&calendar, 0, GUEST_CLOCK_RATE_ONE / 2, true);
	next_is(CALENDAR_NEVER, TURN_NONE, 0, 0);
	calendar_advance(&calendar, 8000);
	assert_int_equal(calendar_guest_now(&calendar, 0), 750);
	calendar_set_clock(&calendar, 0, GUEST_CLOCK_RATE_ONE, false);
	next_is(CALENDAR_NEVER, TURN_GUEST, 8250, 0);
}

static void test_never_is_never(void **state)
{
	(void)state;
	next_is(CALENDAR_NEVER, TURN_NONE, 0, 0);
	wants(0, INT64_MAX);
	next_is(CALENDAR_NEVER, TURN_NONE, 0, 0);
	wants(1, UINT64_MAX);
	next_is(CALENDAR_NEVER, TURN_NONE, 0, 0);
	next_is(7, TURN_TIMER, 7, 0);
}

static void test_what_is_overdue_happens_now(void **state)
{
	(void)state;
	wants(0, 10);
	calendar_advance(&calendar, 30);
	next_is(CALENDAR_NEVER, TURN_GUEST, 30, 0);
	next_is(20, TURN_GUEST, 30, 0);
	next_is(5, TURN_TIMER, 30, 0);
}

static void test_a_guest_runs_free_to_just_before_what_comes_next(void **state)
{
	(void)state;
	wants(0, 100);
	wants(1, 400);
	calendar_advance(&calendar, 100);
	run(0, 300);
	assert_int_equal(calendar.guests[0].free_until_ns, 300);
	assert_int_equal(calendar.guests[0].floor_ns, 299);
	/* It led to a frame that is due sooner. */
	assert_true(calendar_refresh(&calendar, 0, 250));
	assert_int_equal(calendar.guests[0].free_until_ns, 250);
	assert_false(calendar_refresh(&calendar, 0, 250));
	/* ... or that is gone again. */
	assert_false(calendar_refresh(&calendar, 0, CALENDAR_NEVER));
	assert_int_equal(calendar.guests[0].free_until_ns, 400);
}

static void test_a_window_reaches_a_link_beyond_what_others_may_do(void **state)
{
	(void)state;
	calendar.lookahead_ns = 1000;
	wants(0, 100);
	wants(1, 400);
	calendar_advance(&calendar, 100);
	run(0, CALENDAR_NEVER);
	assert_int_equal(calendar.guests[0].free_until_ns, 1400);
	/* Timers of the lab reach it at once. */
	assert_true(calendar_refresh(&calendar, 0, 700));
	assert_int_equal(calendar.guests[0].free_until_ns, 700);
	/* Where time is to stand, it stands, and its end is within. */
	calendar.horizon_ns = 600;
	assert_true(calendar_refresh(&calendar, 0, 700));
	assert_int_equal(calendar.guests[0].free_until_ns, 601);
}

static void test_guests_of_one_window_run_at_once(void **state)
{
	struct calendar_turn turn;
	uint32_t window[GUESTS];

	(void)state;
	calendar.lookahead_ns = 1000;
	wants(0, 1900);
	wants(1, 2000); /* could be reached by guest 3 before it begins */
	wants(2, 1500);
	wants(3, 1000);
	turn = calendar_next(&calendar, CALENDAR_NEVER);
	assert_int_equal(turn.guest, 3);
	assert_int_equal(calendar_window(&calendar, &turn, CALENDAR_NEVER, window, GUESTS),
			 3);
	assert_int_equal(window[0], 3);
	assert_int_equal(window[1], 0);
	assert_int_equal(window[2], 2);
	/* Timers reach all at once; a horizon is where everybody stands. */
	assert_int_equal(calendar_window(&calendar, &turn, 1600, window, GUESTS), 2);
	assert_int_equal(window[1], 2);
	calendar.horizon_ns = 1499;
	assert_int_equal(calendar_window(&calendar, &turn, CALENDAR_NEVER, window, GUESTS),
			 1);
	calendar.horizon_ns = CALENDAR_NEVER;
	assert_int_equal(calendar_window(&calendar, &turn, CALENDAR_NEVER, window, 1), 1);
	assert_int_equal(window[0], 3);
	/* Each runs at its own time, and as far as the others let it. */
	calendar_advance(&calendar, 1000);
	calendar_run(&calendar, 3);
	calendar_run(&calendar, 2);
	assert_int_equal(calendar.running, 2);
	calendar_refresh(&calendar, 3, CALENDAR_NEVER);
	calendar_refresh(&calendar, 2, CALENDAR_NEVER);
	assert_int_equal(calendar.guests[3].free_until_ns, 2500);
	assert_int_equal(calendar.guests[2].local_ns, 1500);
	assert_int_equal(calendar.guests[2].free_until_ns, 2000);
}

static void test_free_running_is_bounded(void **state)
{
	(void)state;
	wants(0, 100);
	calendar_advance(&calendar, 100);
	run(0, CALENDAR_NEVER);
	assert_int_equal(calendar.guests[0].free_until_ns, 100 + CALENDAR_FREE_NS);
}

static void test_kicks_have_their_place_by_the_time_of_the_guest(void **state)
{
	(void)state;
	calendar.lookahead_ns = 1000;
	wants(0, 100);
	wants(1, 400);
	wants(2, 600);
	calendar_advance(&calendar, 100);
	run(0, CALENDAR_NEVER);
	/* It has gone on by itself beyond what guest 1 is to do. */
	assert_int_equal(calendar_update(&calendar, 0, 500, &why), 0);
	assert_int_equal(calendar.now_ns, 100);
	assert_int_equal(calendar_kick(&calendar, 0, &why), 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 400, 1);
	calendar_advance(&calendar, 400);
	run(1, CALENDAR_NEVER);
	/* What guest 0 is about to do may reach guest 1. */
	assert_int_equal(calendar.guests[1].free_until_ns, 1500);
	next_is(450, TURN_BUSY, 0, 0);
	assert_int_equal(calendar_wait(&calendar, 1, &why), 0);
	next_is(500, TURN_TIMER, 500, 0);
	next_is(501, TURN_KICK, 500, 0);
	assert_int_equal(calendar_next(&calendar, 501).guest, 0);
	calendar_advance(&calendar, 500);
	calendar_ready(&calendar, 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 500, 0); /* it goes on */
	run(0, CALENDAR_NEVER);
	next_is(501, TURN_BUSY, 0, 0);
	assert_int_equal(calendar_wait(&calendar, 0, &why), 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 600, 2);
}

static void test_time_is_where_the_guest_says_within_what_it_may(void **state)
{
	(void)state;
	wants(0, 100);
	calendar_advance(&calendar, 100);
	run(0, 200);
	assert_int_equal(calendar_update(&calendar, 0, 150, &why), 0);
	assert_int_equal(calendar.guests[0].local_ns, 150);
	/* Its time does not go back. */
	assert_int_equal(calendar_update(&calendar, 0, 120, &why), 0);
	assert_int_equal(calendar.guests[0].local_ns, 150);
	assert_int_equal(calendar_update(&calendar, 0, 199, &why), 0);
	assert_int_equal(calendar_update(&calendar, 0, 200, &why), -EPROTO);
	assert_non_null(strstr(why.text, "ahead of its turn"));
	assert_int_equal(calendar.guests[0].local_ns, 199);
}

static void test_a_guest_out_of_turn_is_refused(void **state)
{
	(void)state;
	assert_int_equal(calendar_start(&calendar, 0, &why), -EPROTO);
	assert_int_equal(calendar_request(&calendar, 0, 1, &why), -EPROTO);
	assert_int_equal(calendar_wait(&calendar, 0, &why), -EPROTO);
	assert_int_equal(calendar_update(&calendar, 0, 1, &why), -EPROTO);
	assert_int_equal(calendar_kick(&calendar, 0, &why), -EPROTO);
	calendar_expect(&calendar, 0);
	assert_int_equal(calendar_request(&calendar, 0, 1, &why), -EPROTO);
	assert_int_equal(calendar_start(&calendar, 0, &why), 0);
	assert_int_equal(calendar_start(&calendar, 0, &why), -EPROTO);
	/* Before its first turn it has no clock to ask by. */
	assert_int_equal(calendar_request(&calendar, 0, 1, &why), -EPROTO);
	assert_int_equal(calendar_wait(&calendar, 0, &why), -EPROTO);
	run(0, CALENDAR_NEVER);
	assert_int_equal(calendar_wait(&calendar, 0, &why), 0);
	assert_int_equal(calendar_wait(&calendar, 0, &why), -EPROTO);
	/* Asking anew while it waits is what interrupts do. */
	assert_int_equal(calendar_request(&calendar, 0, 77, &why), 0);
	next_is(CALENDAR_NEVER, TURN_GUEST, 77, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_the_earliest_comes_first),
		T(test_at_any_rate_a_guest_is_told_what_it_asked_for),
		T(test_at_any_rate_it_goes_as_far_by_itself_as_it_may),
		T(test_a_new_rate_moves_what_a_guest_has_asked_for),
		T(test_at_one_instant_timers_then_guests_by_number),
		T(test_nothing_happens_while_somebody_is_waited_for),
		T(test_a_guest_that_dies_stops_time_until_it_is_gone),
		T(test_a_guests_clock_begins_with_its_first_turn),
		T(test_never_is_never),
		T(test_what_is_overdue_happens_now),
		T(test_a_guest_runs_free_to_just_before_what_comes_next),
		T(test_a_window_reaches_a_link_beyond_what_others_may_do),
		T(test_guests_of_one_window_run_at_once),
		T(test_free_running_is_bounded),
		T(test_kicks_have_their_place_by_the_time_of_the_guest),
		T(test_time_is_where_the_guest_says_within_what_it_may),
		T(test_a_guest_out_of_turn_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
