/* SPDX-License-Identifier: MIT */
/* What is said of counters and times: pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "fabric/expectation.h"
#include "fabric/fidelity.h"
#include "lib/fault_rig.h"
#include "faultwords/fault_words.h"

static json_t *report(const char *fault, const struct sw_count *count,
		      const struct sw_timing *timing)
{
	json_t *words = json_loads(fault, 0, NULL), *json;
	struct fault_spec *spec = NULL;

	assert_non_null(words);
	assert_int_equal(fault_words_from_json(&spec, NULL, words, NULL), 0);
	json = fidelity_of(spec, count, timing);
	assert_non_null(json);
	fault_spec_free(spec);
	json_decref(words);
	return json;
}

/* -1: it says nothing; else its verdict. */
static int verdict(json_t *report, const char *part)
{
	const json_t *ok = json_object_get(json_object_get(report, part), "ok");
	int said = ok ? json_is_true(ok) : -1;

	json_decref(report);
	return said;
}

static void the_interval_is_wilsons(void **state)
{
	double low, high;

	(void)state;
	/* 10 of 100 at 3.2905 deviations, by the formula. */
	fidelity_wilson(10, 100, &low, &high);
	assert_true(fabs(low - 37492.2) < 1 && fabs(high - 240664.6) < 1);
	fidelity_wilson(0, 50, &low, &high);
	assert_true(low == 0 && high > 100000 && high < 200000);
	fidelity_wilson(50, 50, &low, &high);
	assert_true(high == 1e6 && low > 800000);
}

/* Of 1000 honest runs at most a handful are marked, and a loss that is a third more than
 * was asked for always is. */
static void honest_losses_fit_and_others_do_not(void **state)
{
	int marked = 0, found = 0;

	(void)state;
	for (uint64_t run = 0; run < 1000; run++) {
		struct sw_count honest = { .frames = 20000 }, wrong = { .frames = 20000 };

		for (uint64_t i = 0; i < 20000; i++) {
			uint64_t p = draw_below(run, i, LANE_LOSS, 1000000);

			honest.dropped[SW_DROP_LOSS] += p < 30000;
			wrong.dropped[SW_DROP_LOSS] += p < 40000;
		}
		marked +=
			verdict(report("{\"loss\":\"3%\"}", &honest, NULL), "loss") == 0;
		found += verdict(report("{\"loss\":\"3%\"}", &wrong, NULL), "loss") == 0;
	}
	assert_in_range(marked, 0, 6);
	assert_int_equal(found, 1000);
}

static void losses_by_another_word_are_not_held_against_the_one_asked_for(void **state)
{
	struct sw_count count = { .frames = 20000 };

	(void)state;
	count.dropped[SW_DROP_LOSS] = 1000;
	assert_int_equal(verdict(report("{\"loss\":\"1%\"}", &count, NULL), "loss"), 0);
	assert_int_equal(verdict(report("{\"loss\":\"1%\",\"drop-first\":800}", &count, NULL),
				 "loss"),
			 -1);
}

/* Runs of the model itself: next to none is marked, and where something else was asked
 * for, each. */
