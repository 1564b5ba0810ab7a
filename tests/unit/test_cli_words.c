/* SPDX-License-Identifier: MIT */
/* What users type: calls, names of machines, sides, labs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/events_text.h"
#include "cli/labref.h"
#include "cli/node_set.h"
#include "cli/reach_probe.h"
#include "cli/rerun_text.h"

/* ---- calls ------------------------------------------------------------------------ */

static int parse(struct command_call *call, const char *const *words)
{
	int argc = 0;
	struct why why;

	while (words[argc])
		argc++;
	return args_parse(call, argc, (char **)words, &why);
}

#define PARSE(call, ...) parse(call, (const char *const[]){ __VA_ARGS__, NULL })

static void options_stand_anywhere_before_two_dashes(void **state)
{
	struct command_call call;

	(void)state;
	assert_int_equal(PARSE(&call, "--json", "-l", "a", "ps", "x"), 0);
	assert_string_equal(call.command->name, "ps");
	assert_true(call.json);
	assert_string_equal(call.lab_wanted, "a");
	assert_string_equal(call.argv[0], "x");
	call_free(&call);
	assert_int_equal(PARSE(&call, "check", "--", "--json"), 0);
	assert_false(call.json);
	assert_string_equal(call.argv[0], "--json");
	call_free(&call);
}

static void values_are_joined_or_follow(void **state)
{
	struct command_call call;
	size_t cursor = 0;

	(void)state;
	assert_int_equal(
		PARSE(&call, "up", "-s7", "--set=a.b=1", "-S", "c=2", "--name", "n", "f"),
		0);
	assert_string_equal(call_option(&call, "seed"), "7");
	assert_string_equal(call_option(&call, "name"), "n");
	assert_string_equal(call_option_next(&call, "set", &cursor), "a.b=1");
	assert_string_equal(call_option_next(&call, "set", &cursor), "c=2");
	assert_null(call_option_next(&call, "set", &cursor));
	call_free(&call);
}

static void the_users_command_is_taken_as_it_is(void **state)
{
	static const char *const with[] = { "exec", "n1", "-e", "A=b", "--",
					    "ls",   "--", "-l", NULL };
	static const char *const without[] = { "exec", "-n",     "n1", "ls",
					       "-n",   "--json", NULL };
	struct command_call call;

	(void)state;
	assert_int_equal(parse(&call, with), 0);
	assert_int_equal(call.argc - call.raw, 3);
	assert_string_equal(call.argv[call.raw], "ls");
	assert_string_equal(call.argv[call.raw + 1], "--");
	assert_string_equal(call_option(&call, "env"), "A=b");
	call_free(&call);
	assert_int_equal(parse(&call, without), 0);
	assert_int_equal(call.argc - call.raw, 3);
	assert_string_equal(call.argv[call.raw + 2], "--json");
	assert_false(call.json);
	call_free(&call);
}

static void wrong_calls_are_refused(void **state)
{
	static const char *const calls[][5] = {
		{ "nosuch" },
		{ "fault" },
		{ "fault", "nosuch" },
		{ "up" },
		{ "up", "a", "b" },
		{ "ps", "--nosuch" },
		{ "ps", "-x" },
		{ "up", "f", "--seed" },
		{ "ps", "--json=yes" },
		{ "check", "-l", "x", "f" },
		{ "shell", "--json", "n1" },
	};
	struct command_call call;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(parse(&call, calls[i]), -EINVAL);
		call_free(&call);
	}
}

static void the_table_is_sound(void **state)
{
	size_t i, k;
	int used;

	(void)state;
	for (i = 0; i < command_count; i++) {
		const struct command *c = &commands[i];
		const struct option_spec *o, *p;
		char *words[2], copy[64];

		snprintf(copy, sizeof(copy), "%s", c->name);
		words[0] = copy;
		words[1] = strchr(copy, ' ');
		if (words[1])
			*words[1]++ = 0;
		assert_ptr_equal(command_find(words[1] ? 2 : 1, words, &used), c);
		assert_true(c->args_max < 0 || c->args_min <= c->args_max);
		assert_true(c->brief[0] >= 'a' && c->brief[0] <= 'z');
		for (o = c->options; o && o->name; o++) {
			for (p = o + 1; p->name; p++) {
				assert_string_not_equal(o->name, p->name);
				assert_true(!o->letter || o->letter != p->letter);
			}
			for (k = 0; options_of_all[k].name; k++) {
				assert_string_not_equal(o->name, options_of_all[k].name);
				assert_true(!o->letter ||
					    o->letter != options_of_all[k].letter);
			}
		}
	}
}

