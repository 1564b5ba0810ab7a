/* SPDX-License-Identifier: MIT */
/* Faults that are only for a while, and changes that are made everywhere or nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "faultwords/fault_words.h"
#include "lib/talk.h"
#include "lib/word_rows.h"

/* A delay that jitter leans on, a profile, rules in an order that counts, states, a
 * network: what a plan can have. */
static const char topology[] =
	"{\"name\":\"t\",\"seed\":5,\"nodes\":{\"n1\":{},\"n2\":{},\"n3\":{}},"
	"\"networks\":{\"lan\":{\"members\":[\"n1\",\"n2\",\"n3\"],\"delay\":\"1ms\"}},"
	"\"links\":["
	"{\"name\":\"two\",\"endpoints\":[\"n1\",\"n2\"],\"delay\":\"50ms\"},"
	"{\"name\":\"mobile\",\"endpoints\":[\"n1\",\"n2\"],\"profile\":\"lte\","
	"\"loss\":\"1%\"},"
	"{\"name\":\"ruled\",\"endpoints\":[\"n2\",\"n3\"],\"rate\":\"10Mbit\","
	"\"queue\":\"codel\",\"faults\":["
	"{\"name\":\"votes\",\"match\":\"tcp\",\"loss\":\"30%\"},"
	"{\"name\":\"slow\",\"match\":\"udp\",\"rate\":\"1Mbit\",\"limit\":\"9frames\"}]},"
	"{\"name\":\"radio\",\"endpoints\":[\"n1\",\"n3\"],"
	"\"states\":\"good 1s, bad 1s\",\"carrier\":true,"
	"\"faults\":[{\"name\":\"out\",\"in\":\"bad\",\"down\":true}]},"
	"{\"name\":\"bare\",\"endpoints\":[\"n1\",\"n2\"]}]}";

static int open_lab(void **state)
{
	(void)state;
	fake_lab_open(&fake, topology);
	word_rows_write_files(fake.dir);
	fake_client_open(&client, &fake);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	fake_client_close(&client);
	fake_lab_close(&fake);
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)

/* The faults of every direction, as they are listed; the caller frees it. */
static char *all_faults(void)
{
	json_t *answer = assert_done("fault-ls", ""), *one, *all = json_array();
	char *text;
	size_t i;

	json_array_foreach(json_object_get(answer, "directions"), i, one)
		json_array_append_new(
			all, json_pack("{s:O, s:O, s:O*}", "name",
				       json_object_get(one, "name"), "fault",
				       json_object_get(one, "fault"), "profile",
				       json_object_get(one, "profile")));
	text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(all);
	json_decref(answer);
	return text;
}

static void assert_faults(const char *expected, const char *what)
{
	cleanup_free char *now = all_faults();

	if (strcmp(now, expected))
		fail_msg("%s: %s\nwas expected, but there is\n%s", what, expected, now);
}

/* "two n1->n2" has these words. */
static void assert_words(const char *target, const char *words)
{
	char fields[256];
	json_t *answer, *one;

	snprintf(fields, sizeof(fields), "\"target\":\"%s\"", target);
	answer = assert_done("fault-ls", fields);
	one = json_array_get(json_object_get(answer, "directions"), 0);
	assert_string_equal(text_of(one, "words"), words);
	json_decref(answer);
}

/* fields with ' for ". */
static json_t *ask(const char *verb, const char *fields)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s", fields);
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	return fake_client_call(&client, verb, text);
}

static void done(const char *verb, const char *fields)
{
	json_t *answer = ask(verb, fields);

	if (!json_is_true(json_object_get(answer, "ok")))
		fail_msg("%s %s: %s", verb, fields, text_of(answer, "error"));
	json_decref(answer);
}

/* Words with @ for the folder, which the lab names in full. */
static void assert_file_words(const char *target, const char *words)
{
	char text[512];
	const char *name = strchr(words, '@');

	assert_true(snprintf(text, sizeof(text), "%.*s%s%s", (int)(name - words), words,
			     fake.dir, name + 1) < (int)sizeof(text));
	assert_words(target, text);
}

static void assert_not_done(const char *verb, const char *fields, const char *words)
{
	json_t *answer = ask(verb, fields);

	assert_true(json_is_false(json_object_get(answer, "ok")));
	if (!strstr(text_of(answer, "error"), words))
		fail_msg("\"%s\" is not in: %s", words, text_of(answer, "error"));
	json_decref(answer);
}

