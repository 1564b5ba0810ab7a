/* SPDX-License-Identifier: MIT */
/* What a topology says about the machines' time: "cost", "clock" and "epoch". */
#include "topology/cost.h"
#include "plan/epoch.h"
#include "topology/node_clock.h"
#include "unit/test_topology_help.h"

/* The complaint about this value of a node's key. */
static void complains(const char *key, const char *value, const char *words)
{
	char text[256];
	cleanup_free char *said = NULL;

	snprintf(text, sizeof(text), "{\"nodes\":{\"a\":{\"%s\":%s}}}", key, value);
	said = refuse_with(text, NULL);
	if (!strstr(said, words))
		fail_msg("%s: %s", text, said);
}

static void work_costs_what_is_said_and_a_switch_else_nothing(void **state)
{
	struct plan *plan = compile(
		"{\"defaults\":{\"cost\":{\"syscall\":\"300ns\",\"switch\":\"2us\"}},"
		"\"nodes\":{\"a\":{},\"b\":{\"cost\":{\"switch\":\"1ms\"}}}}");

	(void)state;
	assert_int_equal(plan->nodes[0].cost.syscall_ns, 300);
	assert_int_equal(plan->nodes[0].cost.switch_ns, 2000);
	/* The whole value is replaced. */
	assert_true(plan->nodes[0].cost.syscall_given);
	assert_false(plan->nodes[1].cost.syscall_given);
	assert_int_equal(plan->nodes[1].cost.switch_ns, 1000000);
	plan_free(plan);
	plan = compile("{\"nodes\":{\"a\":{}}}");
	assert_false(plan->nodes[0].cost.syscall_given);
	assert_int_equal(plan->nodes[0].cost.switch_ns, 0);
	plan_free(plan);
}

static void the_option_comes_before_the_file_for_all_nodes(void **state)
{
	struct plan_cost cost = { .syscall_ns = 5 };
	struct topology_options options = { .cost = &cost };
	struct plan *plan = compile_with("{\"nodes\":{\"a\":{},\"b\":{\"cost\":"
					 "{\"switch\":\"1ms\"}}}}",
					 &options);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(plan->nodes[i].cost.syscall_ns, 5);
		assert_int_equal(plan->nodes[i].cost.switch_ns, 0);
	}
	plan_free(plan);
}

static void a_price_that_cannot_be_paid_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "write syscall=TIME" },
		{ "syscall", "write syscall=TIME" },
		{ "page=1ns", "write syscall=TIME" },
		{ "syscall=1ns,", "write syscall=TIME" },
		{ "syscall=1ns,syscall=2ns", "syscall is given twice" },
		{ "syscall=1", "has no unit" },
		{ "switch=2ms", "at most 1ms" },
	};
	struct plan_cost cost = { true, 1, 2 };
	struct why why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(cost_parse(cases[i].text, &cost, &why), -EINVAL);
		assert_non_null(strstr(why.text, cases[i].words));
	}
	assert_int_equal(cost.syscall_ns, 1);
	assert_int_equal(cost_parse("switch=1ms,syscall=0ns", &cost, &why), 0);
	/* Free for good, which is something else than what rises. */
	assert_true(cost.syscall_given);
	assert_int_equal(cost.syscall_ns, 0);
	assert_int_equal(cost.switch_ns, 1000000);
	assert_int_equal(cost_parse("switch=1us", &cost, &why), 0);
	assert_false(cost.syscall_given);
	complains("cost", "{\"syscall\":300}", "has no unit");
	complains("cost", "{\"syscall\":\"1s\"}", "is not between 0ns and 1ms");
	complains("cost", "{\"sycall\":\"1us\"}", "unknown key");
	complains("cost", "\"1us\"", "expected an object");
}

