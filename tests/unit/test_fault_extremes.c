/* SPDX-License-Identifier: MIT */
/* Every word of a fault with the largest and the smallest numbers: it is what was asked
 * for, or it is refused; and frames live with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "faultwords/fault_words.h"
#include "lib/fault_rig.h"
#include "lib/word_rows.h"
#include "linkfault/word.h"

/* Where integers of 8, 16, 31, 32, 63 and 64 bits end, and around what is allowed. */
static const char *const numbers[] = {
	"0",	      "1",	    "2",	  "7",		"15",	      "16",
	"64",	      "65",	    "255",	  "256",	"65535",      "65536",
	"999999",     "1000000",    "1000001",	  "2147483647", "2147483648", "4294967294",
	"4294967295", "4294967296", "4294967297", "3600000000000", "3600000000001",
	"86400000000000", "9223372036854775806", "9223372036854775807",
	"9223372036854775808", "18446744073709551614", "18446744073709551615",
	"18446744073709551616", "340282366920938463463374607431768211456",
};

/* # is one of the numbers. */
struct form {
	const char *key, *form, *needs, *link_needs;
};

static char folder[] = "/tmp/extremes.XXXXXX";

static const struct form forms[] = {
	{ "loss", "#ppb", "", "" },
	{ "loss", "30% #ppb", "", "" },
	{ "loss", "gemodel #ppb", "", "" },
	{ "loss", "gemodel 10% #ppb #ppb #ppb", "", "" },
	{ "loss", "state #ppb #ppb #ppb #ppb #ppb", "", "" },
	{ "loss", "every #", "", "" },
	{ "loss", "list #", "", "" },
	{ "loss", "list 0-#", "", "" },
	{ "delay", "#ns", "", "" },
	{ "jitter", "#ns", "'delay':'1h',", "" },
	{ "correlation", "#ppb", "'delay':'1h','jitter':'1h',", "" },
	{ "reorder", "#ppb", "'delay':'1h',", "" },
	{ "gap", "#", "'delay':'1h','reorder':'50%',", "" },
	{ "rate", "#bit", "", "" },
	{ "overhead", "#B", "'rate':'8bit',", "" },
	{ "overhead", "-#B", "'rate':'8bit',", "" },
	{ "cell", "#B 0B", "'rate':'8bit',", "" },
	{ "cell", "#B #B", "'rate':'8bit',", "" },
	{ "cell", "7B -#B", "'rate':'8bit',", "" },
	{ "limit", "#frames", "'rate':'8bit',", "" },
	{ "limit", "#B", "'rate':'8bit',", "" },
	{ "queue", "red 1B #B 50%", "'rate':'1kbit',", "" },
	{ "queue", "red #B 1000000B #ppb", "'rate':'1kbit',", "" },
	{ "queue", "codel #ns #ns", "'rate':'1kbit',", "" },
	{ "slot", "#ns #ns", "", "" },
	{ "slot", "1ns #ns #frames #B", "", "" },
	{ "slot", "normal 1h #ns", "", "" },
	{ "slot", "pareto #ns 1ns", "", "" },
	{ "clog", "open #ns closed 24h", "", "" },
	{ "clog", "open 1ms closed #ns", "", "" },
	{ "clog", "open 1s closed 24h phase #ns", "", "" },
	{ "flap", "up #ns down 1ms", "", "" },
	{ "duplicate", "#ppb", "", "" },
	{ "duplicate-count", "#", "'duplicate':'100%',", "" },
	{ "replay", "#ppb #ns", "", "" },
	{ "corrupt", "#ppb", "", "" },
	{ "corrupt-bits", "#", "'corrupt':'100%',", "" },
	{ "corrupt-at", "#", "'corrupt':'100%',", "" },
	{ "corrupt-at", "0-#", "'corrupt':'100%',", "" },
	{ "mtu-drop", "#", "", "" },
	{ "after", "#", "'loss':'50%',", "" },
	{ "first", "#", "'loss':'50%',", "" },
	{ "apply", "#ppb", "'loss':'50%',", "" },
	{ "when", "on #ns off 24h", "'loss':'50%',", "" },
};

