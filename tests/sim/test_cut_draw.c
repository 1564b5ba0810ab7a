/* SPDX-License-Identifier: MIT */
/* Partitions that are drawn: for every number of machines and many seeds, what each
 * kind promises holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "plan/cut_ways.h"
#include "topology/compile.h"
#include "partition/partition.h"

enum { NODES_MAX = 24, SEEDS = 40 };

/* Which members see which; a stranger stands at the end, who takes no part. */
struct sight {
	uint32_t nodes;
	bool sees[NODES_MAX + 1][NODES_MAX + 1];
	enum partition_kind kind;
	bool one_way;
	uint32_t place[NODES_MAX + 1];
};

static uint32_t parts[NODES_MAX + 1];

static struct partition make(enum partition_kind kind, uint32_t nodes)
{
	struct partition partition = { .kind = kind, .part_of = parts };

	memset(parts, 0, sizeof(parts));
	for (uint32_t n = 0; n < nodes; n++)
		parts[n] = PART_MEMBER;
	if (kind == PARTITION_RANDOM) {
		partition.every_ns = 10000000;
		partition.stable_ns = 4000000;
	}
	return partition;
}

static struct sight look(const struct partition *partition, uint32_t nodes,
			 uint64_t key, uint64_t round)
{
	struct sight sight = { .nodes = nodes };
	struct cut_draw draw;

	assert_int_equal(partition_check(partition, nodes + 1, NULL), 0);
	assert_int_equal(cut_draw(&draw, partition, nodes + 1, key, round, NULL), 0);
	for (uint32_t a = 0; a <= nodes; a++)
		for (uint32_t b = 0; b <= nodes; b++)
			sight.sees[a][b] = !cut_draw_cuts(&draw, a, b);
	sight.kind = draw.kind;
	sight.one_way = draw.one_way;
	memcpy(sight.place, draw.place, (nodes + 1) * sizeof(*draw.place));
	cut_draw_free(&draw);
	for (uint32_t n = 0; n <= nodes; n++) {
		assert_true(sight.sees[n][n]);
		assert_true(sight.sees[n][nodes] && sight.sees[nodes][n]);
	}
	return sight;
}

static void assert_both_ways(const struct sight *s)
{
	for (uint32_t a = 0; a < s->nodes; a++)
		for (uint32_t b = 0; b < s->nodes; b++)
			assert_int_equal(s->sees[a][b], s->sees[b][a]);
}

static uint32_t count_seen(const struct sight *s, uint32_t node)
{
	uint32_t seen = 0;

	for (uint32_t other = 0; other < s->nodes; other++)
		seen += s->sees[other][node];
	return seen;
}

/* Everybody sees `few` nodes, all of one side, or the `nodes - few` of the other. */
static void assert_two_sides(const struct sight *s, uint32_t few)
{
	uint32_t in_few = 0;

	assert_both_ways(s);
	for (uint32_t a = 0; a < s->nodes; a++) {
		uint32_t seen = count_seen(s, a);

		assert_true(seen == few || seen == s->nodes - few);
		for (uint32_t b = 0; b < s->nodes; b++)
			for (uint32_t c = 0; c < s->nodes; c++)
				assert_true(!(s->sees[a][b] && s->sees[b][c]) ||
					    s->sees[a][c]);
		in_few += s->sees[0][a];
	}
	assert_true(in_few == few || in_few == s->nodes - few);
}

static void everyone_on_a_ring_sees_a_majority_and_no_two_the_same(void **state)
{
	(void)state;
	for (uint32_t n = 3; n <= NODES_MAX; n++)
		for (uint64_t key = 0; key < SEEDS; key++) {
			struct partition p = make(PARTITION_RING, n);
			struct sight s = look(&p, n, key, 0);

			assert_both_ways(&s);
			for (uint32_t a = 0; a < n; a++) {
				assert_true(count_seen(&s, a) > n / 2);
				assert_true(count_seen(&s, a) <= n / 2 + 2);
				for (uint32_t b = 0; b < a; b++)
					assert_memory_not_equal(s.sees[a], s.sees[b], n);
			}
		}
}

