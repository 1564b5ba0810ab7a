/* SPDX-License-Identifier: MIT */
/* The floor: what a frame takes at least, whatever the faults say. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "switch/switch.h"
#include "plan/plan.h"

#define FLOOR UINT64_C(1000)
#define MS    UINT64_C(1000000)

enum { SIZE = 64, GOT_MAX = 512, ALL = FAULT_PPB_ALL };

static struct {
	struct sw *sw;
	uint32_t wire;
	uint64_t got_ns[GOT_MAX];
	unsigned got;
} lab;

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	(void)ctx;
	(void)port;
	(void)frame;
	assert_true(lab.got < GOT_MAX);
	lab.got_ns[lab.got++] = sw_now_ns(lab.sw);
	return 0;
}

static const struct sw_sink sink = { .deliver = deliver };

static void port(const char *name, uint32_t node)
{
	uint32_t id;

	assert_int_equal(sw_add_port(lab.sw, name, node, &id, NULL), 0);
	assert_int_equal(id, node);
	sw_port_up(lab.sw, id, true);
}

/* 0 and 1 are the ends of a wire, 2 and 3 are on a LAN. */
static void begin(uint64_t floor_ns)
{
	const struct sw_config config = {
		.seed = 1, .node_count = 4, .pool_bytes_max = 1 << 20, .sink = &sink
	};
	uint32_t lan, link;

	memset(&lab, 0, sizeof(lab));
	assert_int_equal(sw_create(&lab.sw, &config, NULL), 0);
	sw_set_floor(lab.sw, floor_ns);
	for (uint32_t i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u:eth0", i);
		port(name, i);
	}
	assert_int_equal(sw_link_ports(lab.sw, "wire", 0, 1, &lab.wire, NULL), 0);
	assert_int_equal(sw_add_segment(lab.sw, "lan", UINT64_MAX, &lan, NULL), 0);
	for (uint32_t i = 2; i < 4; i++)
		assert_int_equal(sw_link_segment(lab.sw, "lan", i, lan, &link, NULL), 0);
}

static void fault(struct fault_rule rule, uint64_t now_ns)
{
	struct fault_spec *spec = fault_spec_of(&rule);

	assert_int_equal(fault_spec_check(spec, NULL), 0);
	assert_int_equal(sw_fault_set(lab.sw, lab.wire, DIR_AB, spec, now_ns, NULL), 0);
	fault_spec_free(spec);
}

static void emit(uint32_t from, uint64_t now_ns)
{
	uint8_t bytes[SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1 };

	sw_port_frame(lab.sw, from, (struct frame){ bytes, SIZE }, now_ns);
}

/* Each at its own time, as a timer would. */
static void until(uint64_t end_ns)
{
	while (sw_next_due_ns(lab.sw) <= end_ns)
		sw_advance(lab.sw, sw_next_due_ns(lab.sw));
	sw_advance(lab.sw, end_ns);
}

static void without_a_floor_a_perfect_wire_takes_no_time(void **state)
{
	(void)state;
	begin(0);
	emit(0, 5);
	assert_int_equal(lab.got, 1);
	assert_int_equal(lab.got_ns[0], 5);
	sw_destroy(lab.sw);
}

static void a_perfect_wire_takes_the_floor(void **state)
{
	(void)state;
	begin(FLOOR);
	emit(0, 5);
	assert_int_equal(lab.got, 0);
	assert_int_equal(sw_link_count(lab.sw, lab.wire, DIR_AB)->queued, 1);
	until(MS);
	assert_int_equal(lab.got, 1);
	assert_int_equal(lab.got_ns[0], 5 + FLOOR);
	sw_destroy(lab.sw);
}

static void a_lan_takes_the_floor_on_each_of_two_links_and_a_pair_adds_none(void **state)
{
	struct fault_rule rule = { .duplicate = { ALL, 0 } };
	struct fault_spec *spec = fault_spec_of(&rule);

	(void)state;
	begin(FLOOR);
	emit(2, 5);
	until(MS);
	assert_int_equal(lab.got, 1);
	assert_int_equal(lab.got_ns[0], 5 + 2 * FLOOR);
	assert_int_equal(sw_pair_set(lab.sw, 0, 2, 3, spec, MS, NULL), 0);
	fault_spec_free(spec);
	emit(2, MS);
	until(2 * MS);
	assert_int_equal(lab.got, 3);
	assert_int_equal(lab.got_ns[1], MS + 2 * FLOOR);
	assert_int_equal(lab.got_ns[2], MS + 2 * FLOOR);
	sw_destroy(lab.sw);
}

/* What a frame is late by exactly, with the floor. */
static void no_model_is_faster_than_the_floor(void **state)
{
	static const struct {
		struct fault_rule rule;
		unsigned copies;
		uint64_t takes_ns[2]; /* each of them */
	} cases[] = {
		{ { .delay_ns = MS, .reorder = { ALL, 0 } }, 1, { FLOOR } },
		{ { .delay_ns = FLOOR / 2 }, 1, { FLOOR } },
		{ { .delay_ns = FLOOR + 1 }, 1, { FLOOR + 1 } },
		{ { .duplicate = { ALL, 0 } }, 2, { FLOOR, FLOOR } },
		{ { .replay_ppb = ALL, .replay_ns = 10 }, 2, { FLOOR, FLOOR } },
		{ { .replay_ppb = ALL, .replay_ns = MS }, 2, { FLOOR, MS } },
		{ { .corrupt = { ALL, 0 } }, 1, { FLOOR } },
		/* After the line. */
		{ { .rate_bps = 8 * SIZE * 1000 }, 1, { MS + FLOOR } },
		{ { .rate_bps = 8 * SIZE * 1000, .delay_ns = MS }, 1, { 2 * MS } },
		{ { .slot_min_ns = MS, .slot_max_ns = MS }, 1, { FLOOR } },
		{ { .delay_ns = FLOOR / 2, .keep_order = true }, 1, { FLOOR } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(FLOOR);
		fault(cases[i].rule, 0);
		emit(0, 5);
		until(10 * MS);
		assert_int_equal(lab.got, cases[i].copies);
		for (unsigned k = 0; k < lab.got; k++)
			assert_int_equal(lab.got_ns[k] - 5, cases[i].takes_ns[k]);
		sw_destroy(lab.sw);
	}
}

static void what_a_hold_lets_go_takes_the_floor_from_there(void **state)
{
	(void)state;
	/* Twice: the line remains, or it is gone. */
	for (int gone = 0; gone < 2; gone++) {
		begin(FLOOR);
		fault((struct fault_rule){ .hold = true, .rate_bps = 1000000000000 }, 0);
		emit(0, 0);
		emit(0, 1);
		until(MS);
		assert_int_equal(lab.got, 0);
		fault((struct fault_rule){ .rate_bps = gone ? 0 : 1000000000000 }, MS);
		until(2 * MS);
		assert_int_equal(lab.got, 2);
		/* A nanosecond on the line, if there is one. */
		assert_int_equal(lab.got_ns[0], MS + FLOOR + !gone);
		sw_destroy(lab.sw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_floor_a_perfect_wire_takes_no_time),
		cmocka_unit_test(a_perfect_wire_takes_the_floor),
		cmocka_unit_test(
			a_lan_takes_the_floor_on_each_of_two_links_and_a_pair_adds_none),
		cmocka_unit_test(no_model_is_faster_than_the_floor),
		cmocka_unit_test(what_a_hold_lets_go_takes_the_floor_from_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
