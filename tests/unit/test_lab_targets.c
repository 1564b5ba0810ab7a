/* SPDX-License-Identifier: MIT */
/* What the words of faults and partitions mean: pure functions of a plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/fault_target.h"
#include "lab/partition_request.h"
#include "partition/cut_draw.h"
#include "topology/compile.h"

static const char topology[] =
	"{\"name\":\"t\",\"nodes\":{\"n1\":{},\"n2\":{},\"n3\":{},\"r-1\":{}},"
	"\"networks\":{\"lan\":{\"members\":[\"n1\",\"n2\",\"n3\"]}},"
	"\"links\":[{\"name\":\"backup\",\"endpoints\":[\"n1\",\"n2\"]},"
	"{\"endpoints\":[\"n3\",\"r-1\"]}]}";

static struct plan *plan;

static int compile(void **state)
{
	struct topology_options options = { 0 };
	static struct diagnostics diags;

	(void)state;
	if (topology_compile_text(topology, strlen(topology), "t.json", "/", &options,
				  &plan, &diags))
		diagnostics_print(&diags, stderr);
	return plan ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	plan_free(plan);
	return 0;
}

/* The names of the target's directions, with ", " between; or the error. */
static void assert_means(const char *text, const char *expected)
{
	struct fault_target target;
	char said[512] = "", name[FAULT_NAME_BYTES_MAX];

	assert_int_equal(fault_target_resolve(&target, plan, text, NULL), 0);
	for (size_t i = 0; i < target.count; i++) {
		fault_at_name(name, plan, &target.at[i]);
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s",
			 i ? ", " : "", name);
	}
	assert_string_equal(said, expected);
	fault_target_free(&target);
}

static void assert_nothing(const char *text, const char *words)
{
	struct fault_target target;
	struct why why;

	assert_true(fault_target_resolve(&target, plan, text, &why) < 0);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" is not in: %s", words, why.text);
}

static void a_links_name_means_both_directions(void **state)
{
	(void)state;
	assert_means("backup", "backup n1->n2, backup n2->n1");
	assert_means("lan.n3", "lan.n3 n3->lan, lan.n3 lan->n3");
	assert_means("n3--r-1", "n3--r-1 n3->r-1, n3--r-1 r-1->n3");
}

static void an_arrow_means_every_way_from_the_one_to_the_other(void **state)
{
	(void)state;
	assert_means("n1->n2", "lan n1->n2, backup n1->n2");
	assert_means("n2->n1", "lan n2->n1, backup n2->n1");
	assert_means("n1->n3", "lan n1->n3");
	assert_means("n3->r-1", "n3--r-1 n3->r-1");
}

static void two_dashes_mean_both_ways(void **state)
{
	(void)state;
	assert_means("n1--n2", "lan n1->n2, backup n1->n2, lan n2->n1, backup n2->n1");
	assert_means("r-1--n3", "n3--r-1 r-1->n3, n3--r-1 n3->r-1");
	assert_means("n1--lan", "lan.n1 n1->lan, lan.n1 lan->n1");
}

static void an_interface_picks_one_of_several_ways(void **state)
{
	(void)state;
	assert_means("n1:eth0->n2", "lan n1->n2");
	assert_means("n1:eth1->n2", "backup n1->n2");
	assert_means("n1:eth1--n2:eth1", "backup n1->n2, backup n2->n1");
	assert_nothing("n1:eth0->n2:eth1", "no link or network joins them");
}

static void a_networks_name_means_the_ways_into_it(void **state)
{
	struct fault_target target;

	(void)state;
	assert_means("lan", "lan.n1 n1->lan, lan.n2 n2->lan, lan.n3 n3->lan");
	assert_means("n1->lan", "lan.n1 n1->lan");
	assert_means("lan->n1", "lan.n1 lan->n1");
	assert_int_equal(fault_target_resolve(&target, plan, "lan", NULL), 0);
	assert_true(target.network);
	fault_target_free(&target);
}

static void the_name_that_is_printed_is_understood(void **state)
{
	char name[FAULT_NAME_BYTES_MAX];
	struct fault_target target;

	(void)state;
	assert_means("lan n1->n2", "lan n1->n2");
	for (uint32_t link = 0; link < plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++) {
			struct fault_at at = { .link = link, .dir = dir };

			fault_at_name(name, plan, &at);
			assert_int_equal(fault_target_resolve(&target, plan, name, NULL),
					 0);
			assert_int_equal(target.count, 1);
			assert_true(fault_at_equal(&target.at[0], &at));
			fault_target_free(&target);
		}
}

