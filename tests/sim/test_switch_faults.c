/* SPDX-License-Identifier: MIT */
/* Faults that change frames, or that somebody lifts: what the receivers see. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/draw.h"
#include "linkfault/rule_name.h"
#include "switch/switch.h"
#include "plan/plan.h"

#define MS UINT64_C(1000000)

enum { PORTS = 3, SIZE = 200, GOT_MAX = 64, CE = 3, SERIAL_AT = 100, SEED = 3 };

struct lab {
	struct sw *sw;
	uint32_t link[PORTS];
	unsigned count[PORTS];
	uint8_t serial; /* of the next frame */
	uint8_t got[PORTS][GOT_MAX][SIZE];
	uint8_t entered[SIZE], left[SIZE]; /* as the taps saw the last one */
	char trail[FAULT_TRAIL_BYTES_MAX]; /* of what was seen last */
	char lost[FAULT_TRAIL_BYTES_MAX];  /* of what was dropped last */
};

static struct lab lab;

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	(void)ctx;
	assert_true(lab.count[port] < GOT_MAX && frame.size == SIZE);
	memcpy(lab.got[port][lab.count[port]++], frame.bytes, frame.size);
	return 0;
}

static void tap(void *ctx, const struct sw_tap_event *event)
{
	(void)ctx;
	memcpy(event->inbound ? lab.entered : lab.left, event->frame.bytes, SIZE);
	fault_trail_format(event->fate == SW_PASS ? lab.trail : lab.lost, event->trail);
}

static const struct sw_sink sink = { .deliver = deliver, .tap = tap };