/* ---- machines ------------------------------------------------------------------------
 */

static struct nodes three(void)
{
	struct nodes all = { 0 };

	assert_int_equal(node_set_add(&all, "n1", NULL), 0);
	assert_int_equal(node_set_add(&all, "n2", NULL), 0);
	assert_int_equal(node_set_add(&all, "n10", NULL), 0);
	assert_int_equal(node_set_add(&all, "client", NULL), 0);
	return all;
}

static void selects(const char *words, const char *expected)
{
	struct nodes all = three(), some;
	char joined[128] = "";
	struct why why;
	int rc = node_set_select(&some, &all, words, &why);
	size_t i;

	for (i = 0; !rc && i < some.count; i++)
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s",
			 i ? " " : "", some.names[i]);
	assert_string_equal(rc ? "refused" : joined, expected);
	if (!rc)
		node_set_free(&some);
	node_set_free(&all);
}

static void the_first_difference_is_told_by_the_earlier_side(void **state)
{
	json_t *divergence = json_pack(
		"{s:s, s:I, s:{s:I,s:s,s:s,s:s,s:s,s:i,s:i,s:s}, s:n}", "kind", "frame",
		"at_ns", (json_int_t)7512345678, "was", "at_ns", (json_int_t)7512345678,
		"node", "a", "interface", "eth0", "link", "a--b", "way", "sent", "frame",
		1, "bytes", 98, "hash", "00ff", "is");
	char text[RERUN_TIME_BYTES], *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);

	(void)state;
	assert_string_equal(rerun_time(text, 7512345678), "7.512345678s");
	assert_string_equal(rerun_time(text, 1200 * UINT64_C(1000000000)), "1200s");
	assert_string_equal(rerun_time(text, 500000000), "0.5s");
	assert_string_equal(rerun_time(text, 0), "0s");
	rerun_text_print(out, divergence);
	fclose(out);
	assert_string_equal(said, "the first difference is at 7.512345678s: a frame of a\n"
				  "  then  7.512345678s  a:eth0 (a--b) sent frame 1: 98 "
				  "bytes, hash 00ff\n"
				  "  now   nothing\n");
	free(said);
	json_decref(divergence);
}

static void words_select_machines_once_and_in_order(void **state)
{
	(void)state;
	selects("n2", "n2");
	selects("client,n1,client", "client n1");
	selects("all", "n1 n2 n10 client");
	selects("n10,all", "n10 n1 n2 client");
	selects("n[1-2,10]", "n1 n2 n10");
	selects("n[2],client", "n2 client");
	selects("n[1-3]", "refused");
	selects("n3", "refused");
	selects("", "refused");
	selects("n1,", "refused");
	selects("n[", "refused");
	selects("n[]", "refused");
	selects("n[2-1]", "refused");
	selects("n[1-99999999999999999999]", "refused");
	selects("n[1", "refused");
}

static void a_machine_called_all_is_itself(void **state)
{
	struct nodes all = three(), some;

	(void)state;
	assert_int_equal(node_set_add(&all, "all", NULL), 0);
	assert_int_equal(node_set_select(&some, &all, "all", NULL), 0);
	assert_int_equal(some.count, 1);
	node_set_free(&some);
	node_set_free(&all);
}

static void sides(const char *text, const char *expected)
{
	struct nodes all = three();
	json_t *json = NULL;
	cleanup_free char *dump = NULL;
	struct why why;
	int rc = node_set_sides(&json, &all, text, &why);

	if (!rc)
		dump = json_dumps(json, JSON_COMPACT);
	assert_string_equal(rc ? "refused" : dump, expected);
	json_decref(json);
	node_set_free(&all);
}

static void sides_are_disjoint_and_at_least_two(void **state)
{
	(void)state;
	sides("n1,n2|client", "[[\"n1\",\"n2\"],[\"client\"]]");
	sides("n1|n2|n10", "[[\"n1\"],[\"n2\"],[\"n10\"]]");
	sides("n[1-2]|*", "[[\"n1\",\"n2\"],[\"*\"]]");
	sides("n1", "refused");
	sides("n1|", "refused");
	sides("n1|n1", "refused");
	sides("*|*", "refused");
	sides("n1|nosuch", "refused");
}

/* ---- labs -------------------------------------------------------------------------- */

