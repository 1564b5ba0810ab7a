/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "linkfault/fault.h"

static struct fault_trail trail;

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static void every_spec_without_a_verdict_is_refused_in_the_words_of_the_file(void **state)
{
	static const struct {
		struct fault_spec spec;
		const char *why; /* NULL: accepted */
	} cases[] = {
		{ { 0 }, NULL },
		{ { .down = true }, NULL },
		{ { .loss_ppm = FAULT_PPM_ALL }, NULL },
		{ { .loss_ppm = FAULT_PPM_ALL + 1 }, "loss 100.0001% is more than 100%" },
		{ { .delay_ns = FAULT_DELAY_NS_MAX, .jitter_ns = FAULT_DELAY_NS_MAX },
		  NULL },
		{ { .delay_ns = FAULT_DELAY_NS_MAX + 1 },
		  "delay 3600000000001ns is longer than 1h" },
		{ { .delay_ns = 2 * FAULT_DELAY_NS_MAX }, "delay 2h is longer than 1h" },
		{ { .delay_ns = MS, .jitter_ns = 5 * MS },
		  "jitter 5ms is larger than delay 1ms: a frame cannot arrive before it "
		  "was "
		  "sent" },
		{ { .jitter_ns = 1500 },
		  "jitter 1500ns is larger than delay 0ms: a frame cannot arrive before "
		  "it "
		  "was sent" },
		{ { .rate_bps = FAULT_RATE_BPS_MIN }, NULL },
		{ { .rate_bps = FAULT_RATE_BPS_MAX, .limit_frames = 1, .limit_bytes = 1 },
		  NULL },
		{ { .rate_bps = 7 }, "rate 7bit is less than 8bit" },
		{ { .rate_bps = FAULT_RATE_BPS_MAX + 1 },
		  "rate 1000000000001bit is more than 1000Gbit" },
		{ { .limit_frames = 5 },
		  "limit needs a rate: without one, no frame waits for the line" },
		{ { .limit_bytes = 5 },
		  "limit needs a rate: without one, no frame waits for the line" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct why why = { "" };
		int err = fault_spec_check(&cases[i].spec, &why);

		assert_int_equal(err, cases[i].why ? -EINVAL : 0);
		assert_string_equal(why.text, cases[i].why ? cases[i].why : "");
	}
}

static void a_perfect_wire_passes_at_once(void **state)
{
	struct fault_spec spec = { 0 };
	struct fault_line line = { 0 };
	struct fault_verdict v = fault_judge(&spec, &line, 1, 0, 64, 77, &trail);

	(void)state;
	assert_true(fault_spec_is_perfect(&spec));
	assert_int_equal(v.fate, FAULT_PASS);
	assert_int_equal(v.due_ns, 77);
	assert_memory_equal(&v.line, &line, sizeof(line));
}

static void what_is_down_passes_nothing_and_takes_no_line(void **state)
{
	struct fault_spec spec = { .down = true, .rate_bps = 8, .delay_ns = 5 };
	struct fault_line line = { 0 };
	struct fault_verdict v = fault_judge(&spec, &line, 1, 0, 64, 77, &trail);

	(void)state;
	assert_false(fault_spec_is_perfect(&spec));
	assert_int_equal(v.fate, FAULT_DOWN);
	assert_memory_equal(&v.line, &line, sizeof(line));
}

/* The numbers come from a second implementation of draw.h's description. */
static void verdicts_are_those_of_the_recorded_draws(void **state)
{
	static const uint32_t loss_draws[] = { 817370, 521608, 968094, 396168,
					       146914, 427398, 4738,   993652 };
	static const uint64_t jitter_draws[] = { 457551, 336322, 141978, 260869,
						 291858, 279331, 27259,	 223940 };
	uint64_t key = draw_key(1, "L a->b");
	struct fault_line line = { 0 };

	(void)state;
	for (uint64_t n = 0; n < ARRAY_SIZE(loss_draws); n++) {
		struct fault_spec spec = { .loss_ppm = loss_draws[n],
					   .delay_ns = MS,
					   .jitter_ns = 250000 };
		struct fault_verdict v =
			fault_judge(&spec, &line, key, n, 64, 1000 * n, &trail);

		assert_int_equal(v.fate, FAULT_PASS);
		assert_int_equal(v.due_ns, 1000 * n + MS - 250000 + jitter_draws[n]);
		spec.loss_ppm++;
		v = fault_judge(&spec, &line, key, n, 64, 1000 * n, &trail);
		assert_int_equal(v.fate, FAULT_LOSS);
	}
}

/* 10 % of 100,000: mean 10,000, standard deviation 94.9; 99.9 %: +-312.  With
 * 20 keys, one such interval may be missed by an honest generator; none is. */
static void loss_of_a_tenth_is_within_the_interval_of_999_in_1000(void **state)
{
	struct fault_spec spec = { .loss_ppm = 100000 };
	struct fault_line line = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t key = draw_key(seed, "lan.n1 n1->lan");
		unsigned lost = 0;

		for (uint64_t n = 0; n < 100000; n++)
			lost += fault_judge(&spec, &line, key, n, 64, n, &trail).fate ==
				FAULT_LOSS;
		assert_in_range(lost, 10000 - 312, 10000 + 312);
	}
}

