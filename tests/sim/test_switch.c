/* SPDX-License-Identifier: MIT */
/* Point to point: what faults and partitions do to frames. */
#include "sim/wire.h"

#include <string.h>

#include "plan/plan.h"

static void a_delayed_frame_arrives_at_its_time_and_not_before(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = 50 * MS });
	sim_until(w.sim, 7);
	sim_send(w.sim, w.a, w.b, 64);
	sim_send(w.sim, w.b, w.a, 64); /* the other way has no delay */
	assert_int_equal(sw_next_due_ns(w.sim->sw), 50 * MS + 7);
	sim_until(w.sim, 50 * MS + 6);
	sim_said(w.sim, "[7] n1:eth0 got #1\n");
	sim_until(w.sim, S);
	sim_said(w.sim, "[50000007] n2:eth0 got #0\n");
	assert_int_equal(sw_pool_bytes(w.sim->sw), 0);
	sim_destroy(w.sim);
}

/* Draws: tests/unit/test_draw.c.  A tap on n1 shows what it lost. */
static void a_lossy_jittery_link_has_the_transcript_of_its_seed(void **state)
{
	struct wire w = wire_create(7);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sw_port_tap(w.sim->sw, w.b, true);
	sim_fault(w.sim, w.link, DIR_AB,
		  (struct fault_rule){ .loss.p_ppb = 300000 * FAULT_PPM,
				       .delay_ns = 5 * US,
				       .jitter_ns = 3 * US });
	for (uint64_t n = 0; n < 6; n++) {
		sim_until(w.sim, n * US);
		sim_send(w.sim, w.a, w.b, 64);
	}
	sim_until(w.sim, S);
	sim_said(w.sim, "[0] n1:eth0 in #0 pass\n"
			"[1000] n1:eth0 in #1 pass\n"
			"[2000] n1:eth0 in #2 loss backup n1->n2/2\n"
			"[3000] n1:eth0 in #3 pass\n"
			"[3506] n2:eth0 got #1\n"
			"[3506] n2:eth0 out #1\n"
			"[4000] n1:eth0 in #4 loss backup n1->n2/4\n"
			"[5000] n1:eth0 in #5 pass\n"
			"[5583] n2:eth0 got #3\n"
			"[5583] n2:eth0 out #3\n"
			"[7609] n2:eth0 got #0\n"
			"[7609] n2:eth0 out #0\n"
			"[8843] n2:eth0 got #5\n"
			"[8843] n2:eth0 out #5\n");
	sim_destroy(w.sim);
}

static void the_first_frame_through_two_delays_is_exactly_their_sum(void **state)
{
	struct sim *sim = sim_create(1, 2, POOL);
	uint32_t a = sim_port(sim, "n1:eth0", 0), b = sim_port(sim, "n2:eth0", 1);
	uint32_t lan = sim_segment(sim, "lan", 300 * S);
	uint32_t la = sim_join(sim, "lan.n1", a, lan),
		 lb = sim_join(sim, "lan.n2", b, lan);

	(void)state;
	sim_fault(sim, la, DIR_AB, (struct fault_rule){ .delay_ns = 3 * MS });
	sim_fault(sim, lb, DIR_BA, (struct fault_rule){ .delay_ns = 4 * MS });
	sim_send(sim, a, b, 64);
	/* Nobody looks for a while: the frame still left the segment at 3 ms. */
	sim_until_late(sim, 5 * MS);
	assert_int_equal(sw_next_due_ns(sim->sw), 7 * MS);
	sim_until(sim, 7 * MS);
	sim_said(sim, "[7000000] n2:eth0 got #0\n");
	sim_destroy(sim);
}

static void frames_due_at_the_same_time_leave_in_the_order_they_came(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_fault(w.sim, w.link, DIR_BA, (struct fault_rule){ .delay_ns = MS });
	for (int i = 0; i < 4; i++)
		sim_send(w.sim, i % 2 ? w.b : w.a, i % 2 ? w.a : w.b, 64);
	sim_until(w.sim, MS);
	sim_said(w.sim, "[1000000] n2:eth0 got #0\n"
			"[1000000] n1:eth0 got #1\n"
			"[1000000] n2:eth0 got #2\n"
			"[1000000] n1:eth0 got #3\n");
	sim_destroy(w.sim);
}

static void what_is_due_arrives_before_a_frame_that_comes_later(void **state)
{
	struct wire w = wire_create(1);
	uint8_t bytes[64] = { 0 };

	(void)state;
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_send(w.sim, w.a, w.b, 64);
	/* The shell is late: a frame comes in before it has called sw_advance(). */
	memset(bytes + 14, 0, 4);
	sw_port_frame(w.sim->sw, w.a, (struct frame){ bytes, 5 }, 2 * MS);
	assert_int_equal(w.sim->ports[w.b].got, 1);
	sim_destroy(w.sim);
}

static uint64_t first_got_ns, last_got_ns;

static void note_time(struct sim *sim, uint32_t port, uint32_t frame)
{
	(void)port;
	if (!frame)
		first_got_ns = sim_now(sim);
	last_got_ns = sim_now(sim);
}