static void every_model_of_loss_fits_itself(void **state)
{
	enum { RUNS = 200, FRAMES = 20000 };
	static const struct {
		const char *words, *wrong;
		double p;
	} cases[] = {
		{ "{\"loss\":\"20% 75%\"}", "{\"loss\":\"30% 75%\"}", 20 },
		{ "{\"loss\":\"gemodel 1% 10% 70% 0.1%\"}",
		  "{\"loss\":\"gemodel 3% 10% 70% 0.1%\"}",
		  100 * (0.10 * 0.001 + 0.01 * 0.70) / (0.01 + 0.10) },
		{ "{\"loss\":\"burst 5% 8\"}", "{\"loss\":\"burst 10% 8\"}", 5 },
		{ "{\"loss\":\"gemodel 60% 90% 100% 0%\"}",
		  "{\"loss\":\"gemodel 55% 90% 100% 0%\"}", 40 },
		{ "{\"loss\":\"state 1% 30% 10% 20% 0.5%\"}",
		  "{\"loss\":\"state 2% 30% 10% 20% 0.5%\"}",
		  100 * (0.01 / 0.30 + 0.005) /
			  (1 + 0.005 + (0.01 / 0.30) * (1 + 0.10 / 0.20)) },
		{ "{\"loss\":\"every 7\"}", "{\"loss\":\"every 8\"}", 100.0 / 7 },
	};
	static const uint8_t blank[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int marked = 0, found = 0;

		for (uint64_t run = 0; run < RUNS; run++) {
			struct fault_rig rig = rig_open(run, cases[i].words);
			struct sw_count count = { .frames = FRAMES };
			json_t *json, *loss;

			for (uint64_t n = 0; n < FRAMES; n++)
				count.dropped[SW_DROP_LOSS] +=
					rig_offer(&rig, blank, 64, n).fate == FAULT_LOSS;
			rig_close(&rig);
			json = report(cases[i].words, &count, NULL);
			loss = json_object_get(json, "loss");
			assert_true(fabs(json_real_value(json_object_get(loss, "asked")) -
					 cases[i].p) < 1e-6);
			marked += verdict(json, "loss") == 0;
			found += verdict(report(cases[i].wrong, &count, NULL), "loss") ==
				 0;
		}
		if (marked > 3 || found < RUNS - 3)
			fail_msg("%s: %d of %d marked, of others %d", cases[i].words,
				 marked, RUNS, found);
	}
}

/* The deviation over many runs is the one that is claimed: else the test above would
 * pass with intervals that are too wide. */
static void dependent_frames_count_for_as_many_as_is_said(void **state)
{
	enum { RUNS = 400, FRAMES = 5000 };
	static const char *const cases[] = {
		"{\"loss\":\"20% 75%\"}",
		"{\"loss\":\"gemodel 1% 10% 70% 0.1%\"}",
		"{\"loss\":\"gemodel 60% 90% 100% 0%\"}",
		"{\"loss\":\"gemodel 50% 50% 60% 20%\"}",
		"{\"loss\":\"state 1% 30% 10% 20% 0.5%\"}",
	};
	static const uint8_t blank[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct expected_share expected;
		double squares = 0, ratio;

		for (uint64_t run = 0; run < RUNS; run++) {
			struct fault_rig rig = rig_open(1000 + run, cases[i]);
			unsigned lost = 0;

			for (uint64_t n = 0; n < FRAMES; n++)
				lost += rig_offer(&rig, blank, 64, n).fate == FAULT_LOSS;
			assert_true(expected_loss(&expected, &rig.spec->rule[0]));
			rig_close(&rig);
			squares += pow(lost - FRAMES * expected.p, 2);
		}
		ratio = squares / RUNS /
			(FRAMES * expected.p * (1 - expected.p) / expected.effective);
		/* Chi square with 400 degrees: 4 deviations are 28 %. */
		if (fabs(ratio - 1) > 0.28)
			fail_msg("%s: %g of the variance", cases[i], ratio);
	}
}

/* With L = 1 - p - r, from good on: the sum of -pi L^k, of gemodel from k = 0, of state,
 * where a step comes first, from 1. */