static void halves_minority_and_majority_are_as_large_as_they_say(void **state)
{
	(void)state;
	for (uint32_t n = 2; n <= NODES_MAX; n++)
		for (uint64_t key = 0; key < SEEDS; key++) {
			struct partition p = make(PARTITION_HALVES, n);
			struct sight s = look(&p, n, key, 0);

			assert_two_sides(&s, n / 2);
			if (n < 3)
				continue;
			p = make(PARTITION_MINORITY, n);
			s = look(&p, n, key, 0);
			assert_two_sides(&s, (n - 1) / 2);
			p = make(PARTITION_MAJORITY, n);
			s = look(&p, n, key, 0);
			assert_two_sides(&s, n / 2 + 1);
		}
}

static void one_way_loses_only_what_the_first_side_sends(void **state)
{
	(void)state;
	for (uint32_t n = 3; n <= NODES_MAX; n++) {
		struct partition p = make(PARTITION_MINORITY, n);
		uint32_t mute = 0, deaf = 0;
		struct sight s;

		p.one_way = true;
		s = look(&p, n, 5, 0);
		for (uint32_t a = 0; a < n; a++) {
			uint32_t heard_by = 0;

			for (uint32_t b = 0; b < n; b++)
				heard_by += s.sees[a][b];
			mute += heard_by < n;
			deaf += count_seen(&s, a) < n;
		}
		assert_int_equal(mute, (n - 1) / 2);
		assert_int_equal(deaf, n - (n - 1) / 2);
	}
}

static void the_isolated_are_alone_and_the_others_together(void **state)
{
	(void)state;
	for (uint32_t n = 2; n <= NODES_MAX; n++)
		for (uint32_t picked = 0; picked < n; picked++) {
			struct partition p = make(PARTITION_ISOLATE, n);
			struct sight s;
			uint32_t alone = 0;

			for (uint32_t i = 0; i < picked; i++)
				parts[i] = PART_PICKED;
			s = look(&p, n, 9, 0);
			assert_both_ways(&s);
			for (uint32_t a = 0; a < n; a++) {
				bool is_alone = count_seen(&s, a) == 1;

				assert_true(is_alone ||
					    count_seen(&s, a) ==
						    n - (picked ? picked : 1));
				assert_true(a >= picked || is_alone);
				alone += is_alone;
			}
			assert_true(alone == (picked ? picked : 1) ||
				    n - (picked ? picked : 1) == 1);
		}
}

static void the_isolated_of_a_one_way_cut_hear_everybody(void **state)
{
	struct partition p = make(PARTITION_ISOLATE, 5);
	struct sight s;

	(void)state;
	p.one_way = true;
	parts[1] = parts[3] = PART_PICKED;
	s = look(&p, 5, 0, 0);
	for (uint32_t a = 0; a < 5; a++)
		for (uint32_t b = 0; b < 5; b++)
			assert_int_equal(s.sees[a][b], a == b || (a != 1 && a != 3));
}

static void a_bridge_sees_everybody_between_two_halves(void **state)
{
	(void)state;
	for (uint32_t n = 3; n <= NODES_MAX; n++)
		for (uint64_t key = 0; key < SEEDS; key++) {
			struct partition p = make(PARTITION_BRIDGE, n);
			struct sight s;
			uint32_t bridges = 0;

			if (key % 2)
				parts[n - 1] = PART_PICKED;
			s = look(&p, n, key, 0);
			assert_both_ways(&s);
			for (uint32_t a = 0; a < n; a++) {
				uint32_t seen = count_seen(&s, a), half = (n - 1) / 2;

				bridges += seen == n;
				assert_true(seen == n || seen == half + 1 ||
					    seen == n - half);
			}
			assert_int_equal(bridges, 1);
			assert_true(!(key % 2) || count_seen(&s, n - 1) == n);
		}
}

