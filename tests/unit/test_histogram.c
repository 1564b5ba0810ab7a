/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/draw.h"
#include "base/histogram.h"

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Against sorting, for numbers of all sizes. */
static void a_quantile_is_never_below_the_real_one_nor_six_percent_above(void **state)
{
	static uint64_t values[10000];
	static const unsigned permilles[] = { 0, 1, 10, 250, 500, 900, 990, 999, 1000 };

	(void)state;
	for (uint64_t round = 0; round < 40; round++) {
		struct histogram h = { .count = 0 };
		size_t n = 1 + (size_t)draw_below(1, round, LANE_TOPOLOGY, 10000);
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++) {
			values[i] = draw_bits(round, i, LANE_TOPOLOGY) >> 22 >>
				    draw_below(round, i, LANE_JITTER, 42);
			sum += values[i];
			histogram_add(&h, values[i]);
		}
		qsort(values, n, sizeof(values[0]), by_size);
		assert_int_equal(h.count, n);
		assert_int_equal(h.sum, sum);
		assert_int_equal(h.most, values[n - 1]);
		for (size_t p = 0; p < sizeof(permilles) / sizeof(permilles[0]); p++) {
			size_t rank = (n * permilles[p] + 999) / 1000;
			uint64_t real = values[rank ? rank - 1 : 0];
			uint64_t said = histogram_quantile(&h, permilles[p]);

			assert_true(said >= real);
			assert_true(said <= real + real / HISTOGRAM_STEPS);
		}
	}
}

static void small_numbers_are_exact_and_large_ones_have_a_place(void **state)
{
	struct histogram h = { .count = 0 };

	(void)state;
	assert_int_equal(histogram_quantile(&h, 500), 0);
	for (uint64_t v = 0; v < HISTOGRAM_STEPS; v++) {
		struct histogram one = { .count = 0 };

		histogram_add(&one, v);
		histogram_add(&one, 1000);
		assert_int_equal(histogram_quantile(&one, 500), v);
	}
	histogram_add(&h, UINT64_MAX);
	histogram_add(&h, 3);
	assert_int_equal(histogram_quantile(&h, 500), 3);
	assert_true(histogram_quantile(&h, 1000) > UINT64_C(1) << 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_quantile_is_never_below_the_real_one_nor_six_percent_above),
		cmocka_unit_test(small_numbers_are_exact_and_large_ones_have_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
