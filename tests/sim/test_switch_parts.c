/* SPDX-License-Identifier: MIT */
/* The switch's own small tools, each against a slow and obvious model. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/draw.h"
#include "partition/cut_matrix.h"
#include "switch/delay_queue.h"
#include "switch/mac_table.h"
#include "switch/pair_map.h"
#include "switch/pool.h"

static uint64_t picks;

/* The next of a fixed row of numbers below bound. */
static uint64_t pick(uint64_t bound)
{
	return draw_below(17, picks++, LANE_TOPOLOGY, bound);
}

static void the_queue_gives_back_by_time_and_then_by_arrival(void **state)
{
	enum { ENTRIES = 3000 };
	static uint64_t due[ENTRIES];
	struct delay_queue queue = { 0 };
	uint64_t last_due = 0, last_item = 0;

	(void)state;
	assert_int_equal(delay_queue_due_ns(&queue), UINT64_MAX);
	for (uintptr_t i = 0; i < ENTRIES; i++) {
		due[i] = pick(100);
		assert_int_equal(delay_queue_add(&queue, due[i], (void *)i), 0);
	}
	for (int i = 0; i < ENTRIES; i++) {
		uint64_t first = delay_queue_due_ns(&queue);
		struct delay_entry e = delay_queue_pop(&queue);
		uint64_t item = (uintptr_t)e.item;

		assert_int_equal(e.due_ns, first);
		assert_int_equal(e.due_ns, due[item]);
		assert_true(i == 0 || e.due_ns > last_due ||
			    (e.due_ns == last_due && item > last_item));
		last_due = e.due_ns;
		last_item = item;
	}
	assert_int_equal(queue.count, 0);
	delay_queue_destroy(&queue);
}

static void the_queue_keeps_its_order_while_it_grows_and_shrinks(void **state)
{
	struct delay_queue queue = { 0 };
	uint64_t now = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		if (pick(5) < 3 || !queue.count) {
			delay_queue_add(&queue, now + pick(1000), NULL);
		} else {
			struct delay_entry e = delay_queue_pop(&queue);

			assert_true(e.due_ns >= now);
			now = e.due_ns;
		}
	}
	delay_queue_destroy(&queue);
}

static void the_pool_reuses_what_came_back_and_keeps_to_its_limit(void **state)
{
	struct pool_account account = { 0 };
	struct pool pool;
	void *taken[64];
	uint64_t held;
	int n = 0;

	(void)state;
	pool_init(&pool, 128 * 48);
	while ((taken[n] = pool_take(&pool, &account, 60)))
		n++;
	assert_int_equal(n, 24); /* half: the account may hold what is left */
	held = pool.bytes_held;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < n; i++)
			pool_give(&pool, taken[i]);
		assert_int_equal(pool.bytes_taken, 0);
		for (int i = 0; i < n; i++)
			assert_non_null(taken[i] = pool_take(&pool, &account, 60));
		assert_int_equal(pool.bytes_held, held); /* nothing new was allocated */
	}
	for (int i = 0; i < n; i++)
		pool_give(&pool, taken[i]);
	/* Now large ones: the small ones make room. */
	assert_non_null(taken[0] = pool_take(&pool, &account, 1900));
	assert_non_null(taken[1] = pool_take(&pool, &account, 1900));
	assert_null(pool_take(&pool, &account, 1900));
	assert_true(pool.bytes_held <= pool.bytes_max);
	pool_give(&pool, taken[0]);
	pool_give(&pool, taken[1]);
	assert_int_equal(account.bytes, 0);
	pool_destroy(&pool);
}

static void greedy_accounts_leave_room_for_a_modest_one(void **state)
{
	struct pool_account greedy[9] = { { 0 } }, modest = { 0 };
	struct pool pool;
	static void *taken[4096];
	int n = 0, failed = 0;

	(void)state;
	pool_init(&pool, 1 << 20);
	for (int i = 0; failed < 900; i++) {
		void *block = pool_take(&pool, &greedy[i % 9], 1000);

		if (block)
			taken[n++] = block;
		else
			failed++;
	}
	assert_true(pool.bytes_taken > (1 << 20) * 85 / 100);
	for (int i = 0; i < 9; i++) {
		assert_in_range(greedy[i].bytes, (1 << 20) / 10 - 4096,
				(1 << 20) / 10 + 4096);
	}
	for (int i = 0; i < 20; i++)
		assert_non_null(taken[n++] = pool_take(&pool, &modest, 1000));
	while (n)
		pool_give(&pool, taken[--n]);
	pool_destroy(&pool);
}

/* The model: for each member, its addresses in the order in which they were heard. */
struct model {
	uint64_t mac[4][MAC_TABLE_PER_MEMBER + 1], heard[4][MAC_TABLE_PER_MEMBER + 1];
	int count[4];
};