static void what_is_drawn_depends_on_key_and_round_and_nothing_else(void **state)
{
	struct partition p = make(PARTITION_RING, 11);
	struct sight a = look(&p, 11, 1, 0), b = look(&p, 11, 1, 0);

	(void)state;
	assert_memory_equal(a.place, b.place, sizeof(a.place));
	b = look(&p, 11, 2, 0);
	assert_memory_not_equal(a.place, b.place, sizeof(a.place));
	b = look(&p, 11, 1, 1);
	assert_memory_not_equal(a.place, b.place, sizeof(a.place));
	/* A machine that takes no part changes nothing for the others. */
	p = make(PARTITION_RING, 12);
	parts[11] = PART_NONE;
	b = look(&p, 12, 1, 0);
	assert_memory_equal(a.place, b.place, 11 * sizeof(*a.place));
}

/* Of 400 draws each member is the one that is alone about as often. */
static void every_member_is_drawn(void **state)
{
	uint32_t drawn[5] = { 0 };

	(void)state;
	for (uint64_t round = 0; round < 400; round++) {
		struct partition p = make(PARTITION_ISOLATE, 5);
		struct sight s = look(&p, 5, 77, round);

		for (uint32_t n = 0; n < 5; n++)
			drawn[n] += s.place[n] == 1;
	}
	for (uint32_t n = 0; n < 5; n++)
		assert_in_range(drawn[n], 80 - 4 * 8, 80 + 4 * 8); /* 4 deviations */
}

static void a_random_partition_is_each_kind_in_turn_and_sometimes_one_way(void **state)
{
	uint32_t of_kind[PARTITION_KINDS + 1] = { 0 }, one_way = 0;

	(void)state;
	for (uint64_t round = 0; round < 600; round++) {
		struct partition p = make(PARTITION_RANDOM, 5);
		struct sight s = look(&p, 5, 3, round);
		bool open = true;

		for (uint32_t n = 0; n < 5; n++)
			open &= count_seen(&s, n) == 5;
		of_kind[s.kind]++;
		one_way += s.one_way;
		assert_int_equal(open, s.kind == PARTITION_KINDS);
		assert_false(s.one_way && s.kind == PARTITION_RING);
	}
	for (int kind = 0; kind <= PARTITION_KINDS; kind++) {
		bool never = kind == PARTITION_SIDES || kind == PARTITION_MAJORITY ||
			     kind == PARTITION_RANDOM;

		assert_true(never ? !of_kind[kind] : of_kind[kind] > 60);
	}
	assert_in_range(one_way, 60, 140); /* a quarter of two thirds */
}

static void
a_round_is_never_shorter_than_min_stable_and_as_long_as_every_on_average(void **state)
{
	struct partition p = make(PARTITION_RANDOM, 5);
	uint64_t sum = 0, least = UINT64_MAX, most = 0;

	(void)state;
	for (uint64_t round = 0; round < 10000; round++) {
		uint64_t ns = cut_draw_lasts_ns(&p, 12, round);

		sum += ns;
		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
	}
	assert_in_range(least, p.stable_ns, p.stable_ns + 20000);
	assert_in_range(most, 2 * p.every_ns - p.stable_ns - 20000,
			2 * p.every_ns - p.stable_ns);
	/* Uniform: deviation of the mean is 12 ms / sqrt(12 * 10,000). */
	assert_in_range(sum / 10000, p.every_ns - 150000, p.every_ns + 150000);
	p.stable_ns = p.every_ns;
	assert_int_equal(cut_draw_lasts_ns(&p, 12, 1), p.every_ns);
}

/* ---- what stays open --------------------------------------------------- */