static void loss_of_all_loses_all_and_more_loss_never_saves_a_frame(void **state)
{
	struct fault_line line = { 0 };

	(void)state;
	for (uint64_t n = 0; n < 10000; n++) {
		bool lost = false;

		for (uint32_t ppm = 0; ppm <= FAULT_PPM_ALL; ppm += 125000) {
			struct fault_spec spec = { .loss_ppm = ppm };
			bool now = fault_judge(&spec, &line, 9, n, 64, n, &trail).fate ==
				   FAULT_LOSS;

			assert_true(now || !lost);
			lost = now;
		}
		assert_true(lost);
	}
}

static void jitter_stays_within_its_bounds_and_reaches_them(void **state)
{
	struct fault_spec spec = { .delay_ns = 10, .jitter_ns = 3 };
	struct fault_line line = { 0 };
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (uint64_t n = 0; n < 1000; n++) {
		struct fault_verdict v = fault_judge(&spec, &line, 9, n, 64, 100, &trail);

		least = v.due_ns < least ? v.due_ns : least;
		most = v.due_ns > most ? v.due_ns : most;
	}
	assert_int_equal(least, 107);
	assert_int_equal(most, 113);
}

/* One byte at 3 Mbit/s takes 2666.67 ns.  A million such frames take
 * 8/3 s; rounding each one up would be off by 333 us. */
static void a_rate_does_not_drift_over_a_million_frames(void **state)
{
	struct fault_spec spec = { .rate_bps = 3000000, .limit_frames = UINT32_MAX };
	struct fault_line line = { 0 };
	struct fault_verdict v = { 0 };

	(void)state;
	for (uint64_t n = 1; n <= 1000000; n++) {
		uint64_t exact = (n * 8 * S + spec.rate_bps - 1) / spec.rate_bps;

		v = fault_judge(&spec, &line, 1, n, 1, 0, &trail);
		assert_int_equal(v.fate, FAULT_PASS);
		assert_int_equal(v.leave_ns, exact);
		line = v.line;
	}
	assert_int_equal(line.frames, 1000000);
	assert_int_equal(v.due_ns, UINT64_C(2666666667));
}

static void ten_megabit_carry_1500_bytes_each_1200_us(void **state)
{
	struct fault_spec spec = { .rate_bps = 10000000, .delay_ns = 50 * MS };
	struct fault_line line = { 0 };
	struct fault_verdict v = fault_judge(&spec, &line, 1, 0, 1500, 7, &trail);

	(void)state;
	assert_int_equal(v.leave_ns, 7 + 1200000);
	assert_int_equal(v.due_ns, 7 + 1200000 + 50 * MS);
	line = v.line;
	v = fault_judge(&spec, &line, 1, 1, 1500, 100, &trail);
	assert_int_equal(v.leave_ns, 7 + 2400000);
	line = v.line;
	/* After a pause the line starts anew. */
	fault_line_leave(&line, 1500);
	fault_line_leave(&line, 1500);
	v = fault_judge(&spec, &line, 1, 2, 1500, S, &trail);
	assert_int_equal(v.leave_ns, S + 1200000);
	assert_int_equal(v.line.frames, 1);
	assert_int_equal(v.line.bytes, 1500);
}

static void a_frame_that_would_wait_behind_the_limit_is_dropped(void **state)
{
	struct fault_spec spec = { .rate_bps = 1000000, .limit_frames = 3 };
	struct fault_line line = { 0 };
	struct fault_verdict v;

	(void)state;
	for (int n = 0; n < 3; n++) {
		v = fault_judge(&spec, &line, 1, (uint64_t)n, 100, 0, &trail);
		assert_int_equal(v.fate, FAULT_PASS);
		line = v.line;
	}
	v = fault_judge(&spec, &line, 1, 3, 100, 0, &trail);
	assert_int_equal(v.fate, FAULT_LIMIT);
	assert_memory_equal(&v.line, &line, sizeof(line));
	fault_line_leave(&line, 100);
	assert_int_equal(fault_judge(&spec, &line, 1, 4, 100, 800000, &trail).fate,
			 FAULT_PASS);
}