/* What a part of a value is worth, whatever unit it is written with; words are 0. */
static uint64_t worth(const char *part)
{
	bool negative = *part == '-';
	uint64_t value = 0;
	char number[64];

	snprintf(number, sizeof(number), "%.*s", (int)strcspn(part + negative, "f"),
		 part + negative);
	if (units_parse_ns(part, &value, NULL) && units_parse_bps(part, &value, NULL) &&
	    units_parse_ppb(part, &value, NULL) &&
	    units_parse_size(part + negative, &value, NULL) &&
	    units_parse_count(number, &value, NULL))
		value = 0;
	return negative ? ~value : value;
}

/* The next part of a value, cut at blanks and hyphens; its length with what follows it. */
static size_t next_part(char part[64], const char *value)
{
	size_t bytes = strcspn(value, " -");

	snprintf(part, 64, "%.*s", (int)bytes, value);
	return bytes + (value[bytes] != 0);
}

/* Each part that is worth something is shown, in order; there may be more of them. */
static bool is_the_same(const char *asked, const char *shown)
{
	while (*asked) {
		char a[64], b[64];

		asked += next_part(a, asked);
		if (!worth(a))
			continue;
		do {
			if (!*shown)
				return false;
			shown += next_part(b, shown);
		} while (worth(a) != worth(b));
	}
	return true;
}

static void write_words(char text[768], const struct form *form, const char *value)
{
	bool number = fault_word_is_count(form->key);
	const char *quote = number ? "" : "\"";

	if (fault_match_is_key(form->key))
		snprintf(text, 768, "{%s\"faults\":[{\"name\":\"r\",%s\"%s\":%s%s%s}]}",
			 form->link_needs, form->needs, form->key, quote, value, quote);
	else
		snprintf(text, 768, "{%s\"%s\":%s%s%s}", form->needs, form->key, quote,
			 value, quote);
	for (char *at = text; (at = strchr(at, '\'')) != NULL;)
		*at = '"';
}

static int read_words(const char *text, struct fault_spec **spec, struct why *why)
{
	struct fault_context context = { .dir = folder };
	json_t *json = json_loads(text, 0, NULL);
	int err = json ? fault_words_from_json(spec, &context, json, why) : -EINVAL;

	json_decref(json);
	return err;
}

/* What the spec has under the key. */
static void shown_of(char shown[256], const struct fault_spec *spec, const char *key)
{
	json_t *all = fault_words_to_json(spec);
	json_t *of = fault_match_is_key(key)
			     ? json_array_get(json_object_get(all, "faults"), 0)
			     : all;
	const json_t *value = json_object_get(of, key);

	if (json_is_integer(value))
		snprintf(shown, 256, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(shown, 256, "%s",
			 json_is_string(value) ? json_string_value(value) : "");
	json_decref(all);
}

/* Frames at the beginning and at the end of time. */
static void live_with(const char *words)
{
	static const uint8_t bytes[1514];
	static const uint64_t times_ns[] = { 0, 1, UINT64_C(3600000000000),
					     UINT64_C(1000000000000000000) };
	char single[768];
	struct fault_rig rig;

	snprintf(single, sizeof(single), "%s", words);
	rig = rig_open(3, single);
	for (size_t t = 0; t < ARRAY_SIZE(times_ns); t++)
		for (int i = 0; i < 4; i++) {
			struct fault_verdict v =
				rig_offer(&rig, bytes, sizeof(bytes), times_ns[t]);

			for (unsigned copy = 1; copy < rig.copy_count; copy++)
				rig_copy(&rig, copy, times_ns[t]);
			assert_true(fault_due_ns(rig.state, v.order, v.delay_ns,
						 times_ns[t],
						 &rig.trail) >= times_ns[t]);
		}
	rig_close(&rig);
	if (fault_spec_has_line((rig = rig_open(3, single)).spec, 0)) {
		struct rig_frame frames[6] = { 0 };

		for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
			frames[i] = (struct rig_frame){ .at_ns = i * 1000, .size = 1514 };
		rig_line(&rig, frames, ARRAY_SIZE(frames));
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
			if (frames[i].fate == FAULT_PASS)
				assert_true(frames[i].leave_ns >= frames[i].at_ns);
	}
	rig_close(&rig);
}

static void try_one(const struct form *form, const char *value)
{
	/* What is drawn anew each millisecond takes long until the end of time. */
	bool lives = strcmp(form->key, "clog") != 0 && strcmp(form->key, "flap") != 0 &&
		     strcmp(form->key, "states") != 0 && !strstr(form->link_needs, "states") &&
		     !strstr(value, "random");
	struct fault_spec *spec = NULL;
	char words[768], shown[256];
	struct why why = { "" };

	write_words(words, form, value);
	if (read_words(words, &spec, &why)) {
		fault_spec_free(spec);
		return;
	}
	shown_of(shown, spec, form->key);
	/* What is as a perfect wire has it is not shown. */
	if (*shown && !is_the_same(value, shown))
		fail_msg("%s was taken for %s", words, shown);
	if (!*shown)
		for (const char *at = value; *at; at++)
			if (*at >= '1' && *at <= '9' && fault_spec_is_empty(spec))
				fail_msg("%s was taken for nothing", words);
	if (lives && spec)
		live_with(words);
	fault_spec_free(spec);
}

static void try_all_numbers(const struct form *form)
{
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
		char value[256] = "";

		for (const char *at = form->form; *at; at++) {
			size_t used = strlen(value);

			snprintf(value + used, sizeof(value) - used, "%.*s",
				 *at == '#' ? 99 : 1, *at == '#' ? numbers[n] : at);
		}
		try_one(form, value);
	}
}

