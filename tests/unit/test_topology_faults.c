/* SPDX-License-Identifier: MIT */
/* Faults in words: the file's, the command line's and the control socket's. */
#include "unit/test_topology_help.h"

#include "faultwords/fault_words.h"

static void words_apply_one_by_one_and_leave_the_others(void **state)
{
	struct fault_rule spec = { .delay_ns = 7 };

	(void)state;
	assert_int_equal(fault_word_apply(&spec, NULL, "loss", "10%", NULL), 0);
	assert_int_equal(fault_word_apply(&spec, NULL, "rate", "1Mbit", NULL), 0);
	assert_int_equal(fault_word_apply(&spec, NULL, "limit", "100frames,150kB", NULL),
			 0);
	assert_int_equal(fault_word_apply(&spec, NULL, "down", "true", NULL), 0);
	assert_int_equal(spec.loss.p_ppb, 100000 * FAULT_PPM);
	assert_int_equal(spec.delay_ns, 7);
	assert_int_equal(spec.rate_bps, 1000000);
	assert_int_equal(spec.limit_frames, 100);
	assert_int_equal(spec.limit_bytes, 150000);
	assert_true(spec.down);
	assert_int_equal(fault_word_apply(&spec, NULL, "limit", "20 frames", NULL), 0);
	assert_int_equal(spec.limit_frames, 20);
	assert_int_equal(spec.limit_bytes, 0);
	assert_int_equal(fault_word_apply(&spec, NULL, "limit", "none", NULL), 0);
	assert_int_equal(fault_word_apply(&spec, NULL, "rate", "none", NULL), 0);
	assert_int_equal(fault_word_apply(&spec, NULL, "down", "false", NULL), 0);
	assert_int_equal(spec.limit_frames, 0);
	assert_int_equal(spec.rate_bps, 0);
	assert_false(spec.down);
}

static void a_wrong_word_says_why_and_changes_nothing(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} cases[] = {
		{ "los", "1%", "did you mean \"loss\"" },
		{ "colour", "red", "there are profile loss " },
		{ "loss", "101%", "loss: \"101%\" is more than 100%" },
		{ "loss", "1", "has no unit" },
		{ "delay", "61min", "longer than 1h" },
		{ "delay", "", "delay: empty" },
		{ "jitter", "x", "jitter: \"x\" is not a duration" },
		{ "rate", "0bit", "not between 8bit and" },
		{ "rate", "1001Gbit", "not between 8bit and" },
		{ "limit", "0frames", "not between 1 and" },
		{ "limit", "4294967296B", "not between 1 and" },
		{ "limit", "frames", "not a queue limit" },
		{ "limit", "1frames,2frames", "given twice" },
		{ "limit", "1frames,", "not a queue limit" },
		{ "limit",
		  "000000000000000000000000000000000000000000000000000000000000001B",
		  "not a queue limit" },
		{ "down", "yes", "write true or false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rule spec = { .loss.p_ppb = 3,
					   .rate_bps = 9,
					   .limit_bytes = 4 };
		struct fault_rule before = spec;
		struct why why = { "" };

		assert_true(fault_word_apply(&spec, NULL, cases[i].key, cases[i].value,
					     &why) < 0);
		if (!strstr(why.text, cases[i].says))
			fail_msg("%s=%s: %s", cases[i].key, cases[i].value, why.text);
		assert_memory_equal(&spec, &before, sizeof(spec));
	}
}

static void a_spec_is_printed_in_the_words_that_make_it(void **state)
{
	static const struct {
		struct fault_rule rule;
		const char *text;
	} cases[] = {
		{ { .down = false }, "" },
		{ { .loss = { .p_ppb = 100000 * FAULT_PPM }, .delay_ns = 50000000 },
		  "loss 10% delay 50ms" },
		{ { .loss = { .p_ppb = FAULT_PPM },
		    .delay_ns = 1500,
		    .jitter_ns = 1499,
		    .rate_bps = 8001,
		    .limit_frames = 7,
		    .limit_bytes = 1001,
		    .down = true },
		  "loss 0.0001% delay 1500ns jitter 1499ns rate 8001bit limit "
		  "7frames,1001B down" },
		{ { .loss = { .p_ppb = FAULT_PPB_ALL },
		    .delay_ns = FAULT_DELAY_NS_MAX,
		    .jitter_ns = FAULT_DELAY_NS_MAX - 1,
		    .rate_bps = FAULT_RATE_BPS_MAX - 1,
		    .limit_frames = UINT32_MAX,
		    .limit_bytes = UINT32_MAX,
		    .down = true },
		  "loss 100% delay 1h jitter 3599999999999ns rate 999999999999bit limit "
		  "4294967295frames,4294967295B down" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_spec *spec = fault_spec_of(&cases[i].rule), *back = NULL;
		char text[FAULT_WORDS_BYTES_MAX];
		json_t *json = fault_words_to_json(spec);
		struct why why = { "" };

		assert_string_equal(fault_words_format(spec, text), cases[i].text);
		if (fault_words_from_json(&back, NULL, json, &why))
			fail_msg("%s: %s", cases[i].text, why.text);
		assert_int_equal(back == NULL, i == 0);
		if (back)
			assert_memory_equal(&back->rule[0], &cases[i].rule,
					    sizeof(back->rule[0]));
		json_decref(json);
		fault_spec_free(spec);
		fault_spec_free(back);
	}
}

static void a_json_fault_is_taken_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = {
		"{\"loss\":\"1%\",\"jitter\":\"1ms\"}",
		"{\"loss\":\"1%\",\"delay\":5}",
		"{\"loss\":\"1%\",\"down\":\"maybe\"}",
		"{\"loss\":\"1%\",\"lag\":\"1ms\"}",
		"[\"loss\"]",
		"{\"loss\":\"1%\",\"limit\":\"1frames\"}",
	};
	struct fault_rule five = { .loss.p_ppb = 5 };
	struct fault_spec *spec = fault_spec_of(&five);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *json = json_loads(bad[i], 0, NULL);
		struct why why = { "" };

		assert_int_equal(fault_words_from_json(&spec, NULL, json, &why), -EINVAL);
		assert_true(*why.text);
		assert_int_equal(spec->rule[0].loss.p_ppb, 5);
		json_decref(json);
	}
	fault_spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_apply_one_by_one_and_leave_the_others),
		cmocka_unit_test(a_wrong_word_says_why_and_changes_nothing),
		cmocka_unit_test(a_spec_is_printed_in_the_words_that_make_it),
		cmocka_unit_test(a_json_fault_is_taken_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
