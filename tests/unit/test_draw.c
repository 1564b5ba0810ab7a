/* SPDX-License-Identifier: MIT */
/* The draws are part of what a recorded seed means: their values are promises. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/draw.h"

static void keys_have_the_values_that_recorded_seeds_rely_on(void **state)
{
	(void)state;
	assert_int_equal(draw_key(0, ""), UINT64_C(0xaebe53f85cdc3c4c));
	assert_int_equal(draw_key(7, "backup n1->n2"), UINT64_C(0x320845f658421d67));
	assert_int_equal(draw_key(8, "backup n1->n2"), UINT64_C(0xec48e5d9f32cf456));
	assert_int_equal(draw_key(7, "backup n2->n1"), UINT64_C(0x6155b8e0aeb5276e));
}

static void bits_have_the_values_that_recorded_seeds_rely_on(void **state)
{
	(void)state;
	assert_int_equal(draw_bits(1, 0, LANE_LOSS), UINT64_C(0xef750fda15543af0));
	assert_int_equal(draw_bits(1, 1, LANE_LOSS), UINT64_C(0x7dde57c9ae016422));
	assert_int_equal(draw_bits(1, 0, LANE_JITTER), UINT64_C(0x06ad37e4b61889a7));
	assert_int_equal(draw_bits(2, 0, LANE_LOSS), UINT64_C(0x0b4a5f67209deee7));
	assert_int_equal(draw_below(1, 0, LANE_LOSS, 1000000), 935379);
	assert_int_equal(draw_below(1, 1, LANE_LOSS, 1000000), 491673);
}

static void lane_numbers_never_change(void **state)
{
	(void)state;
	assert_int_equal(LANE_LOSS, 1);
	assert_int_equal(LANE_JITTER, 2);
	assert_int_equal(LANE_TOPOLOGY, 3);
	assert_int_equal(LANE_MAC, 4);
	assert_int_equal(LANE_SEED, 5);
}

static void a_draw_below_a_bound_is_below_it(void **state)
{
	static const uint64_t bounds[] = { 1, 2, 3, 1000000, UINT64_C(1) << 32,
					   UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		for (uint64_t n = 0; n < 1000; n++)
			assert_true(draw_below(3, n, LANE_LOSS, bounds[i]) < bounds[i]);
}

/* 10 cells, 100,000 draws: chi-square with 9 degrees of freedom is above 16.92 for
 * one key in 20 and above 33.72 for one in 10,000, if the draws are uniform.  Of
 * 100 keys, 5 +- 2.2 are expected above the first. */
static void draws_fill_their_range_evenly(void **state)
{
	enum { CELLS = 10, DRAWS = 100000, KEYS = 100 };
	int high = 0;

	(void)state;
	for (uint64_t key = 0; key < KEYS; key++) {
		unsigned count[CELLS] = { 0 };
		double chi2 = 0;

		for (uint64_t n = 0; n < DRAWS; n++)
			count[draw_below(key, n, LANE_JITTER, CELLS)]++;
		for (int c = 0; c < CELLS; c++) {
			double d = count[c] - DRAWS / (double)CELLS;

			chi2 += d * d / (DRAWS / (double)CELLS);
		}
		assert_true(chi2 < 33.72);
		high += chi2 > 16.92;
	}
	assert_in_range(high, 0, 12);
}

/* Neighbouring numbers, keys and lanes differ in about half of their bits. */
static void neighbours_have_nothing_in_common(void **state)
{
	uint64_t by_n = 0, by_key = 0, by_lane = 0;
	enum { DRAWS = 10000 };

	(void)state;
	for (uint64_t n = 0; n < DRAWS; n++) {
		uint64_t d = draw_bits(5, n, LANE_LOSS);

		by_n += (unsigned)__builtin_popcountll(d ^ draw_bits(5, n + 1, LANE_LOSS));
		by_key += (unsigned)__builtin_popcountll(d ^ draw_bits(6, n, LANE_LOSS));
		by_lane += (unsigned)__builtin_popcountll(d ^ draw_bits(5, n, LANE_JITTER));
	}
	/* Mean 32 bits, standard deviation of the sum 4 * 100. */
	assert_in_range(by_n, 32 * DRAWS - 1600, 32 * DRAWS + 1600);
	assert_in_range(by_key, 32 * DRAWS - 1600, 32 * DRAWS + 1600);
	assert_in_range(by_lane, 32 * DRAWS - 1600, 32 * DRAWS + 1600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_the_values_that_recorded_seeds_rely_on),
		cmocka_unit_test(bits_have_the_values_that_recorded_seeds_rely_on),
		cmocka_unit_test(lane_numbers_never_change),
		cmocka_unit_test(a_draw_below_a_bound_is_below_it),
		cmocka_unit_test(draws_fill_their_range_evenly),
		cmocka_unit_test(neighbours_have_nothing_in_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