static void a_number_is_taken_as_it_is_or_refused(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(forms); f++)
		try_all_numbers(&forms[f]);
}

/* "'1ms 5ms'" is "#ms #ms"; false: there is no number in it. */
static bool form_of(char form[ROW_VALUE_BYTES], const char *value)
{
	bool any = false;
	size_t used = 0;

	for (; *value; value++)
		if (*value >= '0' && *value <= '9') {
			any = true;
			if (!used || form[used - 1] != '#')
				form[used++] = '#';
		} else if (*value != '\'') {
			form[used++] = *value;
		}
	form[used] = 0;
	return any;
}

/* Also of words that are newer than this test. */
static void so_is_each_number_of_every_word(void **state)
{
	size_t count, tried = 0;
	const struct word_row *rows = word_rows(folder, &count);

	(void)state;
	for (size_t r = 0; r < count; r++)
		for (size_t v = 0; v < rows[r].count; v++) {
			char text[ROW_VALUE_BYTES];
			const struct form form = { rows[r].key, text, rows[r].base,
						   rows[r].link };

			/* A burst is shown as what it stands for: see below. */
			if (!form_of(text, rows[r].values[v]) || strstr(text, "burst"))
				continue;
			try_all_numbers(&form);
			tried++;
		}
	assert_true(tried > 80);
}

/* p / (p + r) is the share, and 1 / r the length; in parts per billion, rounded. */
static void a_burst_loses_the_share_that_it_says_or_is_refused(void **state)
{
	(void)state;
	for (unsigned percent = 0; percent <= 100; percent++)
		for (unsigned length = 0; length < 120; length++) {
			struct fault_spec *spec = NULL;
			char words[64];
			struct why why = { "" };
			double p, r;

			snprintf(words, sizeof(words), "{\"loss\":\"burst %u%% %u\"}",
				 percent, length);
			if (read_words(words, &spec, &why)) {
				/* Of bursts of B frames at most B of B + 1 are lost. */
				assert_true(!length || percent * (length + 1) >
							       100 * length);
				assert_non_null(strstr(why.text, "burst"));
				continue;
			}
			if (!spec)
				continue;
			p = spec->rule[0].loss_p_ppb[0];
			r = spec->rule[0].loss_p_ppb[1];
			if (p + r > 0 && (p / (p + r) * 100 > percent + 0.001 ||
					  p / (p + r) * 100 < percent - 0.001))
				fail_msg("%s loses %f %%", words, p / (p + r) * 100);
			fault_spec_free(spec);
		}
}