static void virtual_time_begins_on_a_day_that_is_said_or_always_the_same(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
		const char *back;
	} days[] = {
		{ "2026-01-01", EPOCH_DEFAULT_S, "2026-01-01T00:00:00Z" },
		{ "2026-11-28Z", 1795824000, "2026-11-28T00:00:00Z" },
		{ "2026-11-28T12:30:01", 1795869001, "2026-11-28T12:30:01Z" },
		{ "2038-01-19T03:14:08Z", UINT64_C(2147483648), "2038-01-19T03:14:08Z" },
		{ "2028-02-29", 1835395200, "2028-02-29T00:00:00Z" },
	};
	static const char *const wrong[] = {
		"", "now", "2026", "2026-13-01", "2026-02-30", "2026-1-1", " 2026-01-01",
		"2026-01-01 ", "2026-01-01T25:00:00", "2026-01-01T10:00:60", "2026-01-01T1:2:3",
		"2026-01-01+01:00", "1970-01-01", "2200-01-01", "02026-01-01", "1767225600"
	};
	char text[EPOCH_TEXT_BYTES];
	struct plan *plan;
	struct why why;
	uint64_t seconds = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		assert_int_equal(epoch_parse(days[i].text, &seconds, &why), 0);
		assert_int_equal(seconds, days[i].seconds);
		assert_string_equal(epoch_format(text, seconds), days[i].back);
	}
	seconds = 1;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(epoch_parse(wrong[i], &seconds, &why), -EINVAL);
	assert_int_equal(seconds, 1);
	plan = compile("{\"clock\":\"virtual\",\"nodes\":{\"a\":{}}}");
	assert_int_equal(plan->epoch_s, 0);
	plan_free(plan);
	plan = compile("{\"epoch\":\"2026-11-28\",\"nodes\":{\"a\":{}}}");
	assert_int_equal(plan->epoch_s, 1795824000);
	plan_free(plan);
}

static void a_clock_is_right_unless_something_is_said(void **state)
{
	struct plan *plan = compile(
		"{\"defaults\":{\"clock\":{\"offset\":\"+3s\",\"drift\":\"-200ppm\"}},"
		"\"nodes\":{\"a\":{},\"b\":{\"clock\":{\"drift\":\"0.5ppm\"}}}}");

	(void)state;
	assert_int_equal(plan->nodes[0].clock.offset_ns, INT64_C(3000000000));
	assert_int_equal(plan->nodes[0].clock.drift_ppb, -200000);
	assert_int_equal(plan->nodes[1].clock.offset_ns, 0);
	assert_int_equal(plan->nodes[1].clock.drift_ppb, 500);
	plan_free(plan);
	plan = compile("{\"nodes\":{\"a\":{}}}");
	assert_int_equal(plan->nodes[0].clock.offset_ns, 0);
	assert_int_equal(plan->nodes[0].clock.drift_ppb, 0);
	plan_free(plan);
}

static void a_clock_that_no_kernel_could_have_is_refused(void **state)
{
	int64_t value = 1;
	struct why why;

	(void)state;
	complains("clock", "{\"offset\":\"-3\"}", "has no unit");
	complains("clock", "{\"offset\":\"500000h\"}", "at most 50 years");
	complains("clock", "{\"drift\":\"11%\"}", "at most 10%");
	complains("clock", "{\"drift\":\"--1%\"}", "cannot be negative");
	complains("clock", "{\"frozen\":true}", "unknown key");
	complains("clock", "\"virtual\"", "expected an object");
	assert_int_equal(node_clock_parse_ns("-438001h", &value, &why), -ERANGE);
	assert_int_equal(node_clock_parse_drift("100001ppm", &value, &why), -ERANGE);
	assert_int_equal(value, 1);
	assert_int_equal(node_clock_parse_drift("-10%", &value, &why), 0);
	assert_int_equal(value, -NODE_CLOCK_DRIFT_PPB_MAX);
	assert_int_equal(node_clock_parse_ns("-438000h", &value, &why), 0);
	assert_int_equal(value, -NODE_CLOCK_OFFSET_NS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_costs_what_is_said_and_a_switch_else_nothing),
		cmocka_unit_test(the_option_comes_before_the_file_for_all_nodes),
		cmocka_unit_test(a_price_that_cannot_be_paid_is_refused),
		cmocka_unit_test(
			virtual_time_begins_on_a_day_that_is_said_or_always_the_same),
		cmocka_unit_test(a_clock_is_right_unless_something_is_said),
		cmocka_unit_test(a_clock_that_no_kernel_could_have_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