static int set_up(void **state)
{
	const struct sw_config config = { .seed = SEED,
					  .node_count = PORTS,
					  .pool_bytes_max = 1 << 20,
					  .sink = &sink };
	uint32_t lan, id;

	(void)state;
	memset(&lab, 0, sizeof(lab));
	assert_int_equal(sw_create(&lab.sw, &config, NULL), 0);
	assert_int_equal(sw_add_segment(lab.sw, "lan", UINT64_MAX, &lan, NULL), 0);
	for (uint32_t i = 0; i < PORTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u:eth0", i);
		assert_int_equal(sw_add_port(lab.sw, name, i, &id, NULL), 0);
		assert_int_equal(
			sw_link_segment(lab.sw, name, id, lan, &lab.link[i], NULL), 0);
		sw_port_up(lab.sw, id, true);
		sw_port_tap(lab.sw, id, true);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sw_destroy(lab.sw);
	return 0;
}

static void set(uint32_t link, int dir, struct fault_rule rule, uint64_t now_ns)
{
	struct fault_spec *spec = fault_spec_of(&rule);

	assert_int_equal(fault_spec_check(spec, NULL), 0);
	assert_int_equal(sw_fault_set(lab.sw, link, dir, spec, now_ns, NULL), 0);
	fault_spec_free(spec);
}

/* From n0 to all: IPv4 that may be marked.  Returns its bytes. */
static const uint8_t *broadcast(uint64_t now_ns)
{
	static uint8_t frame[SIZE], lent[SIZE];

	memset(frame, 0x55, sizeof(frame));
	memset(frame, 0xff, 6);
	memcpy(frame + 6, (uint8_t[]){ 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 2 }, 10);
	frame[SERIAL_AT] = lab.serial++;
	memcpy(lent, frame, sizeof(lent));
	sw_port_frame(lab.sw, 0, (struct frame){ lent, SIZE }, now_ns);
	memset(lent, 0xee, sizeof(lent)); /* it was only lent */
	return frame;
}

static void a_flood_is_damaged_only_where_the_damage_is(void **state)
{
	const uint8_t *sent;
	unsigned differ = 0;

	(void)state;
	/* Both wait, so both share the bytes until one has to change them. */
	set(lab.link[1], DIR_BA,
	    (struct fault_rule){ .delay_ns = MS, .corrupt = { FAULT_PPB_ALL, 0 } }, 0);
	set(lab.link[2], DIR_BA, (struct fault_rule){ .delay_ns = MS }, 0);
	sent = broadcast(0);
	sw_advance(lab.sw, 2 * MS);
	assert_int_equal(lab.count[1], 1);
	assert_int_equal(lab.count[2], 1);
	assert_memory_equal(lab.got[2][0], sent, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		differ += (unsigned)__builtin_popcount(lab.got[1][0][i] ^ sent[i]);
	assert_int_equal(differ, 1);
	assert_int_equal(sw_link_count(lab.sw, lab.link[1], DIR_BA)->edited, 1);
	assert_int_equal(sw_pool_bytes(lab.sw), 0);
}

static void damage_without_a_delay_leaves_the_senders_bytes_alone(void **state)
{
	const uint8_t *sent;

	(void)state;
	set(lab.link[1], DIR_BA, (struct fault_rule){ .corrupt = { FAULT_PPB_ALL, 0 } },
	    0);
	sent = broadcast(0);
	assert_memory_not_equal(lab.got[1][0], sent, SIZE);
	assert_memory_equal(lab.got[2][0], sent, SIZE);
	assert_int_equal(sw_pool_bytes(lab.sw), 0);
}

static void taps_see_the_bytes_that_came_and_those_that_leave(void **state)
{
	/* At once, from a line, from a delay; and marked. */
	static const struct fault_rule rules[] = {
		{ .corrupt = { FAULT_PPB_ALL, 0 } },
		{ .corrupt = { FAULT_PPB_ALL, 0 }, .rate_bps = 1000000 },
		{ .corrupt = { FAULT_PPB_ALL, 0 }, .delay_ns = MS },
		{ .loss = { FAULT_PPB_ALL, 0 }, .ecn = true },
	};
	uint64_t now_ns = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const uint8_t *sent;

		set(lab.link[0], DIR_AB, rules[i], now_ns);
		sent = broadcast(now_ns);
		now_ns += 10 * MS;
		sw_advance(lab.sw, now_ns);
		assert_memory_equal(lab.entered, sent, SIZE);
		assert_memory_not_equal(lab.left, sent, SIZE);
		assert_memory_equal(lab.left, lab.got[1][lab.count[1] - 1], SIZE);
	}
}

static void what_is_held_comes_in_order_when_the_hold_is_lifted(void **state)
{
	(void)state;
	set(lab.link[0], DIR_AB, (struct fault_rule){ .hold = true }, 0);
	for (unsigned n = 0; n < 5; n++)
		broadcast(n * MS);
	sw_advance(lab.sw, 100 * MS);
	assert_int_equal(lab.count[1], 0);
	assert_int_equal(sw_next_due_ns(lab.sw), UINT64_MAX);
	assert_int_equal(sw_link_count(lab.sw, lab.link[0], DIR_AB)->queued, 5);
	set(lab.link[0], DIR_AB, (struct fault_rule){ .delay_ns = MS }, 100 * MS);
	sw_advance(lab.sw, 102 * MS);
	assert_int_equal(lab.count[1], 5);
	for (unsigned n = 0; n < 5; n++)
		assert_int_equal(lab.got[1][n][SERIAL_AT], n);
	assert_int_equal(sw_link_count(lab.sw, lab.link[0], DIR_AB)->queued, 0);
}

static void a_line_goes_on_when_only_the_hold_is_lifted(void **state)
{
	struct fault_rule held = { .hold = true, .rate_bps = 8 * SIZE * 1000 };
	struct fault_rule free_again = { .rate_bps = 8 * SIZE * 1000 };

	(void)state;
	set(lab.link[0], DIR_AB, held, 0);
	broadcast(0);
	broadcast(0);
	set(lab.link[0], DIR_AB, free_again, 100 * MS);
	assert_int_equal(sw_next_due_ns(lab.sw), 101 * MS);
	sw_advance(lab.sw, 102 * MS);
	assert_int_equal(lab.count[1], 2);
}

/* The link's own line, and a rule that keeps the order; name "": without that rule. */
static void set_with_rule(const char *name, uint64_t now_ns)
{
	struct fault_spec *spec = fault_spec_create();
	struct fault_rule *rule;

	assert_non_null(spec);
	spec->rule[0].rate_bps = 8 * SIZE * 1000;
	if (*name) {
		assert_int_equal(fault_spec_add(&spec, name, &rule, NULL), 0);
		rule->delay_ns = 5 * MS;
		rule->keep_order = true;
	}
	assert_int_equal(sw_fault_set(lab.sw, lab.link[0], DIR_AB, spec, now_ns, NULL),
			 0);
	fault_spec_free(spec);
}

static void a_frame_on_a_line_outlives_the_rule_that_kept_its_order(void **state)
{
	static const char *const names[] = { "", "other", "kept" };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at_ns = i * 100 * MS;

		set_with_rule("kept", at_ns);
		broadcast(at_ns);
		broadcast(at_ns);
		set_with_rule(names[i], at_ns + MS / 2);
		sw_advance(lab.sw, at_ns + 50 * MS);
		/* Both keep their delay, and the name of what it was. */
		assert_int_equal(lab.count[1], 2 * (i + 1));
		assert_non_null(strstr(lab.trail, "rule kept: delayed 5ms"));
	}
}