static void a_chain_knows_where_it_begins(void **state)
{
	static const struct {
		const char *words;
		double start;
	} cases[] = {
		{ "{\"loss\":\"gemodel 1% 10%\"}", -1 / 11.0 / 0.11 },
		{ "{\"loss\":\"state 1% 10%\"}", -1 / 11.0 * 0.89 / 0.11 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig = rig_open(1, cases[i].words);
		struct expected_share expected;

		assert_true(expected_loss(&expected, &rig.spec->rule[0]));
		assert_true(fabs(expected.start - cases[i].start) < 1e-9);
		rig_close(&rig);
	}
}

static void copies_and_damage_have_their_shares(void **state)
{
	struct sw_count count = { .frames = 11000,
				  .copies = 1100,
				  .edited = 560,
				  .dropped = { [SW_DROP_CUT] = 1000 } };

	(void)state;
	assert_int_equal(
		verdict(report("{\"duplicate\":\"11%\"}", &count, NULL), "copies"), 1);
	assert_int_equal(
		verdict(report("{\"duplicate\":\"14%\"}", &count, NULL), "copies"), 0);
	assert_int_equal(verdict(report("{\"duplicate\":\"5.5%\",\"duplicate-count\":2}",
					&count, NULL),
				 "copies"),
			 1);
	assert_int_equal(
		verdict(report("{\"replay\":\"11% 1s\"}", &count, NULL), "copies"), 1);
	/* Which of the two it was, nobody knows. */
	assert_int_equal(verdict(report("{\"duplicate\":\"5%\",\"replay\":\"6% 1s\"}",
					&count, NULL),
				 "copies"),
			 -1);
	assert_int_equal(verdict(report("{\"corrupt\":\"5%\"}", &count, NULL), "damage"),
			 1);
	assert_int_equal(verdict(report("{\"corrupt\":\"7%\"}", &count, NULL), "damage"),
			 0);
	/* A draw that is repeated makes it 7 % more often. */
	assert_int_equal(
		verdict(report("{\"corrupt\":\"7% 90%\"}", &count, NULL), "damage"), 1);
	assert_int_equal(verdict(report("{\"corrupt\":\"5%\",\"corrupt-mode\":\"fcs\"}",
					&count, NULL),
				 "damage"),
			 0);
}

/* Means of drawn delays, as the switch would have them, against what is expected. */
static void every_distribution_of_delay_fits_itself(void **state)
{
	enum { RUNS = 100, FRAMES = 20000 };
	static const char *const cases[] = {
		"{\"delay\":\"20ms\",\"jitter\":\"20ms\"}",
		"{\"delay\":\"20ms\",\"jitter\":\"5ms\",\"correlation\":\"60%\"}",
		"{\"delay\":\"20ms\",\"jitter\":\"2ms\",\"distribution\":\"normal\"}",
		"{\"delay\":\"90ms\",\"jitter\":\"90ms\",\"distribution\":\"normal\"}",
		"{\"delay\":\"20ms\",\"jitter\":\"9ms\",\"distribution\":"
		"\"exponential\"}",
		"{\"delay\":\"20ms\",\"jitter\":\"9ms\",\"distribution\":\"pareto\"}",
		"{\"delay\":\"20ms\",\"jitter\":\"2ms\",\"distribution\":"
		"\"paretonormal\"}",
	};
	static const uint8_t blank[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int marked = 0, found = 0;

		for (uint64_t run = 0; run < RUNS; run++) {
			struct fault_rig rig = rig_open(run, cases[i]);
			struct sw_timing timing = { .frames = 0 };

			for (uint64_t n = 0; n < FRAMES; n++) {
				uint64_t ns = rig_offer(&rig, blank, 64, n).delay_ns;

				timing.frames += ns > 0;
				timing.wait_ns += ns;
			}
			rig_close(&rig);
			marked += verdict(report(cases[i], NULL, &timing), "delay") != 1;
			timing.wait_ns += timing.frames * 5000000;
			found += verdict(report(cases[i], NULL, &timing), "delay") == 0;
		}
		if (marked > 3 || found < RUNS)
			fail_msg("%s: %d of %d marked, of others %d", cases[i], marked,
				 RUNS, found);
	}
}

static void what_came_before_or_was_cut_is_not_counted(void **state)
{
	struct sw_timing timing = { .before = { .frames = 1000,
						.dropped = { [SW_DROP_LOSS] = 900 } } };
	struct sw_count count = { .frames = 3000,
				  .dropped = { [SW_DROP_LOSS] = 1000,
					       [SW_DROP_CUT] = 600,
					       [SW_DROP_DOWN] = 400 } };
	json_t *json = report("{\"loss\":\"10%\"}", &count, &timing), *loss;

	(void)state;
	loss = json_object_get(json, "loss");
	assert_int_equal(json_integer_value(json_object_get(loss, "frames")), 1000);
	assert_int_equal(json_integer_value(json_object_get(loss, "lost")), 100);
	assert_true(json_is_true(json_object_get(loss, "ok")));
	json_decref(json);
	/* Nothing was asked for, and something is lost. */
	assert_int_equal(verdict(report("{}", &count, &timing), "loss"), 0);
	/* Of what is no plain percentage nothing is claimed. */
	assert_int_equal(
		verdict(report("{\"loss\":\"10%\",\"ecn\":true}", &count, &timing),
			"loss"),
		-1);
}

static void a_delay_is_never_shorter_and_seldom_longer(void **state)
{
	struct sw_timing timing = { .frames = 100, .wait_ns = 100 * UINT64_C(20000000) };

	(void)state;
	assert_int_equal(verdict(report("{\"delay\":\"20ms\"}", NULL, &timing), "delay"),
			 1);
	timing.wait_ns -= 1000;
	assert_int_equal(verdict(report("{\"delay\":\"20ms\"}", NULL, &timing), "delay"),
			 0);
	/* With jitter the mean of a hundred is not known better. */
	assert_int_equal(
		verdict(report("{\"delay\":\"20ms\",\"jitter\":\"5ms\"}", NULL, &timing),
			"delay"),
		1);
	timing.wait_ns = 100 * UINT64_C(22000000);
	assert_int_equal(verdict(report("{\"delay\":\"20ms\"}", NULL, &timing), "delay"),
			 0);
	/* A queue is in it as well: there is nothing to compare with. */
	assert_int_equal(
		verdict(report("{\"delay\":\"20ms\",\"rate\":\"1Mbit\"}", NULL, &timing),
			"delay"),
		-1);
}

static void a_rate_is_met_to_two_percent(void **state)
{
	struct sw_timing timing = { .busy_bytes = 1250000, .busy_ns = 1000000000 };

	(void)state;
	assert_int_equal(verdict(report("{\"rate\":\"10Mbit\"}", NULL, &timing), "rate"),
			 1);
	assert_int_equal(verdict(report("{\"rate\":\"11Mbit\"}", NULL, &timing), "rate"),
			 0);
	assert_int_equal(verdict(report("{}", NULL, &timing), "rate"), -1);
}

static bool is_suspect(int on_time, int late_frames)
{
	struct histogram late = { .count = 0 };
	json_t *json;
	bool suspect;

	for (int i = 0; i < on_time + late_frames; i++)
		histogram_add(&late, i < on_time ? 40000 : 5000000);
	json = fidelity_json(&late, 0);
	suspect = json_is_true(json_object_get(json, "suspect"));
	json_decref(json);
	return suspect;
}

static void a_few_late_frames_make_no_run_suspect(void **state)
{
	(void)state;
	assert_false(is_suspect(0, 0));
	assert_false(is_suspect(11, 1));
	assert_false(is_suspect(200, 5));
	assert_false(is_suspect(0, 9));
	/* But when they are no accident they do. */
	assert_true(is_suspect(10, 20));
	assert_true(is_suspect(100, 20));
	assert_true(is_suspect(400, 20));
	assert_false(is_suspect(10000, 50));
	assert_true(is_suspect(10000, 200));
}

static void a_run_is_suspect_if_one_frame_in_a_hundred_is_late(void **state)
{
	struct histogram late = { .count = 0 };
	json_t *json;

	(void)state;
	for (int i = 0; i < 1000; i++)
		histogram_add(&late, i < 992 ? 40000 : 5000000);
	json = fidelity_json(&late, 0);
	assert_true(json_is_false(json_object_get(json, "suspect")));
	json_decref(json);
	for (int i = 0; i < 10; i++)
		histogram_add(&late, 5000000);
	json = fidelity_json(&late, 7);
	assert_true(json_is_true(json_object_get(json, "suspect")));
	assert_int_equal(json_integer_value(json_object_get(json, "pool")), 7);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_is_wilsons),
		cmocka_unit_test(honest_losses_fit_and_others_do_not),
		cmocka_unit_test(
			losses_by_another_word_are_not_held_against_the_one_asked_for),
		cmocka_unit_test(every_model_of_loss_fits_itself),
		cmocka_unit_test(dependent_frames_count_for_as_many_as_is_said),
		cmocka_unit_test(a_chain_knows_where_it_begins),
		cmocka_unit_test(copies_and_damage_have_their_shares),
		cmocka_unit_test(every_distribution_of_delay_fits_itself),
		cmocka_unit_test(what_came_before_or_was_cut_is_not_counted),
		cmocka_unit_test(a_delay_is_never_shorter_and_seldom_longer),
		cmocka_unit_test(a_rate_is_met_to_two_percent),
		cmocka_unit_test(a_few_late_frames_make_no_run_suspect),
		cmocka_unit_test(a_run_is_suspect_if_one_frame_in_a_hundred_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