static void pass(uint64_t ms)
{
	fake_lab_advance(&fake, ms * NS_PER_MS);
}

static void a_profile_for_a_while_gives_back_what_was_planned(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	done("fault-set", "'target':'two','fault':{'profile':'lte'},'for':'5s'");
	done("fault-set", "'target':'mobile','fault':{'profile':'dsl'},'for':'5s'");
	done("fault-set", "'target':'lan n1->n3','fault':{'profile':'dsl'},'for':'5s'");
	pass(4900);
	assert_words("two n1->n2", "delay 35ms jitter 7ms distribution normal order keep "
				   "rate 12Mbit");
	pass(200);
	assert_faults(planned, "for=5s");
	done("fault-set", "'target':'two','fault':{'profile':'lte'}");
	done("fault-set", "'target':'mobile','fault':{'profile':'dsl','delay':'9ms'}");
	done("fault-clear", "'target':'two','keys':['profile']");
	done("fault-clear", "'target':'mobile','keys':['profile']");
	assert_faults(planned, "clear profile");
}

static void a_word_of_several_parts_ends_with_all_of_them(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	done("fault-set",
	     "'target':'bare','fault':{'delay':'50ms 10ms 30%'},'for':'2s'");
	done("fault-set", "'target':'two','fault':{'jitter':'10ms 30%'},'for':'2s'");
	pass(2100);
	assert_faults(planned, "for=2s");
}

static void a_rule_of_the_file_comes_back_in_its_place(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	done("fault-set", "'target':'ruled','for':'3s','fault':{'faults':["
			  "{'name':'votes','loss':'90%'},{'name':'mine','loss':'5%'}]}");
	pass(3100);
	assert_faults(planned, "for=3s");
	/* What was set by hand goes back with the first clear; the second takes the
	 * file's away, and a clear of everything brings it back. */
	done("fault-set", "'target':'ruled','fault':{'faults':["
			  "{'name':'votes','loss':'90%'}]}");
	done("fault-clear", "'target':'ruled','rule':'votes'");
	assert_faults(planned, "clear rule");
	done("fault-clear", "'target':'ruled','rule':'votes'");
	assert_words("ruled n2->n3", "rate 10Mbit queue codel 5ms 100ms rule slow match "
				     "udp rate 1Mbit limit 9frames");
	done("fault-clear", "'target':'ruled'");
	assert_faults(planned, "clear");
}

static void a_rule_that_is_set_again_without_an_end_stays(void **state)
{
	(void)state;
	done("fault-set", "'target':'bare n1->n2','for':'3s','fault':{'faults':["
			  "{'name':'r','loss':'5%'}]}");
	done("fault-set", "'target':'bare n1->n2','fault':{'faults':["
			  "{'name':'r','loss':'9%'}]}");
	pass(4000);
	assert_words("bare n1->n2", "rule r loss 9%");
	/* An end that is one of its words stays, as the others do. */
	done("fault-set", "'target':'bare n1->n2','fault':{'faults':["
			  "{'name':'r','until':'9s'}]}");
	done("fault-set", "'target':'bare n1->n2','fault':{'faults':["
			  "{'name':'r','loss':'7%'}]}");
	assert_words("bare n1->n2", "rule r until 9s loss 7%");
	pass(6000);
	assert_words("bare n1->n2", "");
}

static void what_needs_what_is_over_goes_with_it(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	done("fault-set", "'target':'bare','fault':{'delay':'50ms'},'for':'2s'");
	done("fault-set", "'target':'bare','fault':{'jitter':'10ms','loss':'1%'}");
	pass(2100);
	assert_words("bare n1->n2", "loss 1%");
	done("fault-clear", "'target':'bare'");
	/* Rules that stand on a word, too: then all is as planned. */
	done("fault-set", "'target':'bare','fault':{'states':'a 1s, b 1s'},'for':'2s'");
	done("fault-set", "'target':'bare','fault':{'faults':["
			  "{'name':'r','in':'b','loss':'50%'}]}");
	pass(2100);
	assert_faults(planned, "states");
}

static void all_that_a_replacement_for_a_while_took_away_comes_back(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	done("fault-set", "'target':'ruled','replace':true,'fault':{'loss':'10%'},"
			  "'for':'3s'");
	done("fault-set", "'target':'two','replace':true,'fault':{},'for':'3s'");
	done("fault-set", "'target':'lan','replace':true,'fault':{'down':true},"
			  "'for':'3s'");
	assert_words("ruled n2->n3", "loss 10%");
	pass(3100);
	assert_faults(planned, "for=3s");
}