static void the_lab_is_the_one_that_lives_or_is_named(void **state)
{
	struct state_info labs[] = {
		{ .name = "a", .kind = STATE_RUNNING },
		{ .name = "b", .kind = STATE_DEAD },
		{ .name = "c", .kind = STATE_BOOTING },
	};
	struct why why;
	size_t chosen = 9;

	(void)state;
	assert_int_equal(labref_choose(labs, 0, NULL, true, &chosen, &why), -ENOENT);
	assert_int_equal(labref_choose(labs, 2, NULL, true, &chosen, &why), 0);
	assert_int_equal(chosen, 0);
	assert_int_equal(labref_choose(labs, 3, NULL, true, &chosen, &why), -EEXIST);
	assert_non_null(strstr(why.text, "a, b (dead), c"));
	assert_int_equal(labref_choose(labs, 3, "c", true, &chosen, &why), 0);
	assert_int_equal(chosen, 2);
	assert_int_equal(labref_choose(labs, 3, "b", true, &chosen, &why), -EHOSTDOWN);
	assert_int_equal(labref_choose(labs, 3, "b", false, &chosen, &why), 0);
	assert_int_equal(labref_choose(labs + 1, 1, NULL, true, &chosen, &why),
			 -EHOSTDOWN);
	assert_int_equal(labref_choose(labs + 1, 1, NULL, false, &chosen, &why), 0);
	assert_int_equal(chosen, 0);
	assert_int_equal(labref_choose(labs, 3, "d", true, &chosen, &why), -ENOENT);
}

static void a_subnet_is_shared_if_all_bits_of_its_prefix_are(void **state)
{
	(void)state;
	assert_true(reach_probe_same_subnet("10.0.0.1/24", "10.0.0.254/24"));
	assert_false(reach_probe_same_subnet("10.0.0.1/24", "10.0.1.1/24"));
	assert_true(reach_probe_same_subnet("10.0.0.1/23", "10.0.1.1/23"));
	assert_false(reach_probe_same_subnet("10.0.0.1/23", "10.0.2.1/23"));
	assert_false(reach_probe_same_subnet("10.0.0.1/24", "10.0.0.2/25"));
	assert_true(reach_probe_same_subnet("fd00::1/64", "fd00::2/64"));
	assert_false(reach_probe_same_subnet("fd00::1/64", "fd00:0:0:1::1/64"));
	assert_false(reach_probe_same_subnet("10.0.0.1/24", "fd00::1/64"));
	assert_false(reach_probe_same_subnet("nonsense", "10.0.0.1/24"));
}

static void an_event_is_told_in_words(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"n\":1,\"t\":1500000000,\"event\":\"node\",\"node\":\"n1\","
		  "\"from\":\"ready\",\"to\":\"failed\",\"why\":\"kernel panic\"}",
		  "    1.500000  n1: node ready -> failed: kernel panic" },
		{ "{\"t\":2000,\"event\":\"service\",\"node\":\"n1\",\"service\":"
		  "{\"name\":\"web\",\"state\":\"ready\"}}",
		  "    0.000002  n1: service web ready" },
		{ "{\"t\":0,\"event\":\"service\",\"node\":\"n1\",\"service\":{\"name\":\"web\","
		  "\"state\":\"restarting\",\"exit\":7,\"again_ms\":200}}",
		  "    0.000000  n1: service web restarting, exit status 7, again in 200 ms" },
		{ "{\"t\":0,\"event\":\"service\",\"node\":\"n1\",\"service\":{\"name\":\"web\","
		  "\"state\":\"exited\",\"signal\":9,\"error\":\"no memory\"}}",
		  "    0.000000  n1: service web exited, signal 9: no memory" },
		{ "{\"t\":0,\"event\":\"x\",\"what\":[1,2]}", "    0.000000  x what=[1,2]" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *entry = json_loads(cases[i][0], 0, NULL);

		assert_non_null(entry);
		assert_string_equal(events_text(text, sizeof(text), entry), cases[i][1]);
		json_decref(entry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere_before_two_dashes),
		cmocka_unit_test(values_are_joined_or_follow),
		cmocka_unit_test(the_users_command_is_taken_as_it_is),
		cmocka_unit_test(wrong_calls_are_refused),
		cmocka_unit_test(a_subnet_is_shared_if_all_bits_of_its_prefix_are),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(the_first_difference_is_told_by_the_earlier_side),
		cmocka_unit_test(words_select_machines_once_and_in_order),
		cmocka_unit_test(a_machine_called_all_is_itself),
		cmocka_unit_test(sides_are_disjoint_and_at_least_two),
		cmocka_unit_test(the_lab_is_the_one_that_lives_or_is_named),
		cmocka_unit_test(an_event_is_told_in_words),
	};

	unsetenv("NETLAB_LAB");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