/* A millisecond for each frame on the line; CoDel's target is two. */
static struct fault_rule slow_queue(void)
{
	return (struct fault_rule){ .rate_bps = 8 * SIZE * 1000,
				    .queue = QUEUE_CODEL,
				    .codel_target_ns = 2 * MS,
				    .codel_interval_ns = 10 * MS,
				    .ecn = true };
}

/* Two that wait share the bytes, until one of them is marked. */
static void a_mark_in_one_queue_is_not_seen_by_another_receiver(void **state)
{
	unsigned marked = 0;

	(void)state;
	set(lab.link[1], DIR_BA, slow_queue(), 0);
	set(lab.link[2], DIR_BA, (struct fault_rule){ .delay_ns = 500 * MS }, 0);
	for (unsigned n = 0; n < GOT_MAX; n++)
		broadcast(0);
	sw_advance(lab.sw, 1000 * MS);
	assert_int_equal(lab.count[2], GOT_MAX);
	for (unsigned n = 0; n < GOT_MAX; n++) {
		marked += (lab.got[1][n][15] & CE) == CE;
		assert_int_equal(lab.got[2][n][15] & CE, 2);
	}
	assert_true(marked > 0);
	assert_int_equal(sw_pool_bytes(lab.sw), 0);
}

static void a_slow_queue_marks_before_a_flood_what_all_receivers_see(void **state)
{
	unsigned marked = 0;

	(void)state;
	set(lab.link[0], DIR_AB, slow_queue(), 0);
	for (unsigned n = 0; n < GOT_MAX; n++)
		broadcast(0);
	sw_advance(lab.sw, 1000 * MS);
	assert_int_equal(lab.count[1], GOT_MAX);
	for (unsigned n = 0; n < GOT_MAX; n++) {
		assert_memory_equal(lab.got[1][n], lab.got[2][n], SIZE);
		marked += (lab.got[1][n][15] & CE) == CE;
	}
	assert_in_range(marked, 3, 12);
	assert_int_equal(lab.got[1][0][15] & CE, 2);
	assert_int_equal(sw_link_count(lab.sw, lab.link[0], DIR_AB)->dropped[SW_DROP_AQM],
			 0);
}

static void a_duplicate_and_a_replay_come_again_and_say_so(void **state)
{
	(void)state;
	set(lab.link[1], DIR_BA,
	    (struct fault_rule){ .duplicate = { FAULT_PPB_ALL, 0 },
				 .duplicate_count = 2,
				 .replay_ppb = FAULT_PPB_ALL,
				 .replay_ns = 5 * MS },
	    0);
	broadcast(0);
	assert_int_equal(lab.count[1], 3);
	sw_advance(lab.sw, 5 * MS - 1);
	assert_int_equal(lab.count[1], 3);
	sw_advance(lab.sw, 5 * MS);
	assert_int_equal(lab.count[1], 4);
	assert_non_null(strstr(lab.trail, "replay of #0"));
	assert_null(
		strstr(lab.trail, "duplicated")); /* that is the first one's to tell */
	assert_int_equal(sw_link_count(lab.sw, lab.link[1], DIR_BA)->copies, 3);
	assert_int_equal(lab.count[2], 1);
}

static void an_overflow_drops_one_that_waits_and_keeps_the_newcomer(void **state)
{
	enum { LIMIT = 8 };
	const struct sw_count *count = sw_link_count(lab.sw, lab.link[0], DIR_AB);
	uint64_t key =
		draw_key(SEED, sw_link_direction_name(lab.sw, lab.link[0], DIR_AB));
	uint8_t left[LIMIT] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	(void)state;
	set(lab.link[0], DIR_AB,
	    (struct fault_rule){ .rate_bps = 8 * SIZE * 1000,
				 .limit_frames = LIMIT,
				 .queue = QUEUE_RANDOM },
	    0);
	for (unsigned n = 0; n < 20; n++)
		broadcast(0);
	assert_int_equal(count->queued, LIMIT);
	assert_int_equal(count->dropped[SW_DROP_LIMIT], 20 - LIMIT);
	assert_non_null(strstr(lab.lost, "drawn from the full queue"));
	/* Which ones: of those behind the front, as the draws say. */
	for (uint32_t n = LIMIT; n < 20; n++) {
		uint32_t victim =
			1 + (uint32_t)draw_below(key, n, LANE_OVERFLOW, LIMIT - 1);

		memmove(&left[victim], &left[victim + 1], LIMIT - 1 - victim);
		left[LIMIT - 1] = (uint8_t)n;
	}
	sw_advance(lab.sw, 100 * MS);
	assert_int_equal(lab.count[1], LIMIT);
	for (unsigned i = 0; i < LIMIT; i++)
		assert_int_equal(lab.got[1][i][SERIAL_AT], left[i]);
}