static void a_network_that_was_down_is_up_with_what_replaces_it(void **state)
{
	(void)state;
	done("fault-set", "'target':'lan','fault':{'down':true}");
	assert_words("lan->n2", "down");
	done("fault-set", "'target':'lan','replace':true,'fault':{'loss':'1%'}");
	assert_words("lan->n2", "");
	assert_words("n2->lan", "loss 1%");
	done("fault-set", "'target':'lan','fault':{'down':true}");
	done("fault-set", "'target':'lan','fault':{'down':false}");
	assert_words("lan->n2", "");
}

static void what_is_refused_leaves_every_deadline_as_it_was(void **state)
{
	cleanup_free char *planned = all_faults();
	json_t *answer;

	(void)state;
	done("fault-set", "'target':'n1->n3','fault':{'loss':'10%'},'for':'3s'");
	answer = ask("fault-set", "'target':'n1->n3','replace':true,'fault':"
				  "{'flap':'up 1s down 1s','carrier':true}");
	assert_true(json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
	pass(3100);
	assert_faults(planned, "for=3s");
}

static void no_duration_is_too_long(void **state)
{
	static const char *const durations[] = { "18446744073s", "18446744000s",
						 "18446744073709551615ns", "9223372036s",
						 "5000000h" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		char fields[200];

		snprintf(fields, sizeof(fields),
			 "'target':'bare','fault':{'loss':'1%%','faults':["
			 "{'name':'r','delay':'1ms'}]},'for':'%s'",
			 durations[i]);
		done("fault-set", fields);
		snprintf(fields, sizeof(fields), "'kind':'isolate','nodes':['n1'],"
						 "'name':'p','for':'%s'",
			 durations[i]);
		done("partition", fields);
		pass(1000000);
		assert_true(wire_is_cut(fake.lab.fabric.wire, 0, 1));
		done("heal", "'names':['p']");
		done("fault-clear", "'target':'bare','keys':['loss']");
		done("fault-clear", "'target':'bare','rule':'r'");
		assert_words("bare n1->n2", "");
	}
}

/* ---- partitions ---------------------------------------------------------- */

static void a_partition_says_whom_it_drew_and_when_it_began(void **state)
{
	json_t *answer = ask("partition", "'kind':'isolate'"), *sides;
	const char *alone;
	uint64_t before_ns = 0;

	(void)state;
	sides = json_object_get(answer, "drawn");
	assert_int_equal(json_array_size(sides), 2);
	assert_int_equal(json_array_size(json_array_get(sides, 0)), 1);
	assert_int_equal(json_array_size(json_array_get(sides, 1)), 2);
	alone = json_string_value(json_array_get(json_array_get(sides, 0), 0));
	assert_int_equal(number(answer, "cut_count"), 4);
	assert_true(wire_is_cut(fake.lab.fabric.wire,
				(uint32_t)plan_find_node(fake.plan, alone),
				alone[1] == '1' ? 1 : 0));
	assert_null(json_object_get(answer, "warning"));
	json_decref(answer);
	done("heal", "");
	/* Each round lasts what it has to from where it began, by the journal. */
	done("partition", "'kind':'random','every':'1s','min_stable':'800ms'");
	for (int i = 0; i < 50; i++) {
		uint64_t at_ns;

		answer = assert_done("partition-ls", "");
		at_ns = (uint64_t)number(
			json_array_get(json_object_get(answer, "partitions"), 0), "at");
		if (at_ns != before_ns && before_ns)
			assert_true(at_ns - before_ns >= 800 * NS_PER_MS);
		before_ns = at_ns;
		json_decref(answer);
		pass(200);
	}
}

/* ---- any sequence ------------------------------------------------------ */

static const char *const targets[] = { "two",	"two n1->n2", "mobile", "ruled", "radio",
				       "bare",	"lan",	      "n1->n3", "n1--n2",
				       "lan->n2", "n3->lan" };

static const char *const faults[] = {
	"{'loss':'10%'}",
	"{'loss':'none'}",
	"{'delay':'20ms'}",
	"{'delay':'20ms 5ms'}",
	"{'delay':'none'}",
	"{'jitter':'3ms 20%'}",
	"{'profile':'dsl'}",
	"{'profile':'none'}",
	"{'profile':'satellite','jitter':'1ms'}",
	"{'down':true}",
	"{'down':false}",
	"{'rate':'5Mbit','limit':'50frames'}",
	"{'rate':'none'}",
	"{'queue':'red 3kB 9kB 10%'}",
	"{'hold':true}",
	"{'states':'a 1s, b 2s'}",
	"{'states':'none'}",
	"{'carrier':true}",
	"{'flap':'up 1s down 1s','carrier':true}",
	"{'faults':[{'name':'votes','loss':'80%'}]}",
	"{'faults':[{'name':'votes','match':'none'},{'name':'mine','delay':'3ms'}]}",
	"{'faults':[{'name':'slow','rate':'none','limit':'none','loss':'1%'}]}",
	"{'faults':[{'name':'x','in':'b','loss':'5%'}]}",
	"{'faults':[{'name':'out','in':'none','loss':'1%'}]}",
	"{'faults':[{'name':'mine','hold':true}],'loss':'3%'}",
	"{}",
};

static const char *const clears[] = {
	"'keys':['loss']",  "'keys':['profile']",	"'keys':['faults']",
	"'rule':'votes'",   "'rule':'mine'",		"'keys':['delay','jitter']",
	"'keys':['states']", "'keys':['rate','limit','queue']",
};

/* Has it an end of its own? */
static bool ends_itself(const struct word_row *row)
{
	return !strcmp(row->key, "for") || !strcmp(row->key, "until");
}

/* One of those above, or any word with any of its values. */
static const char *any_fault(char text[ROW_TEXT_BYTES], uint64_t seed, uint64_t i)
{
	size_t count, r;
	const struct word_row *rows = word_rows(fake.dir, &count);

	r = draw_below(seed, i, LANE_CORRUPT, ARRAY_SIZE(faults) + count);
	if (r < ARRAY_SIZE(faults))
		return faults[r];
	rows += r - ARRAY_SIZE(faults);
	if (ends_itself(rows))
		return faults[0];
	return word_row_text(text, rows,
			     rows->values[draw_below(seed, i, LANE_MATCH, rows->count)]);
}

/* One request; what is refused must leave everything as it was. */
static void any_request(uint64_t seed, uint64_t i, bool ends)
{
#define PICK(lane, from) (from)[draw_below(seed, i, lane, ARRAY_SIZE(from))]
	bool set = draw_below(seed, i, LANE_LOSS, 4) != 0;
	bool timed = ends || draw_below(seed, i, LANE_JITTER, 3) != 0;
	bool replace = draw_below(seed, i, LANE_REORDER, 6) == 0;
	cleanup_free char *before = all_faults();
	char fields[ROW_TEXT_BYTES + 200], text[ROW_TEXT_BYTES], for_ms[40] = "";
	json_t *answer;

	if (timed)
		snprintf(for_ms, sizeof(for_ms), ",'for':'%ums'",
			 (unsigned)draw_below(seed, i, LANE_SLOT, 3000) + 1);
	if (set)
		snprintf(fields, sizeof(fields), "'target':'%s','fault':%s%s%s",
			 PICK(LANE_DUPLICATE, targets), any_fault(text, seed, i),
			 replace ? ",'replace':true" : "", for_ms);
	else
		snprintf(fields, sizeof(fields), "'target':'%s',%s",
			 PICK(LANE_DUPLICATE, targets), PICK(LANE_CORRUPT, clears));
	answer = ask(set ? "fault-set" : "fault-clear", fields);
	if (!json_is_true(json_object_get(answer, "ok")))
		assert_faults(before, fields);
	json_decref(answer);
#undef PICK
}

static void whatever_was_set_for_a_while_all_is_as_planned_in_the_end(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		for (uint64_t i = 0; i < 12; i++) {
			/* Clears take the file's away as well: only what has an end. */
			uint64_t n = i;

			while (draw_below(seed, n, LANE_LOSS, 4) == 0)
				n += 100;
			any_request(seed, n, true);
			pass(draw_below(seed, i, LANE_RED, 600));
		}
		pass(5000);
		assert_faults(planned, "all ends have come");
	}
}