static void without_a_limit_a_thousand_frames_may_wait(void **state)
{
	struct fault_spec spec = { .rate_bps = 1000000 };
	struct fault_line line = { .frames = FAULT_LIMIT_FRAMES_DEFAULT - 1 };

	(void)state;
	assert_int_equal(fault_judge(&spec, &line, 1, 0, 100, 0, &trail).fate,
			 FAULT_PASS);
	line.frames++;
	assert_int_equal(fault_judge(&spec, &line, 1, 0, 100, 0, &trail).fate,
			 FAULT_LIMIT);
}

static void a_limit_in_bytes_counts_the_frame_itself(void **state)
{
	struct fault_spec spec = { .rate_bps = 1000000, .limit_bytes = 1000 };
	struct fault_line line = { .frames = 1, .bytes = 900 };

	(void)state;
	assert_int_equal(fault_judge(&spec, &line, 1, 0, 100, 0, &trail).fate,
			 FAULT_PASS);
	assert_int_equal(fault_judge(&spec, &line, 1, 0, 101, 0, &trail).fate,
			 FAULT_LIMIT);
}

static void a_line_that_is_busy_for_centuries_takes_nothing_more(void **state)
{
	struct fault_spec spec = { .rate_bps = 8,
				   .limit_frames = UINT32_MAX,
				   .delay_ns = FAULT_DELAY_NS_MAX,
				   .jitter_ns = FAULT_DELAY_NS_MAX };
	struct fault_line line = { 0 };
	uint64_t before = 0;
	int taken = 0;

	(void)state;
	for (;; taken++) {
		struct fault_verdict v =
			fault_judge(&spec, &line, 1, 0, UINT32_MAX, 0, &trail);

		if (v.fate == FAULT_LIMIT)
			break;
		assert_true(v.leave_ns > before && v.due_ns >= v.leave_ns);
		before = v.leave_ns;
		line = v.line;
	}
	assert_in_range(taken, 2, 4);
}

static uint64_t picks;

/* The next of a fixed row of numbers below bound. */
static uint64_t pick(uint64_t bound)
{
	return draw_below(11, picks++, LANE_TOPOLOGY, bound);
}

static void a_frame_is_never_early_whatever_the_spec(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 2000; round++) {
		struct fault_spec spec = { 0 };
		struct fault_line line = { 0 };
		uint64_t now = pick(S), leave = 0;

		spec.delay_ns = pick(3) ? pick(100 * MS) : 0;
		if (pick(2))
			spec.rate_bps = 8 + pick(UINT64_C(1) << pick(39));
		spec.jitter_ns = pick(spec.delay_ns + 1);
		assert_int_equal(fault_spec_check(&spec, NULL), 0);
		for (uint64_t n = 0; n < 20; n++) {
			uint32_t size = 14 + (uint32_t)pick(1500);
			struct fault_verdict v;
			uint64_t least;

			v = fault_judge(&spec, &line, round, n, size, now, &trail);
			assert_int_equal(v.fate, FAULT_PASS);
			least = now + spec.delay_ns - spec.jitter_ns;
			if (spec.rate_bps)
				least += size * 8 * S / spec.rate_bps;
			assert_true(v.due_ns >= least && v.leave_ns >= now);
			assert_true(v.leave_ns >= leave); /* a line keeps the order */
			leave = v.leave_ns;
			line = v.line;
			now += pick(10 * MS);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_spec_without_a_verdict_is_refused_in_the_words_of_the_file),
		cmocka_unit_test(a_perfect_wire_passes_at_once),
		cmocka_unit_test(what_is_down_passes_nothing_and_takes_no_line),
		cmocka_unit_test(verdicts_are_those_of_the_recorded_draws),
		cmocka_unit_test(loss_of_a_tenth_is_within_the_interval_of_999_in_1000),
		cmocka_unit_test(loss_of_all_loses_all_and_more_loss_never_saves_a_frame),
		cmocka_unit_test(jitter_stays_within_its_bounds_and_reaches_them),
		cmocka_unit_test(a_rate_does_not_drift_over_a_million_frames),
		cmocka_unit_test(ten_megabit_carry_1500_bytes_each_1200_us),
		cmocka_unit_test(a_frame_that_would_wait_behind_the_limit_is_dropped),
		cmocka_unit_test(without_a_limit_a_thousand_frames_may_wait),
		cmocka_unit_test(a_limit_in_bytes_counts_the_frame_itself),
		cmocka_unit_test(a_line_that_is_busy_for_centuries_takes_nothing_more),
		cmocka_unit_test(a_frame_is_never_early_whatever_the_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