static void a_share_that_bursts_cannot_have_is_refused_with_one_that_they_can(
	void **state)
{
	char why[WHY_BYTES_MAX];

	(void)state;
	rig_refused("{'loss':'burst 82% 1'}", why);
	assert_non_null(strstr(why, "bursts of 1 lose at most 50% of the frames"));
	assert_non_null(strstr(why, "at least \"burst 82% 5\""));
	rig_refused("{'loss':'burst 60% 1'}", why);
	assert_non_null(strstr(why, "at least \"burst 60% 2\""));
	rig_refused("{'loss':'burst 80% 3'}", why);
	assert_non_null(strstr(why, "bursts of 3 lose at most 75%"));
	assert_non_null(strstr(why, "at least \"burst 80% 4\""));
}

static void no_duration_goes_round(void **state)
{
	(void)state;
	assert_int_equal(ns_add(1, 2), 3);
	assert_int_equal(ns_add(UINT64_MAX, UINT64_MAX), NS_END);
	assert_int_equal(ns_add(NS_END, 1), NS_END);
	assert_int_equal(ns_add(1, UINT64_MAX - 1), NS_END);
	assert_int_equal(ns_add(NS_END - 1, 1), NS_END);
	assert_int_equal(fault_until_ns(1, 1), 1000000);
	for (uint64_t ns = UINT64_MAX; ns; ns >>= 1)
		assert_true(fault_until_ns(5000000000, ns) >= 5000000000 &&
			    fault_until_ns(5000000000, ns) <= NS_END);
}

/* Of a rule with nothing else: what became of a hundred frames. */
static void live_by(const struct fault_word *word, struct fault_spec *spec)
{
	static const uint8_t bytes[1514];
	struct fault_rig rig = { .spec = spec, .state = fault_state_create(spec, 1, NULL, NULL) };
	bool lost = false;

	for (uint64_t i = 0; i < 100; i++) {
		enum fault_fate fate = rig_offer(&rig, bytes, sizeof(bytes), i).fate;

		if (fate != FAULT_PASS && !rig.trail.notes)
			fail_msg("%s: a frame is lost, and no note says why", word->key);
		lost |= fate == FAULT_LOSS;
	}
	if (lost && !word->loses)
		fail_msg("%s: frames are lost, and its row does not say that it loses",
			 word->key);
	fault_state_free(rig.state);
}

/* A row that says nothing of what the word does would make it do nothing. */
static void every_word_makes_a_rule_do_something_or_belongs_to_one_that_does(void **state)
{
	/* Alone they are allowed, and change nothing. */
	static const char *const alone[] = { "order", "duplicate-count", "states" };
	const struct fault_context context = { .dir = "/" };
	struct fault_spec *spec;
	struct why why;

	(void)state;
	for (size_t w = 0; w < fault_word_count; w++) {
		const struct fault_word *word = &fault_words[w];
		bool may_be_alone = false;

		/* There is no such file; and other words. */
		if (!strcmp(word->key, "capacity") || !strcmp(word->key, "profile"))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
			may_be_alone |= !strcmp(alone[i], word->key);
		spec = fault_spec_create();
		assert_non_null(spec);
		if (fault_word_apply(&spec->rule[0], &context, word->key, word->example,
				     &why))
			fail_msg("%s", why.text);
		if (fault_rule_is_idle(&spec->rule[0]) == (word->acts > 0))
			fail_msg("%s=%s does nothing, against its row", word->key,
				 word->example);
		if (!word->acts && !may_be_alone && !fault_spec_check(spec, NULL))
			fail_msg("%s=%s does nothing and is not refused: what does its row "
				 "say that it acts by?",
				 word->key, word->example);
		if (word->acts && !fault_spec_check(spec, NULL))
			live_by(word, spec);
		fault_spec_free(spec);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	word_rows_write_files(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	word_rows_remove_files(folder);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_taken_as_it_is_or_refused),
		cmocka_unit_test(so_is_each_number_of_every_word),
		cmocka_unit_test(a_burst_loses_the_share_that_it_says_or_is_refused),
		cmocka_unit_test(
			a_share_that_bursts_cannot_have_is_refused_with_one_that_they_can),
		cmocka_unit_test(no_duration_goes_round),
		cmocka_unit_test(
			every_word_makes_a_rule_do_something_or_belongs_to_one_that_does),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