static void each_word_that_was_set_for_a_while_is_as_planned_in_the_end(void **state)
{
	cleanup_free char *planned = all_faults();
	size_t count, done_times = 0, times = 0;
	const struct word_row *rows = word_rows(fake.dir, &count);

	(void)state;
	for (size_t r = 0; r < count; r++)
		for (size_t v = 0; v < rows[r].count; v++, times++) {
			char fields[ROW_TEXT_BYTES + 200], text[ROW_TEXT_BYTES];
			json_t *answer;

			word_row_text(text, &rows[r], rows[r].values[v]);
			snprintf(fields, sizeof(fields),
				 "'target':'%s','fault':%s,'for':'1s'",
				 targets[times % ARRAY_SIZE(targets)], text);
			answer = ask("fault-set", fields);
			done_times += json_is_true(json_object_get(answer, "ok"));
			json_decref(answer);
			pass(ends_itself(&rows[r]) ? 200000 : 1100);
			assert_faults(planned, fields);
		}
	/* Some targets have what does not go with some words. */
	assert_true(done_times * 2 > times);
}

static void whatever_was_done_a_clear_of_everything_makes_it_as_planned(void **state)
{
	cleanup_free char *planned = all_faults();

	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		for (uint64_t i = 0; i < 15; i++) {
			any_request(seed, i, false);
			pass(draw_below(seed, i, LANE_RED, 900));
		}
		done("fault-clear", "");
		assert_faults(planned, "cleared");
		/* And nothing of it comes back. */
		pass(5000);
		assert_faults(planned, "later");
	}
}