static void model_remove(struct model *m, int member, int at)
{
	int rest = --m->count[member] - at;

	memmove(&m->mac[member][at], &m->mac[member][at + 1], sizeof(uint64_t) * (size_t)rest);
	memmove(&m->heard[member][at], &m->heard[member][at + 1],
		sizeof(uint64_t) * (size_t)rest);
}

static int model_find(const struct model *m, uint64_t mac, int *at)
{
	for (int member = 0; member < 4; member++)
		for (*at = 0; *at < m->count[member]; (*at)++)
			if (m->mac[member][*at] == mac)
				return member;
	return -1;
}

static void model_learn(struct model *m, uint64_t mac, int member, uint64_t now)
{
	int at, old = model_find(m, mac, &at);

	if (old >= 0)
		model_remove(m, old, at);
	m->mac[member][m->count[member]] = mac;
	m->heard[member][m->count[member]++] = now;
	if (m->count[member] > MAC_TABLE_PER_MEMBER)
		model_remove(m, member, 0);
}

static void the_mac_table_knows_what_its_model_knows(void **state)
{
	enum { AGEING = 3000, ADDRESSES = 1500 };
	static struct model model;
	struct mac_table table;

	(void)state;
	mac_table_init(&table, 12345, AGEING);
	for (int i = 0; i < 4; i++)
		assert_int_equal(mac_table_add_member(&table), 0);
	for (uint64_t now = 0; now < 12000; now++) {
		uint64_t mac = pick(ADDRESSES) << 8;
		uint32_t member = (uint32_t)pick(4), expected = MAC_TABLE_UNKNOWN;
		int at, known;

		if (pick(3000) == 0) {
			mac_table_forget(&table, member);
			model.count[member] = 0;
		}
		/* Member 3 shouts; the others have few addresses that seldom move. */
		if (member != 3)
			mac = pick(50) ? (member * 20 + pick(20)) << 8 : mac;
		mac_table_learn(&table, mac, member, now);
		model_learn(&model, mac, (int)member, now);
		mac = pick(ADDRESSES) << 8;
		known = model_find(&model, mac, &at);
		if (known >= 0 && now - model.heard[known][at] < AGEING)
			expected = (uint32_t)known;
		assert_int_equal(mac_table_find(&table, mac, now), expected);
		for (int i = 0; i < 4; i++)
			assert_int_equal(table.members[i].count, model.count[i]);
	}
	mac_table_destroy(&table);
}

static void a_cut_is_one_bit_and_nothing_else(void **state)
{
	enum { NODES = 37 };
	static bool model[NODES][NODES];
	struct cut_matrix cuts;

	(void)state;
	assert_int_equal(cut_matrix_init(&cuts, NODES, NULL), 0);
	for (int round = 0; round < 3000; round++) {
		uint32_t from = (uint32_t)pick(NODES), to = (uint32_t)pick(NODES);
		uint32_t count = 0;

		model[from][to] = pick(2);
		cut_matrix_set(&cuts, from, to, model[from][to]);
		for (uint32_t a = 0; a < NODES; a++) {
			for (uint32_t b = 0; b < NODES; b++) {
				assert_int_equal(cut_matrix_get(&cuts, a, b), model[a][b]);
				count += model[a][b];
			}
		}
		assert_int_equal(cuts.cuts, count);
	}
	cut_matrix_clear(&cuts);
	for (uint32_t a = 0; a < NODES; a++)
		for (uint32_t b = 0; b < NODES; b++)
			assert_false(cut_matrix_get(&cuts, a, b));
	cut_matrix_destroy(&cuts);
}

/* A pair that is never looked into: a number that says which it is. */
static struct pair *token(uint32_t from, uint32_t to)
{
	return (struct pair *)(uintptr_t)(from * 40 + to + 1);
}

static void every_pair_that_was_added_is_found(void **state)
{
	struct pair_map map = { 0 };

	(void)state;
	assert_null(pair_map_get(&map, 0, 0));
	for (uint32_t from = 0; from < 40; from++)
		for (uint32_t to = 0; to < 40; to++)
			if ((from + to) % 3)
				assert_int_equal(pair_map_add(&map, from, to, token(from, to)),
						 0);
	for (uint32_t from = 0; from < 40; from++)
		for (uint32_t to = 0; to < 40; to++)
			assert_ptr_equal(pair_map_get(&map, from, to),
					 (from + to) % 3 ? token(from, to) : NULL);
	pair_map_destroy(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_gives_back_by_time_and_then_by_arrival),
		cmocka_unit_test(the_queue_keeps_its_order_while_it_grows_and_shrinks),
		cmocka_unit_test(the_pool_reuses_what_came_back_and_keeps_to_its_limit),
		cmocka_unit_test(greedy_accounts_leave_room_for_a_modest_one),
		cmocka_unit_test(the_mac_table_knows_what_its_model_knows),
		cmocka_unit_test(a_cut_is_one_bit_and_nothing_else),
		cmocka_unit_test(every_pair_that_was_added_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
