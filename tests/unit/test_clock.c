/* SPDX-License-Identifier: MIT */
#include "clock/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/draw.h"

/* Timers that write down what happened; a test compares the whole transcript. */
struct script {
	struct clock *clock;
	struct loop *loop; /* real clock only */
	char said[1024];
};

struct actor {
	struct timer timer;
	struct script *script;
	char name;
	struct actor *cancels, *sets;
	uint64_t sets_ns; /* when the other one is to fire */
	int times;	  /* how often `sets` is obeyed */
};

static void act(void *ctx, uint64_t now_ns)
{
	struct actor *a = ctx;
	char *said = a->script->said;
	size_t used = strlen(said);

	snprintf(said + used, sizeof(a->script->said) - used, "%c%u ", a->name,
		 (unsigned)now_ns);
	assert_int_equal(clock_now_ns(a->script->clock), now_ns);
	if (a->cancels)
		timer_cancel(a->script->clock, &a->cancels->timer);
	if (a->sets && a->times-- > 0)
		timer_set(a->script->clock, &a->sets->timer, a->sets_ns);
}

static struct actor actor(struct script *script, char name)
{
	return (struct actor){ .timer.fire = act, .script = script, .name = name };
}

/* The timer's ctx is the actor's address, known only once it lies still. */
static void set(struct actor *a, uint64_t due_ns)
{
	a->timer.ctx = a;
	timer_set(a->script->clock, &a->timer, due_ns);
}

static int set_up_fake(void **state)
{
	static struct script script;

	script = (struct script){ 0 };
	*state = &script;
	return clock_fake_create(&script.clock, NULL);
}

static int set_up_real(void **state)
{
	static struct script script;

	script = (struct script){ 0 };
	*state = &script;
	return loop_create(&script.loop, NULL) ||
	       clock_real_create(&script.clock, script.loop, NULL);
}

static int tear_down(void **state)
{
	struct script *script = *state;

	clock_destroy(script->clock);
	loop_destroy(script->loop);
	return 0;
}

static void each_timer_fires_once_at_its_own_time(void **state)
{
	struct script *s = *state;
	struct actor a = actor(s, 'a'), b = actor(s, 'b');

	set(&a, 30);
	set(&b, 10);
	clock_fake_advance(s->clock, 9);
	assert_string_equal(s->said, "");
	clock_fake_advance(s->clock, 10);
	assert_string_equal(s->said, "b10 ");
	clock_fake_advance(s->clock, 100);
	assert_string_equal(s->said, "b10 a30 ");
	assert_int_equal(clock_now_ns(s->clock), 100);
}

static void ties_fire_in_the_order_of_setting(void **state)
{
	struct script *s = *state;
	struct actor a = actor(s, 'a'), b = actor(s, 'b'), c = actor(s, 'c');

	set(&c, 5);
	set(&a, 5);
	set(&b, 5);
	set(&c, 5);
	clock_fake_advance(s->clock, 5);
	assert_string_equal(s->said, "a5 b5 c5 ");
}

static void a_callback_may_cancel_another_that_is_due(void **state)
{
	struct script *s = *state;
	struct actor a = actor(s, 'a'), b = actor(s, 'b'), c = actor(s, 'c');

	a.cancels = &b;
	set(&a, 5);
	set(&b, 5);
	set(&c, 6);
	clock_fake_advance(s->clock, 10);
	assert_string_equal(s->said, "a5 c6 ");
}

static void a_callback_may_set_and_cancel_itself(void **state)
{
	struct script *s = *state;
	struct actor a = actor(s, 'a'), b = actor(s, 'b');

	a.sets = &a;
	a.sets_ns = 20;
	a.times = 1;
	b.cancels = &b;
	set(&a, 5);
	set(&b, 6);
	clock_fake_advance(s->clock, 100);
	assert_string_equal(s->said, "a5 b6 a20 ");
}

static void a_timer_set_for_the_past_fires_without_moving_time_back(void **state)
{
	struct script *s = *state;
	struct actor a = actor(s, 'a'), b = actor(s, 'b');

	a.sets = &b;
	a.sets_ns = 3;
	a.times = 1;
	b.timer.ctx = &b;
	set(&a, 50);
	clock_fake_advance(s->clock, 60);
	assert_string_equal(s->said, "a50 b50 ");
}

static void a_cancelled_timer_can_be_set_again(void **state)
{
	struct script *s = *state;
	struct actor a = actor(s, 'a');

	set(&a, 5);
	timer_cancel(s->clock, &a.timer);
	timer_cancel(s->clock, &a.timer);
	clock_fake_advance(s->clock, 10);
	assert_string_equal(s->said, "");
	set(&a, 12);
	set(&a, 15);
	clock_fake_advance(s->clock, 14);
	assert_string_equal(s->said, "");
	clock_fake_advance(s->clock, 15);
	assert_string_equal(s->said, "a15 ");
}

static void lab_time_and_wall_time_run_together(void **state)
{
	struct script *s = *state;

	assert_int_equal(clock_wall_ns(s->clock, 12345) - clock_wall_ns(s->clock, 0), 12345);
}

/* A real timer that checks that it is not early and stops the loop when it was
 * the last. */
struct real_timer {
	struct timer timer;
	struct script *script;
	unsigned *left;
	uint64_t *last_due_ns;
};