static void a_file_is_read_for_what_is_set_already(void **state)
{
	(void)state;
	/* Jitter needs a delay, and a table jitter: they are the topology file's. */
	done("fault-set", "'target':'two','fault':{'jitter':'1ms','distribution':'table table'}");
	assert_file_words("two n1->n2", "delay 50ms jitter 1ms distribution table @/table");
	done("fault-set", "'target':'mobile','fault':{'distribution':'table table'}");
	assert_file_words("mobile n1->n2",
			  "loss 1% delay 35ms jitter 7ms distribution table @/table order keep "
			  "rate 12Mbit");
	/* What is wrong is told, whatever could be read. */
	assert_not_done("fault-set",
			"'target':'bare','fault':{'jitter':'1ms','distribution':'table table'}",
			"delay");
	assert_not_done("fault-set",
			"'target':'two','fault':{'capacity':'lte.trace','loss':'much'}", "much");
	assert_not_done("fault-set", "'target':'two','fault':{'capacity':'nowhere'}", "nowhere");
	assert_not_done("fault-set", "'target':'two','fault':{'capacity':'table'}", "table");
}

static void write_large(const char *name)
{
	char path[256];
	FILE *file;

	assert_true(snprintf(path, sizeof(path), "%s/%s", fake.dir, name) <
		    (int)sizeof(path));
	file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned i = 0; i < FAULT_DATA_COUNT_MAX / 2 + 1000; i++)
		assert_true(fputs("5ms\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void two_clients_may_have_as_many_numbers_as_one_each(void **state)
{
	struct fake_client other;
	json_t *line;

	(void)state;
	write_large("one");
	write_large("two");
	fake_client_open(&other, &fake);
	fake_client_ask(&other, "fault-set",
			"\"target\":\"two\",\"fault\":{\"distribution\":\"samples one\"}");
	done("fault-set", "'target':'two','fault':{'distribution':'samples two'}");
	line = fake_client_line(&other);
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	fake_client_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_profile_for_a_while_gives_back_what_was_planned),
		CASE(a_file_is_read_for_what_is_set_already),
		CASE(two_clients_may_have_as_many_numbers_as_one_each),
		CASE(a_word_of_several_parts_ends_with_all_of_them),
		CASE(a_rule_of_the_file_comes_back_in_its_place),
		CASE(a_rule_that_is_set_again_without_an_end_stays),
		CASE(what_needs_what_is_over_goes_with_it),
		CASE(all_that_a_replacement_for_a_while_took_away_comes_back),
		CASE(a_network_that_was_down_is_up_with_what_replaces_it),
		CASE(what_is_refused_leaves_every_deadline_as_it_was),
		CASE(no_duration_is_too_long),
		CASE(a_partition_says_whom_it_drew_and_when_it_began),
		CASE(whatever_was_set_for_a_while_all_is_as_planned_in_the_end),
		CASE(each_word_that_was_set_for_a_while_is_as_planned_in_the_end),
		CASE(whatever_was_done_a_clear_of_everything_makes_it_as_planned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