static void ten_megabit_are_met_within_a_tenth_of_a_percent(void **state)
{
	enum { FRAMES = 20000, SIZE = 1514 };
	struct wire w = wire_create(1);
	uint64_t bits = UINT64_C(8) * SIZE * (FRAMES - 1), rate;

	(void)state;
	w.sim->quiet = true;
	w.sim->got = note_time;
	sim_fault(w.sim, w.link, DIR_AB,
		  (struct fault_rule){ .rate_bps = 10000000, .delay_ns = 3 * MS });
	for (uint64_t n = 0; n < FRAMES; n++) {
		sim_until(w.sim, n * MS); /* 12 Mbit/s are offered */
		sim_send(w.sim, w.a, w.b, SIZE);
	}
	sim_until(w.sim, 100 * S);
	assert_int_equal(
		sw_link_count(w.sim->sw, w.link, DIR_AB)->passed +
			sw_link_count(w.sim->sw, w.link, DIR_AB)->dropped[SW_DROP_LIMIT],
		FRAMES);
	assert_true(w.sim->ports[w.b].got > FRAMES * 8 / 10);
	bits = 8 * SIZE * (w.sim->ports[w.b].got - 1);
	rate = bits * S / (last_got_ns - first_got_ns);
	assert_in_range(rate, 10000000 - 10000, 10000000 + 10000);
	sim_destroy(w.sim);
}

static void the_queue_of_a_slow_link_has_its_limit(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sim_fault(w.sim, w.link, DIR_AB,
		  (struct fault_rule){ .rate_bps = 8000000, .limit_frames = 2 });
	for (int i = 0; i < 3; i++)
		sim_send(w.sim, w.a, w.b, 1000);
	sim_until(w.sim, MS); /* the first has left the line */
	sim_send(w.sim, w.a, w.b, 1000);
	sim_until(w.sim, S);
	sim_said(w.sim, "[0] n1:eth0 in #0 pass\n"
			"[0] n1:eth0 in #1 pass\n"
			"[0] n1:eth0 in #2 limit backup n1->n2/2\n"
			"[1000000] n2:eth0 got #0\n"
			"[1000000] n1:eth0 in #3 pass\n"
			"[2000000] n2:eth0 got #1\n"
			"[3000000] n2:eth0 got #3\n");
	sim_destroy(w.sim);
}

static void a_long_delay_does_not_fill_the_queue_of_the_line(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	w.sim->quiet = true;
	sim_fault(w.sim, w.link, DIR_AB,
		  (struct fault_rule){
			  .rate_bps = 8000000, .limit_frames = 2, .delay_ns = S });
	for (uint64_t n = 0; n < 500; n++) {
		sim_until(w.sim, n * MS);
		sim_send(w.sim, w.a, w.b, 1000);
	}
	assert_int_equal(sw_link_count(w.sim->sw, w.link, DIR_AB)->queued, 500);
	sim_until(w.sim, 2 * S);
	assert_int_equal(w.sim->ports[w.b].got, 500);
	sim_destroy(w.sim);
}

static void a_changed_rate_is_for_what_waits_behind_the_frame_being_sent(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .rate_bps = 8 });
	sim_send(w.sim, w.a, w.b, 100); /* 100 s */
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .rate_bps = 8000000 });
	sim_send(w.sim, w.a, w.b, 100);	 /* 100 us */
	sim_fault(w.sim, w.link, DIR_AB, /* the line goes on */
		  (struct fault_rule){ .rate_bps = 8000000, .delay_ns = 1 });
	sim_send(w.sim, w.a, w.b, 100);
	sim_until(w.sim, 200 * S);
	sim_said(w.sim, "[100000000000] n2:eth0 got #0\n"
			"[100000100000] n2:eth0 got #1\n"
			"[100000200001] n2:eth0 got #2\n");
	sim_destroy(w.sim);
}

static void a_link_that_is_down_loses_what_comes_and_what_is_on_it(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_send(w.sim, w.a, w.b, 64);
	sim_fault(w.sim, w.link, DIR_AB,
		  (struct fault_rule){ .down = true, .delay_ns = MS });
	sim_send(w.sim, w.a, w.b, 64);
	sim_send(w.sim, w.b, w.a, 64); /* one way only */
	sim_until(w.sim, S);
	sim_said(w.sim, "[0] n1:eth0 in #0 pass\n"
			"[0] n1:eth0 in #1 down backup n1->n2/1\n"
			"[0] n1:eth0 got #2\n"
			"[0] n1:eth0 out #2\n"
			"[1000000] n1:eth0 in #0 down backup n1->n2/0\n");
	sim_destroy(w.sim);
}

static void a_fault_does_not_reach_back_to_what_was_due_before_it(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_send(w.sim, w.a, w.b, 64);
	sim_stall(w.sim, 2 * MS); /* the shell is late */
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .down = true });
	sim_said(w.sim, "[2000000] n2:eth0 got #0\n");
	sim_destroy(w.sim);
}

