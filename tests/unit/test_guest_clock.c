/* SPDX-License-Identifier: MIT */
#include "clock/guest_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/draw.h"

#define S	UINT64_C(1000000000)
#define CENTURY (UINT64_C(100) * 365 * 86400 * S)

static const uint32_t rates[] = { 1,
				  7,
				  900000000,
				  999800000,
				  999999999,
				  1000000000,
				  1000000001,
				  1000200000,
				  1100000000,
				  GUEST_CLOCK_RATE_MAX };

enum { RATES = sizeof(rates) / sizeof(*rates) };

static uint64_t some(uint64_t n, uint64_t below)
{
	return draw_bits(draw_key(1, "guest-clock"), n, 0) % below;
}

static void a_right_clock_shows_what_has_passed_since_it_began(void **state)
{
	struct guest_clock clock = { .rate_ppb = GUEST_CLOCK_RATE_ONE };

	(void)state;
	guest_clock_start(&clock, 500);
	assert_int_equal(guest_clock_at(&clock, 0), 0);
	assert_int_equal(guest_clock_at(&clock, 500), 0);
	assert_int_equal(guest_clock_at(&clock, 501), 1);
	assert_int_equal(guest_clock_at(&clock, CENTURY + 500), CENTURY);
	assert_int_equal(guest_clock_lab_ns(&clock, 0), 500);
	assert_int_equal(guest_clock_lab_ns(&clock, CENTURY), CENTURY + 500);
}

static void two_hundred_ppm_are_two_hundred_milliseconds_in_a_thousand_seconds(void **state)
{
	struct guest_clock fast = { .rate_ppb = GUEST_CLOCK_RATE_ONE + 200000 };
	struct guest_clock slow = { .rate_ppb = GUEST_CLOCK_RATE_ONE - 200000 };

	(void)state;
	assert_int_equal(guest_clock_at(&fast, 1000 * S), 1000 * S + S / 5);
	assert_int_equal(guest_clock_at(&slow, 1000 * S), 1000 * S - S / 5);
	assert_int_equal(guest_clock_at(&fast, CENTURY), CENTURY + CENTURY / 5000);
}

/* What makes a turn come when it was asked for, at any rate and in any year. */
static void the_inverse_is_the_first_moment_and_no_later_one(void **state)
{
	(void)state;
	for (size_t r = 0; r < RATES; r++)
		for (uint64_t n = 0; n < 2000; n++) {
			uint32_t rate = rates[r];
			struct guest_clock clock = { .lab_base_ns = some(n, CENTURY),
						     .guest_base_ns = some(~n, CENTURY),
						     .rate_ppb = rate };
			uint64_t range = n % 2 ? 10000 : CENTURY / 2;
			uint64_t guest_ns = clock.guest_base_ns + 1 +
					    some(n + 1000000, range) * rate / S;
			uint64_t lab_ns = guest_clock_lab_ns(&clock, guest_ns);

			assert_true(lab_ns > clock.lab_base_ns);
			assert_true(guest_clock_at(&clock, lab_ns) >= guest_ns);
			assert_true(guest_clock_at(&clock, lab_ns - 1) < guest_ns);
		}
}

static void it_never_goes_back_whatever_is_done_to_it(void **state)
{
	struct guest_clock clock = { .rate_ppb = GUEST_CLOCK_RATE_ONE };
	uint64_t lab_ns = 0, last_ns = 0;

	(void)state;
	guest_clock_start(&clock, 10);
	for (uint64_t n = 0; n < 20000; n++) {
		lab_ns += some(n, n % 3 ? 5 : 10 * S);
		if (n % 2)
			guest_clock_set_rate(&clock, lab_ns,
					     (uint32_t)some(~n, GUEST_CLOCK_RATE_MAX + 1));
		assert_true(guest_clock_at(&clock, lab_ns) >= last_ns);
		last_ns = guest_clock_at(&clock, lab_ns);
	}
	assert_true(last_ns > 0);
}

static void a_change_takes_nothing_away_but_a_fraction_of_a_nanosecond(void **state)
{
	struct guest_clock clock = { .rate_ppb = GUEST_CLOCK_RATE_ONE + 1 };

	(void)state;
	for (uint64_t n = 1; n <= 1000; n++)
		guest_clock_set_rate(&clock, n * S, GUEST_CLOCK_RATE_ONE + 1);
	assert_int_equal(guest_clock_at(&clock, 1000 * S), 1000 * S + 1000);
	guest_clock_set_rate(&clock, 1000 * S, 0);
	assert_int_equal(guest_clock_at(&clock, CENTURY), 1000 * S + 1000);
	guest_clock_set_rate(&clock, 1010 * S, GUEST_CLOCK_RATE_ONE);
	assert_int_equal(guest_clock_at(&clock, 1011 * S), 1001 * S + 1000);
}

static void a_clock_that_stands_never_shows_more(void **state)
{
	struct guest_clock clock = { .lab_base_ns = 5, .guest_base_ns = 100 };

	(void)state;
	assert_int_equal(guest_clock_at(&clock, CENTURY), 100);
	assert_int_equal(guest_clock_lab_ns(&clock, 100), 5);
	assert_true(guest_clock_lab_ns(&clock, 101) == GUEST_CLOCK_NEVER);
}

static void beyond_all_days_is_never_and_nothing_overflows(void **state)
{
	(void)state;
	for (size_t r = 0; r < RATES; r++) {
		struct guest_clock clock = { .lab_base_ns = CENTURY,
					     .guest_base_ns = CENTURY,
					     .rate_ppb = rates[r] };
		uint64_t at_ns = guest_clock_at(&clock, INT64_MAX);

		assert_true(at_ns > CENTURY && at_ns <= INT64_MAX);
		assert_true(guest_clock_at(&clock, UINT64_MAX) <= INT64_MAX);
		assert_true(guest_clock_lab_ns(&clock, UINT64_MAX) == GUEST_CLOCK_NEVER);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(a_right_clock_shows_what_has_passed_since_it_began),
		T(two_hundred_ppm_are_two_hundred_milliseconds_in_a_thousand_seconds),
		T(the_inverse_is_the_first_moment_and_no_later_one),
		T(it_never_goes_back_whatever_is_done_to_it),
		T(a_change_takes_nothing_away_but_a_fraction_of_a_nanosecond),
		T(a_clock_that_stands_never_shows_more),
		T(beyond_all_days_is_never_and_nothing_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
