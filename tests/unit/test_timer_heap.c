/* SPDX-License-Identifier: MIT */
#include "clock/timer_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/draw.h"

enum { TIMERS = 300, SEED = 20240607 };

static uint64_t chance(uint64_t n, uint64_t bound)
{
	return draw_below(SEED, n, LANE_TOPOLOGY, bound);
}

static void the_first_of_none_is_none(void **state)
{
	struct timer_heap heap = { 0 };
	struct timer timer = { 0 };

	(void)state;
	assert_null(timer_heap_first(&heap));
	timer_heap_remove(&heap, &timer);
	assert_null(timer_heap_first(&heap));
}

static void equal_times_leave_in_the_order_of_setting(void **state)
{
	struct timer_heap heap = { 0 };
	struct timer timers[TIMERS] = { 0 };

	(void)state;
	for (int i = 0; i < TIMERS; i++)
		timer_heap_set(&heap, &timers[i], 7);
	for (int i = 0; i < TIMERS; i++) {
		assert_ptr_equal(timer_heap_first(&heap), &timers[i]);
		timer_heap_remove(&heap, &timers[i]);
	}
}

static void setting_again_moves_and_counts_as_new(void **state)
{
	struct timer_heap heap = { 0 };
	struct timer a = { 0 }, b = { 0 };

	(void)state;
	timer_heap_set(&heap, &a, 5);
	timer_heap_set(&heap, &b, 5);
	timer_heap_set(&heap, &a, 5);
	assert_ptr_equal(timer_heap_first(&heap), &b);
	timer_heap_set(&heap, &a, 4);
	assert_ptr_equal(timer_heap_first(&heap), &a);
	timer_heap_set(&heap, &a, 6);
	assert_ptr_equal(timer_heap_first(&heap), &b);
}

/* The slow and obvious answer to compare with: the least of all that are set. */
static struct timer *first_by_search(struct timer *timers)
{
	struct timer *first = NULL;

	for (int i = 0; i < TIMERS; i++) {
		struct timer *t = &timers[i];

		if (!t->set)
			continue;
		if (!first || t->due_ns < first->due_ns ||
		    (t->due_ns == first->due_ns && t->order < first->order))
			first = t;
	}
	return first;
}

static void any_mix_of_setting_moving_and_removing_keeps_the_order(void **state)
{
	struct timer_heap heap = { 0 };
	struct timer timers[TIMERS] = { 0 };
	size_t set = 0;

	(void)state;
	for (uint64_t step = 0; step < 20000; step++) {
		struct timer *t = &timers[chance(3 * step, TIMERS)];
		uint64_t what = chance(3 * step + 1, 5);

		/* Serving the first brings what lies deep in the heap to light. */
		if (what == 0 && set)
			t = timer_heap_first(&heap);
		if (what <= 1) {
			set -= t->set;
			timer_heap_remove(&heap, t);
			assert_false(t->set);
		} else {
			set += !t->set;
			/* Few different times, so that there are many ties. */
			timer_heap_set(&heap, t, chance(3 * step + 2, 50));
		}
		assert_int_equal(heap.count, set);
		assert_ptr_equal(timer_heap_first(&heap), first_by_search(timers));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_none_is_none),
		cmocka_unit_test(equal_times_leave_in_the_order_of_setting),
		cmocka_unit_test(setting_again_moves_and_counts_as_new),
		cmocka_unit_test(any_mix_of_setting_moving_and_removing_keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