static void a_partition_loses_what_comes_what_is_under_way_and_what_waits(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sim_room(w.sim, w.b, 0);
	sim_send(w.sim, w.a, w.b, 64); /* waits in n2's backlog */
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_send(w.sim, w.a, w.b, 64); /* is under way */
	sw_cut(w.sim->sw, 0, 1, true);
	assert_true(sw_is_cut(w.sim->sw, 0, 1));
	assert_false(sw_is_cut(w.sim->sw, 1, 0));
	sim_send(w.sim, w.a, w.b, 64);
	sim_send(w.sim, w.b, w.a, 64);
	sim_until(w.sim, 2 * MS);
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	sw_heal(w.sim->sw);
	sim_send(w.sim, w.a, w.b, 64);
	sim_until(w.sim, S);
	sim_said(w.sim, "[0] n1:eth0 in #0 pass\n"
			"[0] n2:eth0 full #0\n"
			"[0] n1:eth0 in #1 pass\n"
			"[0] n1:eth0 in #2 cut backup n1->n2/2\n"
			"[0] n1:eth0 got #3\n"
			"[0] n1:eth0 out #3\n"
			"[1000000] n1:eth0 in #1 cut backup n1->n2/1\n"
			"[2000000] n1:eth0 in #0 cut backup n1->n2/0\n"
			"[2000000] n1:eth0 in #4 pass\n"
			"[3000000] n2:eth0 got #4\n");
	sim_destroy(w.sim);
}

/* Which of 100,000 frames are lost, one bit each. */
static unsigned lost_set(uint64_t seed, bool more_links, bool other_fault,
			 uint8_t set[100000 / 8])
{
	struct sim *sim = sim_create(seed, 4, POOL);
	uint32_t c = 0, d = 0, a, b, link, other = 0;
	unsigned lost = 0;

	sim->quiet = true;
	if (more_links) {
		c = sim_port(sim, "n3:eth0", 2);
		d = sim_port(sim, "n4:eth0", 3);
		other = sim_link(sim, "another", c, d);
	}
	a = sim_port(sim, "n1:eth0", 0);
	b = sim_port(sim, "n2:eth0", 1);
	link = sim_link(sim, "backup", a, b);
	sim_fault(sim, link, DIR_AB,
		  (struct fault_rule){ .loss.p_ppb = 100000 * FAULT_PPM });
	if (other_fault) {
		sim_fault(sim, other, DIR_AB,
			  (struct fault_rule){ .loss.p_ppb = 500000 * FAULT_PPM });
		sim_fault(sim, link, DIR_BA,
			  (struct fault_rule){ .loss.p_ppb = 500000 * FAULT_PPM });
	}
	memset(set, 0, 100000 / 8);
	for (uint32_t n = 0; n < 100000; n++) {
		uint64_t got = sim->ports[b].got;

		if (other_fault && n % 8 == 0) {
			sim_send(sim, c, d, 64);
			sim_send(sim, b, a, 64);
		}
		sim_send(sim, a, b, 64);
		if (sim->ports[b].got == got) {
			set[n / 8] |= (uint8_t)(1 << n % 8);
			lost++;
		}
	}
	sim_destroy(sim);
	return lost;
}

static void the_same_seed_loses_the_same_frames_whatever_else_there_is(void **state)
{
	static uint8_t set[4][100000 / 8];
	unsigned lost[4];

	(void)state;
	lost[0] = lost_set(3, false, false, set[0]);
	lost[1] = lost_set(3, true, false, set[1]);
	lost[2] = lost_set(3, true, true, set[2]);
	lost[3] = lost_set(4, false, false, set[3]);
	assert_in_range(lost[0], 10000 - 312, 10000 + 312); /* 99.9 % */
	assert_in_range(lost[3], 10000 - 312, 10000 + 312);
	assert_memory_equal(set[0], set[1], sizeof(set[0]));
	assert_memory_equal(set[0], set[2], sizeof(set[0]));
	assert_memory_not_equal(set[0], set[3], sizeof(set[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delayed_frame_arrives_at_its_time_and_not_before),
		cmocka_unit_test(a_lossy_jittery_link_has_the_transcript_of_its_seed),
		cmocka_unit_test(the_first_frame_through_two_delays_is_exactly_their_sum),
		cmocka_unit_test(
			frames_due_at_the_same_time_leave_in_the_order_they_came),
		cmocka_unit_test(what_is_due_arrives_before_a_frame_that_comes_later),
		cmocka_unit_test(ten_megabit_are_met_within_a_tenth_of_a_percent),
		cmocka_unit_test(the_queue_of_a_slow_link_has_its_limit),
		cmocka_unit_test(a_long_delay_does_not_fill_the_queue_of_the_line),
		cmocka_unit_test(
			a_changed_rate_is_for_what_waits_behind_the_frame_being_sent),
		cmocka_unit_test(a_link_that_is_down_loses_what_comes_and_what_is_on_it),
		cmocka_unit_test(a_fault_does_not_reach_back_to_what_was_due_before_it),
		cmocka_unit_test(
			a_partition_loses_what_comes_what_is_under_way_and_what_waits),
		cmocka_unit_test(
			the_same_seed_loses_the_same_frames_whatever_else_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