/* A link that is in one of two states, and a rule for the second. */
static void set_states(const struct fault_rule *own, const struct fault_rule *second)
{
	struct fault_spec *spec = fault_spec_of(own);
	struct fault_rule *rule;

	spec->rule[0].states = fault_chain_create();
	*spec->rule[0].states = (struct fault_chain){
		.refs = 1,
		.count = 2,
		.node = { { "first", 5 * MS, { 0, FAULT_PPB_ALL } },
			  { "second", 5 * MS, { FAULT_PPB_ALL } } },
	};
	assert_int_equal(fault_spec_add(&spec, "1", &rule, NULL), 0);
	fault_rule_copy(rule, second);
	snprintf(rule->name, sizeof(rule->name), "1");
	rule->name_number = rule_name_number(rule->name);
	assert_int_equal(fault_spec_check(spec, NULL), 0);
	assert_int_equal(sw_fault_set(lab.sw, lab.link[0], DIR_AB, spec, 0, NULL), 0);
	fault_spec_free(spec);
}

static bool in_second(uint64_t now_ns)
{
	const struct fault_spec *spec = sw_fault_get(lab.sw, lab.link[0], DIR_AB);
	const struct fault_state *now = sw_fault_state(lab.sw, lab.link[0], DIR_AB);

	return !strcmp(fault_in_state(spec, now, now_ns), "second");
}

/* Without a rate of its own the link is as fast as frames come in the first state; what
 * waits from the second leaves when that ends, before what comes then. */
static void a_rate_of_a_state_keeps_the_links_order(void **state)
{
	uint64_t waiting = 0;
	uint64_t now_ns = 0;

	(void)state;
	set_states(&(struct fault_rule){ 0 },
		   &(struct fault_rule){ .in = "second", .rate_bps = 8 * SIZE * 1000 });
	while (!in_second(now_ns))
		now_ns += MS;
	for (unsigned n = 0; n < 50; n++) {
		sw_advance(lab.sw, now_ns);
		broadcast(now_ns);
		now_ns += MS / 5;
		if (sw_link_count(lab.sw, lab.link[0], DIR_AB)->queued > waiting)
			waiting = sw_link_count(lab.sw, lab.link[0], DIR_AB)->queued;
	}
	sw_advance(lab.sw, now_ns + 1000 * MS);
	assert_int_equal(lab.count[1], 50);
	for (unsigned n = 0; n < 50; n++)
		assert_int_equal(lab.got[1][n][SERIAL_AT], n);
	assert_true(waiting > 1);
}

static void what_is_on_its_way_when_a_state_cuts_the_link_is_lost(void **state)
{
	uint64_t now_ns = 0;

	(void)state;
	set_states(&(struct fault_rule){ .delay_ns = 2 * MS },
		   &(struct fault_rule){ .in = "second", .down = true });
	while (in_second(now_ns) || !in_second(now_ns + 2 * MS))
		now_ns += MS / 10;
	broadcast(now_ns);
	assert_int_equal(sw_link_count(lab.sw, lab.link[0], DIR_AB)->queued, 1);
	sw_advance(lab.sw, now_ns + 2 * MS);
	assert_int_equal(lab.count[1], 0);
	assert_int_equal(
		sw_link_count(lab.sw, lab.link[0], DIR_AB)->dropped[SW_DROP_DOWN], 1);
	assert_non_null(strstr(lab.lost, "rule 1: lost: the link is down"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_flood_is_damaged_only_where_the_damage_is),
		T(damage_without_a_delay_leaves_the_senders_bytes_alone),
		T(taps_see_the_bytes_that_came_and_those_that_leave),
		T(what_is_held_comes_in_order_when_the_hold_is_lifted),
		T(a_line_goes_on_when_only_the_hold_is_lifted),
		T(a_frame_on_a_line_outlives_the_rule_that_kept_its_order),
		T(a_mark_in_one_queue_is_not_seen_by_another_receiver),
		T(a_slow_queue_marks_before_a_flood_what_all_receivers_see),
		T(a_duplicate_and_a_replay_come_again_and_say_so),
		T(a_rate_of_a_state_keeps_the_links_order),
		T(what_is_on_its_way_when_a_state_cuts_the_link_is_lost),
		T(an_overflow_drops_one_that_waits_and_keeps_the_newcomer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