static void what_is_not_there_is_named_with_what_is(void **state)
{
	char longest[FAULT_TARGET_BYTES_MAX + 8];

	(void)state;
	assert_nothing("bakcup", "links here: lan.n1 lan.n2 lan.n3 backup n3--r-1");
	assert_nothing("n1->n9", "no link n1->n9");
	assert_nothing("n1->r-1", "no link or network joins them");
	assert_nothing("backup n1->n3", "no link or network joins them");
	assert_nothing("other n1->n2", "no link other");
	assert_nothing("n1->n1", "no link or network joins them");
	assert_nothing("lan->lan", "no link or network joins them");
	assert_nothing("", "no link");
	assert_nothing("->", "no link");
	assert_nothing("n1", "n1 is a machine; its links: lan backup; what it sends to another "
			     "one: 'n1->NODE'");
	assert_nothing("n1-", "no link n1-; a shell takes > for itself");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_nothing(longest, "longer than");
}

/* ---- partitions -------------------------------------------------------- */

static void assert_cuts(const char *sides, bool one_way, const char *expected)
{
	struct partition partition = { 0 };
	json_t *json = json_loads(sides, 0, NULL);
	struct cut_draw draw;
	char cuts[256] = "";

	assert_int_equal(partition_parse(&partition, plan, json, one_way, NULL), 0);
	assert_int_equal(cut_draw(&draw, &partition, plan->node_count, 0, 0, NULL), 0);
	for (uint32_t from = 0; from < plan->node_count; from++)
		for (uint32_t to = 0; to < plan->node_count; to++)
			if (cut_draw_cuts(&draw, from, to))
				snprintf(cuts + strlen(cuts), sizeof(cuts) - strlen(cuts),
					 "%s%s>%s", *cuts ? " " : "",
					 plan->nodes[from].name, plan->nodes[to].name);
	assert_string_equal(cuts, expected);
	cut_draw_free(&draw);
	free(partition.part_of);
	json_decref(json);
}

static void assert_no_sides(const char *sides, bool one_way, const char *words)
{
	struct partition partition = { 0 };
	json_t *json = json_loads(sides, JSON_DECODE_ANY, NULL);
	struct why why;

	assert_int_equal(partition_parse(&partition, plan, json, one_way, &why), -EINVAL);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" is not in: %s", words, why.text);
	json_decref(json);
}

static void sides_are_cut_from_one_another_and_nobody_else_is(void **state)
{
	(void)state;
	assert_cuts("[[\"n1\"],[\"n2\"]]", false, "n1>n2 n2>n1");
	assert_cuts("[[\"n1\",\"n2\"],[\"n3\"]]", false, "n1>n3 n2>n3 n3>n1 n3>n2");
	assert_cuts("[[\"n1\"],[\"n2\"],[\"n3\"]]", false,
		    "n1>n2 n1>n3 n2>n1 n2>n3 n3>n1 n3>n2");
}

static void a_star_is_everybody_who_is_not_named(void **state)
{
	(void)state;
	assert_cuts("[[\"n1\"],[\"*\"]]", false, "n1>n2 n1>n3 n1>r-1 n2>n1 n3>n1 r-1>n1");
	assert_cuts("[[\"*\",\"n1\"],[\"n2\"]]", false,
		    "n1>n2 n2>n1 n2>n3 n2>r-1 n3>n2 r-1>n2");
	assert_cuts("[[\"*\"],[\"n1\",\"n2\",\"n3\"]]", true, "r-1>n1 r-1>n2 r-1>n3");
}

static void one_way_cuts_only_from_the_first_side(void **state)
{
	(void)state;
	assert_cuts("[[\"n1\"],[\"n2\",\"n3\"]]", true, "n1>n2 n1>n3");
	assert_no_sides("[[\"n1\"],[\"n2\"],[\"n3\"]]", true, "two sides");
}

