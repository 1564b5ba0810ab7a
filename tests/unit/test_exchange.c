/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/draw.h"
#include "clock/exchange.h"

enum { OFF_NS = 4600000, ANSWER_NS = 2000 };

/* Ours shows 1000000 at the start; the ways take so long, there and back. */
static void ask(struct exchanges *exchanges, int64_t off_ns, uint64_t there_ns,
		uint64_t back_ns)
{
	uint64_t sent_ns = 1000000;

	exchanges_add(exchanges, sent_ns, sent_ns + there_ns + (uint64_t)off_ns,
		      sent_ns + there_ns + ANSWER_NS + back_ns);
}

static void one_exchange_bounds_the_truth(void **state)
{
	struct exchanges e = { 0 };

	(void)state;
	ask(&e, OFF_NS, 30000, 90000);
	assert_int_equal(e.count, 1);
	assert_int_equal(exchanges_error_ns(&e), 61000);
	assert_true(exchanges_offset_ns(&e) - 61000 <= OFF_NS);
	assert_true(exchanges_offset_ns(&e) + 61000 >= OFF_NS);
}

static void the_quickest_ways_count_even_of_different_exchanges(void **state)
{
	struct exchanges e = { 0 };

	(void)state;
	ask(&e, -OFF_NS, 10000, 500000);
	ask(&e, -OFF_NS, 500000, 10000);
	assert_int_equal(exchanges_error_ns(&e), 11000);
	assert_int_equal(exchanges_offset_ns(&e), -OFF_NS - 1000);
}

static void the_truth_is_within_the_error_whatever_the_ways_take(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 1000; n++) {
		struct exchanges e = { 0 };
		uint64_t error_ns = UINT64_MAX;

		for (uint64_t i = 0; i < 16; i++) {
			int64_t left;

			ask(&e, OFF_NS, draw_below(n, i, LANE_JITTER, 300000),
			    draw_below(n, i, LANE_LOSS, 300000));
			left = exchanges_offset_ns(&e) - OFF_NS;
			assert_true((uint64_t)(left < 0 ? -left : left) <=
				    exchanges_error_ns(&e));
			/* And more exchanges never say less. */
			assert_true(exchanges_error_ns(&e) <= error_ns);
			error_ns = exchanges_error_ns(&e);
		}
	}
}

static void a_clock_that_was_set_meanwhile_is_measured_anew(void **state)
{
	struct exchanges e = { 0 };

	(void)state;
	ask(&e, 0, 10000, 10000);
	ask(&e, OFF_NS, 20000, 20000);
	assert_int_equal(e.count, 1);
	assert_int_equal(exchanges_offset_ns(&e), OFF_NS - 1000);
}

static void any_answer_is_only_a_number(void **state)
{
	struct exchanges e = { 0 };

	(void)state;
	exchanges_add(&e, 5, UINT64_MAX, 6);
	exchanges_add(&e, 5, 0, UINT64_MAX);
	exchanges_add(&e, 0, (uint64_t)INT64_MAX + 1, UINT64_MAX);
	assert_true(exchanges_error_ns(&e) <= UINT64_MAX);
	(void)exchanges_offset_ns(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_exchange_bounds_the_truth),
		cmocka_unit_test(the_quickest_ways_count_even_of_different_exchanges),
		cmocka_unit_test(the_truth_is_within_the_error_whatever_the_ways_take),
		cmocka_unit_test(a_clock_that_was_set_meanwhile_is_measured_anew),
		cmocka_unit_test(any_answer_is_only_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