/* Two sites with two machines each, and a hub of three spokes. */
static const char routed[] =
	"{\"name\":\"t\",\"nodes\":{\"a1\":{},\"a2\":{},\"ra\":{},\"rb\":{},"
	"\"b1\":{},\"hub\":{},\"s1\":{},\"s2\":{},\"s3\":{}},"
	"\"networks\":{\"a\":{\"members\":[\"a1\",\"a2\",\"ra\"]},"
	"\"b\":{\"members\":[\"b1\",\"rb\"]}},"
	"\"links\":[{\"endpoints\":[\"ra\",\"rb\"]},{\"endpoints\":[\"hub\",\"s1\"]},"
	"{\"endpoints\":[\"hub\",\"s2\"]},{\"endpoints\":[\"hub\",\"s3\"]}],"
	"\"partitions\":["
	"{\"name\":\"none\",\"sides\":[[\"a1\"],[\"b1\"]]},"
	"{\"name\":\"some\",\"sides\":[[\"a1\"],[\"b1\",\"a2\"]]},"
	"{\"name\":\"whole\",\"sides\":[[\"a1\",\"a2\",\"ra\"],[\"b1\",\"rb\"]]},"
	"{\"name\":\"router\",\"sides\":[[\"a1\",\"a2\"],[\"ra\"]]},"
	"{\"name\":\"way\",\"sides\":[[\"ra\"],[\"rb\"]],\"one-way\":true},"
	"{\"name\":\"spokes\",\"kind\":\"minority\",\"among\":[\"s[1-3]\"]},"
	"{\"name\":\"weather\",\"kind\":\"random\",\"every\":\"1s\","
	"\"among\":[\"s[1-3]\"]},"
	"{\"name\":\"everybody\",\"kind\":\"random\",\"every\":\"1s\"}]}";

static void what_machines_between_pass_on_is_told(void **state)
{
	static const struct {
		size_t cut, open;
		const char *words; /* NULL: nothing is told */
	} expected[] = {
		{ 2, 2, "a1 -> b1 stays open, as does every other way of it: between them "
			"is ra" },
		{ 4, 2, "a1 -> b1 stays open, as does 1 more of its 4 ways" },
		{ 12, 0, NULL },
		{ 4, 0, NULL },
		{ 1, 0, NULL },
		{ 4, 4, "between them is hub, which passes packets on" },
		{ 6, 6, "put hub on a side, too" },
		{ 72, 0, NULL },
	};
	struct topology_options options = { 0 };
	static struct diagnostics diags;
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(topology_compile_text(routed, strlen(routed), "t.json", "/",
					       &options, &plan, &diags),
			 0);
	for (size_t i = 0; i < plan->partition_count; i++) {
		struct cut_draw draw;
		struct cut_ways ways;
		struct why why = { "" };

		assert_int_equal(cut_draw_most(&draw, &plan->partitions[i],
					       plan->node_count, 7, NULL),
				 0);
		assert_int_equal(cut_ways(&ways, plan, &draw, NULL), 0);
		cut_draw_free(&draw);
		assert_int_equal(ways.cut, expected[i].cut);
		assert_int_equal(ways.open, expected[i].open);
		assert_int_equal(cut_ways_warning(&ways, plan, &why),
				 expected[i].words != NULL);
		if (expected[i].words && !strstr(why.text, expected[i].words))
			fail_msg("%s", why.text);
	}
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everyone_on_a_ring_sees_a_majority_and_no_two_the_same),
		cmocka_unit_test(halves_minority_and_majority_are_as_large_as_they_say),
		cmocka_unit_test(one_way_loses_only_what_the_first_side_sends),
		cmocka_unit_test(the_isolated_are_alone_and_the_others_together),
		cmocka_unit_test(the_isolated_of_a_one_way_cut_hear_everybody),
		cmocka_unit_test(a_bridge_sees_everybody_between_two_halves),
		cmocka_unit_test(what_is_drawn_depends_on_key_and_round_and_nothing_else),
		cmocka_unit_test(every_member_is_drawn),
		cmocka_unit_test(
			a_random_partition_is_each_kind_in_turn_and_sometimes_one_way),
		cmocka_unit_test(
			a_round_is_never_shorter_than_min_stable_and_as_long_as_every_on_average),
		cmocka_unit_test(what_machines_between_pass_on_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
