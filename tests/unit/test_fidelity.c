/* SPDX-License-Identifier: MIT */
/* What is said of counters and times: pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/draw.h"
#include "lab/fidelity.h"

static json_t *report(const char *fault, const struct sw_count *count,
		      const struct sw_timing *timing)
{
	json_t *words = json_loads(fault, 0, NULL), *json;

	assert_non_null(words);
	json = fidelity_of(words, count, timing);
	assert_non_null(json);
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
		verdict(report("{\"loss\":\"10%\",\"gemodel\":\"x\"}", &count, &timing),
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

static void a_run_is_suspect_if_one_frame_in_a_hundred_is_late(void **state)
{
	struct histogram late = { .count = 0 };
	json_t *json;

	(void)state;
	for (int i = 0; i < 1000; i++)
		histogram_add(&late, i < 992 ? 40000 : 5000000);
	json = fidelity_json(&late);
	assert_true(json_is_false(json_object_get(json, "suspect")));
	json_decref(json);
	for (int i = 0; i < 10; i++)
		histogram_add(&late, 5000000);
	json = fidelity_json(&late);
	assert_true(json_is_true(json_object_get(json, "suspect")));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_is_wilsons),
		cmocka_unit_test(honest_losses_fit_and_others_do_not),
		cmocka_unit_test(what_came_before_or_was_cut_is_not_counted),
		cmocka_unit_test(a_delay_is_never_shorter_and_seldom_longer),
		cmocka_unit_test(a_rate_is_met_to_two_percent),
		cmocka_unit_test(a_run_is_suspect_if_one_frame_in_a_hundred_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