static void sides_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_no_sides("[[\"n1\"],[\"n1\"]]", false, "n1 is on side 1 and on side 2");
	assert_no_sides("[[\"*\"],[\"*\"]]", false, "is on side 1 and on side 2");
	assert_no_sides("[[\"n1\"],[\"n9\"]]", false, "no node is named n9");
	assert_no_sides("[[\"n1\"],[]]", false, "side 2");
	assert_no_sides("[[\"n1\"],[7]]", false, "a node's name");
	assert_no_sides("[[\"n1\"],\"n2\"]", false, "side 2");
	assert_no_sides("[[\"n1\"]]", false, "2 to 4");
	assert_no_sides("[]", false, "2 to 4");
	assert_no_sides("7", false, "2 to 4");
}

/* What a request makes of itself, or the words with which it is refused. */
static void assert_reads(const char *body, const char *words)
{
	json_t *json = json_loads(body, 0, NULL);
	struct partition partition;
	struct why why = { "" };
	uint64_t for_ns;
	int err = partition_read(&partition, &for_ns, plan, json, &why);

	assert_non_null(json);
	if (!err)
		free(partition.part_of);
	if ((err == 0) != (words == NULL) || (words && !strstr(why.text, words)))
		fail_msg("%s: %s", body, err ? why.text : "was accepted");
	json_decref(json);
}

static void a_kind_takes_what_it_has_a_use_for_and_nothing_else(void **state)
{
	(void)state;
	assert_reads("{\"kind\":\"isolate\",\"nodes\":[\"n1\"]}", NULL);
	assert_reads("{\"kind\":\"isolate\",\"one_way\":true,\"for\":\"3s\"}", NULL);
	assert_reads("{\"kind\":\"halves\",\"among\":[\"n1\",\"n2\"]}", NULL);
	assert_reads("{\"kind\":\"random\",\"every\":\"2s\",\"min_stable\":\"1s\"}",
		     NULL);
	assert_reads("{\"kind\":\"halfs\"}", "majorities-ring or random was expected");
	assert_reads("{\"kind\":\"sides\"}", "was expected, not sides");
	assert_reads("{\"kind\":\"halves\",\"nodes\":[\"n1\"]}", "nobody picks them");
	assert_reads("{\"kind\":\"halves\",\"among\":[\"n1\"]}",
		     "at least 2 nodes, not 1");
	assert_reads("{\"kind\":\"halves\",\"among\":[]}", "array of node names");
	assert_reads("{\"kind\":\"isolate\",\"nodes\":[\"n9\"]}", "no node is named n9");
	assert_reads("{\"kind\":\"bridge\",\"nodes\":[\"n1\",\"n2\",\"n3\"]}",
		     "must be left");
	assert_reads("{\"kind\":\"majorities-ring\",\"one_way\":true}", "never one-way");
	assert_reads("{\"kind\":\"random\"}", "needs \"every\"");
	assert_reads("{\"kind\":\"random\",\"every\":\"2s\",\"one_way\":true}",
		     "for itself");
	assert_reads("{\"kind\":\"random\",\"every\":\"2s\",\"min_stable\":\"3s\"}",
		     "more than \"every\"");
	assert_reads("{\"kind\":\"halves\",\"every\":\"2s\"}", "drawn anew");
	assert_reads("{\"kind\":\"halves\",\"for\":\"2\"}", "for");
	assert_reads("{\"kind\":\"halves\",\"name\":\"a b\"}", "a b");
	assert_reads("{\"kind\":\"halves\",\"sides\":[[\"n1\"],[\"n2\"]]}", "not both");
	assert_reads("{\"sides\":[[\"n1\"],[\"n2\"]],\"among\":[\"n1\"]}", "go with a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_links_name_means_both_directions),
		cmocka_unit_test(an_arrow_means_every_way_from_the_one_to_the_other),
		cmocka_unit_test(two_dashes_mean_both_ways),
		cmocka_unit_test(an_interface_picks_one_of_several_ways),
		cmocka_unit_test(a_networks_name_means_the_ways_into_it),
		cmocka_unit_test(the_name_that_is_printed_is_understood),
		cmocka_unit_test(what_is_not_there_is_named_with_what_is),
		cmocka_unit_test(sides_are_cut_from_one_another_and_nobody_else_is),
		cmocka_unit_test(a_star_is_everybody_who_is_not_named),
		cmocka_unit_test(one_way_cuts_only_from_the_first_side),
		cmocka_unit_test(sides_that_make_no_sense_are_refused),
		cmocka_unit_test(a_kind_takes_what_it_has_a_use_for_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, compile, forget);
}