static void on_real(void *ctx, uint64_t now_ns)
{
	struct real_timer *t = ctx;

	assert_true(now_ns >= t->timer.due_ns);
	assert_true(clock_now_ns(t->script->clock) >= now_ns);
	assert_true(t->timer.due_ns >= *t->last_due_ns);
	*t->last_due_ns = t->timer.due_ns;
	if (--*t->left == 0)
		loop_stop(t->script->loop);
}

static void the_real_clock_is_never_early_and_keeps_the_order(void **state)
{
	enum { REAL_TIMERS = 500 };
	struct script *s = *state;
	struct real_timer timers[REAL_TIMERS];
	uint64_t last_due_ns = 0, start_ns = clock_now_ns(s->clock);
	unsigned left = REAL_TIMERS;

	for (int i = 0; i < REAL_TIMERS; i++) {
		uint64_t after_ns = draw_below(1, (uint64_t)i, LANE_JITTER, 50 * NS_PER_MS);

		timers[i] = (struct real_timer){ .timer = { .fire = on_real, .ctx = &timers[i] },
						 .script = s,
						 .left = &left,
						 .last_due_ns = &last_due_ns };
		timer_set(s->clock, &timers[i].timer, start_ns + after_ns);
	}
	assert_int_equal(loop_run(s->loop), 0);
	assert_int_equal(left, 0);
}

static void the_real_clock_fires_what_has_passed_in_the_next_turn(void **state)
{
	struct script *s = *state;
	uint64_t last_due_ns = 0;
	unsigned left = 1;
	struct real_timer t = { .timer.fire = on_real,
				.script = s,
				.left = &left,
				.last_due_ns = &last_due_ns };

	t.timer.ctx = &t;
	timer_set(s->clock, &t.timer, 0);
	assert_int_equal(left, 1);
	assert_int_equal(loop_run(s->loop), 0);
	assert_int_equal(left, 0);
}

static void an_earlier_timer_set_later_is_not_held_up(void **state)
{
	struct script *s = *state;
	uint64_t last_due_ns = 0, now_ns = clock_now_ns(s->clock);
	unsigned left = 1, far_left = 1;
	struct real_timer far = { .timer.fire = on_real, .script = s, .left = &far_left,
				  .last_due_ns = &last_due_ns };
	struct real_timer near = { .timer.fire = on_real, .script = s, .left = &left,
				   .last_due_ns = &last_due_ns };

	far.timer.ctx = &far;
	near.timer.ctx = &near;
	timer_set(s->clock, &far.timer, now_ns + 3600 * NS_PER_S);
	timer_set(s->clock, &near.timer, now_ns + NS_PER_MS);
	assert_int_equal(loop_run(s->loop), 0);
	assert_int_equal(left, 0);
	assert_int_equal(far_left, 1);
	timer_cancel(s->clock, &far.timer);
}

/* Work that never ends, for ten seconds. */
struct treadmill {
	struct deferred work;
	struct script *script;
	uint64_t turns;
};

static void tread(void *ctx)
{
	struct treadmill *mill = ctx;

	mill->turns++;
	loop_defer(mill->script->loop, &mill->work);
	if (clock_now_ns(mill->script->clock) > 10 * NS_PER_S)
		loop_stop(mill->script->loop);
}

static void a_loop_that_never_sleeps_holds_no_timer_up(void **state)
{
	struct script *s = *state;
	struct treadmill mill = { .work = { .run = tread, .ctx = &mill }, .script = s };
	uint64_t last_due_ns = 0;
	unsigned left = 1;
	struct real_timer t = { .timer.fire = on_real,
				.script = s,
				.left = &left,
				.last_due_ns = &last_due_ns };

	t.timer.ctx = &t;
	timer_set(s->clock, &t.timer, clock_now_ns(s->clock) + NS_PER_MS);
	loop_defer(s->loop, &mill.work);
	assert_int_equal(loop_run(s->loop), 0);
	assert_int_equal(left, 0);
	assert_true(mill.turns > 0);
	deferred_cancel(&mill.work);
	timer_cancel(s->clock, &t.timer);
}

#define FAKE(name) cmocka_unit_test_setup_teardown(name, set_up_fake, tear_down)
#define REAL(name) cmocka_unit_test_setup_teardown(name, set_up_real, tear_down)

static void a_time_that_never_comes_wakes_nobody(void **state)
{
	static const uint64_t times_ns[] = { UINT64_MAX - 1, UINT64_MAX / 2, UINT64_MAX / 2 + 1,
					     UINT64_C(18446744000) * NS_PER_S };
	struct script *s = *state;
	struct actor a = actor(s, 'a');

	for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
		set(&a, times_ns[i]);
		for (int turn = 0; turn < 3; turn++)
			assert_int_equal(loop_turn(s->loop, 1), 0);
	}
	assert_string_equal(s->said, "");
	timer_cancel(s->clock, &a.timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE(each_timer_fires_once_at_its_own_time),
		FAKE(ties_fire_in_the_order_of_setting),
		FAKE(a_callback_may_cancel_another_that_is_due),
		FAKE(a_callback_may_set_and_cancel_itself),
		FAKE(a_timer_set_for_the_past_fires_without_moving_time_back),
		FAKE(a_cancelled_timer_can_be_set_again),
		FAKE(lab_time_and_wall_time_run_together),
		REAL(lab_time_and_wall_time_run_together),
		REAL(the_real_clock_is_never_early_and_keeps_the_order),
		REAL(the_real_clock_fires_what_has_passed_in_the_next_turn),
		REAL(an_earlier_timer_set_later_is_not_held_up),
		REAL(a_loop_that_never_sleeps_holds_no_timer_up),
		REAL(a_time_that_never_comes_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
