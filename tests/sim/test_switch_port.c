/* SPDX-License-Identifier: MIT */
/* Set-up, and receivers that are full, absent or break; the limits of memory. */
#include "sim/wire.h"

#include <errno.h>

#include "plan/plan.h"

static const uint8_t *lent_expected;
static int lent_seen;

static int deliver_lent(void *ctx, uint32_t port, struct frame frame)
{
	(void)ctx;
	(void)port;
	assert_ptr_equal(frame.bytes, lent_expected);
	lent_seen++;
	return 0;
}

static void directions_are_named_after_the_link_and_its_nodes(void **state)
{
	struct wire w = wire_create(1);
	uint32_t a = sim_port(w.sim, "n1:eth1", 0), b = sim_port(w.sim, "n1:eth2", 0);
	uint32_t c = sim_port(w.sim, "n2:eth1", 1);
	uint32_t self = sim_link(w.sim, "loop", a, b);
	uint32_t lan = sim_segment(w.sim, "lan", 1),
		 join = sim_join(w.sim, "lan.n2", c, lan);

	(void)state;
	assert_string_equal(sw_link_direction_name(w.sim->sw, w.link, DIR_AB),
			    "backup n1->n2");
	assert_string_equal(sw_link_direction_name(w.sim->sw, w.link, DIR_BA),
			    "backup n2->n1");
	assert_string_equal(sw_link_direction_name(w.sim->sw, self, DIR_AB),
			    "loop n1:eth1->n1:eth2");
	assert_string_equal(sw_link_direction_name(w.sim->sw, join, DIR_AB),
			    "lan.n2 n2->lan");
	assert_string_equal(sw_link_direction_name(w.sim->sw, join, DIR_BA),
			    "lan.n2 lan->n2");
	sim_destroy(w.sim);
}

static void set_up_that_makes_no_sense_is_refused_with_a_reason(void **state)
{
	struct wire w = wire_create(1);
	struct sw *sw = w.sim->sw;
	struct sw_sink sink = { .deliver = deliver_lent };
	struct sw_config config = { .node_count = 1000000, .sink = &sink };
	uint32_t c = sim_port(w.sim, "n2:eth1", 1), id,
		 lan = sim_segment(w.sim, "lan", 1);
	struct why why = { "" };

	(void)state;
	assert_int_equal(sw_add_port(sw, "n3:eth0", 2, &id, &why), -EINVAL);
	assert_string_equal(why.text, "port n3:eth0: node 2 of 2");
	assert_int_equal(sw_link_ports(sw, "x", c, c, &id, &why), -EINVAL);
	assert_string_equal(why.text, "link x: both ends are n2:eth1");
	assert_int_equal(sw_link_ports(sw, "x", c, w.a, &id, &why), -EBUSY);
	assert_string_equal(why.text,
			    "link x: n1:eth0 is already an end of backup n1->n2");
	assert_int_equal(sw_link_segment(sw, "x", w.b, lan, &id, &why), -EBUSY);
	assert_string_equal(why.text,
			    "link x: n2:eth0 is already an end of backup n2->n1");
	assert_int_equal(sw_create(&sw, &config, &why), -EINVAL);
	sim_destroy(w.sim);
}

static void without_faults_a_frame_is_handed_on_at_once_and_not_copied(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_send(w.sim, w.a, w.b, 64);
	sim_send(w.sim, w.b, w.a, FRAME_BYTES_MAX);
	assert_int_equal(sw_pool_bytes(w.sim->sw), 0);
	assert_int_equal(sw_next_due_ns(w.sim->sw), UINT64_MAX);
	sim_said(w.sim, "[0] n2:eth0 got #0\n"
			"[0] n1:eth0 got #1\n");
	sim_destroy(w.sim);
}

static void the_receiver_is_lent_the_sender_s_own_bytes(void **state)
{
	static const struct sw_sink sink = { .deliver = deliver_lent };
	struct sw_config config = { .node_count = 2, .sink = &sink };
	uint8_t bytes[64] = { 0 };
	uint32_t a, b, link;
	struct sw *sw;

	(void)state;
	lent_expected = bytes;
	lent_seen = 0;
	assert_int_equal(sw_create(&sw, &config, NULL), 0);
	assert_int_equal(sw_add_port(sw, "a:0", 0, &a, NULL), 0);
	assert_int_equal(sw_add_port(sw, "b:0", 1, &b, NULL), 0);
	assert_int_equal(sw_link_ports(sw, "l", a, b, &link, NULL), 0);
	sw_port_up(sw, a, true);
	sw_port_up(sw, b, true);
	sw_port_frame(sw, a, (struct frame){ bytes, 64 }, 5);
	assert_int_equal(lent_seen, 1);
	sw_destroy(sw);
}

static void a_full_receiver_gets_its_frames_later_in_order(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.b, true);
	sim_room(w.sim, w.b, 1);
	for (int i = 0; i < 4; i++)
		sim_send(w.sim, w.a, w.b, 64);
	sim_said(w.sim, "[0] n2:eth0 got #0\n"
			"[0] n2:eth0 out #0\n"
			"[0] n2:eth0 full #1\n"); /* the others queue without asking */
	assert_int_equal(sw_port_count_out(w.sim->sw, w.b)->queued, 3);
	sim_until(w.sim, 5);
	sim_room(w.sim, w.b, 2);
	sim_send(w.sim, w.a, w.b, 64); /* does not overtake */
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	sim_said(w.sim, "[5] n2:eth0 got #1\n"
			"[5] n2:eth0 out #1\n"
			"[5] n2:eth0 got #2\n"
			"[5] n2:eth0 out #2\n"
			"[5] n2:eth0 full #3\n"
			"[5] n2:eth0 got #3\n"
			"[5] n2:eth0 out #3\n"
			"[5] n2:eth0 got #4\n"
			"[5] n2:eth0 out #4\n");
	assert_int_equal(sw_pool_bytes(w.sim->sw), 0);
	sim_destroy(w.sim);
}

static void a_backlog_is_limited_in_frames_and_in_bytes(void **state)
{
	struct wire w = wire_create(1);
	const struct sw_count *out = sw_port_count_out(w.sim->sw, w.b);

	(void)state;
	w.sim->quiet = true;
	sim_room(w.sim, w.b, 0);
	for (int i = 0; i < SW_BACKLOG_FRAMES_MAX + 3; i++)
		sim_send(w.sim, w.a, w.b, 64);
	assert_int_equal(out->queued, SW_BACKLOG_FRAMES_MAX);
	assert_int_equal(out->dropped[SW_DROP_FULL], 3);
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	sim_room(w.sim, w.b, 0);
	for (int i = 0; i < SW_BACKLOG_FRAMES_MAX; i++)
		sim_send(w.sim, w.a, w.b, 9000);
	assert_int_equal(out->queued, SW_BACKLOG_BYTES_MAX / 9000);
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	assert_int_equal(out->queued, 0);
	sim_destroy(w.sim);
}

static void frames_for_a_machine_that_is_not_there_are_dropped_and_shown(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sim_room(w.sim, w.b, 0);
	sim_send(w.sim, w.a, w.b, 64);
	sw_port_up(w.sim->sw, w.b, false);
	sim_send(w.sim, w.a, w.b, 64);
	sim_send(w.sim, w.b, w.a, 64);
	sw_port_up(w.sim->sw, w.b, true);
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	sim_send(w.sim, w.a, w.b, 64);
	sim_said(w.sim, "[0] n1:eth0 in #0 pass\n"
			"[0] n2:eth0 full #0\n"
			"[0] n1:eth0 in #0 no-port backup n1->n2/0\n"
			"[0] n1:eth0 in #1 pass\n"
			"[0] n1:eth0 in #1 no-port backup n1->n2/1\n"
			"[0] n1:eth0 in #3 pass\n"
			"[0] n2:eth0 got #3\n");
	assert_int_equal(sw_port_count_in(w.sim->sw, w.b)->dropped[SW_DROP_NO_PORT], 1);
	sim_destroy(w.sim);
}

static void a_port_may_go_down_while_it_is_being_served(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_room(w.sim, w.b, 0);
	for (int i = 0; i < 5; i++)
		sim_send(w.sim, w.a, w.b, 64);
	w.sim->down_in_deliver = -ENOTCONN;
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	assert_int_equal(w.sim->ports[w.b].got, 0);
	assert_int_equal(sw_port_count_out(w.sim->sw, w.b)->dropped[SW_DROP_NO_PORT], 5);
	assert_int_equal(sw_pool_bytes(w.sim->sw), 0);
	sw_port_up(w.sim->sw, w.b, true);
	w.sim->down_in_deliver = -EAGAIN; /* nobody will ever call it writable */
	sim_send(w.sim, w.a, w.b, 64);
	assert_int_equal(sw_port_count_out(w.sim->sw, w.b)->dropped[SW_DROP_NO_PORT], 6);
	assert_int_equal(sw_pool_bytes(w.sim->sw), 0);
	sim_destroy(w.sim);
}

static void frames_that_are_none_are_counted_and_dropped(void **state)
{
	struct wire w = wire_create(1);
	const struct sw_count *in = sw_port_count_in(w.sim->sw, w.a);
	uint8_t bytes[FRAME_BYTES_MAX + 1] = { 0 };
	uint32_t lonely = sim_port(w.sim, "n1:eth1", 0);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sw_port_frame(w.sim->sw, w.a, (struct frame){ bytes, 0 }, 0);
	sw_port_frame(w.sim->sw, w.a, (struct frame){ bytes, FRAME_BYTES_MIN - 1 }, 0);
	sw_port_frame(w.sim->sw, w.a, (struct frame){ bytes, FRAME_BYTES_MAX + 1 }, 0);
	assert_int_equal(in->frames, 3);
	assert_int_equal(in->dropped[SW_DROP_BAD_FRAME], 3);
	sim_said(w.sim, "[0] n1:eth0 in #0 bad-frame -/0\n"
			"[0] n1:eth0 in #0 bad-frame -/0\n"
			"[0] n1:eth0 in #0 bad-frame -/0\n");
	sim_check(w.sim);
	sim_send(w.sim, lonely, w.a, 64); /* is wired to nothing */
	assert_int_equal(sw_port_count_in(w.sim->sw, lonely)->dropped[SW_DROP_NO_PORT],
			 1);
	sim_destroy(w.sim);
}

static void a_guest_that_fills_its_slow_link_leaves_memory_for_others(void **state)
{
	struct sim *sim = sim_create(1, 4, 1 << 20);
	uint32_t a = sim_port(sim, "n1:eth0", 0), b = sim_port(sim, "n2:eth0", 1);
	uint32_t c = sim_port(sim, "n3:eth0", 2), d = sim_port(sim, "n4:eth0", 3);
	uint32_t greedy = sim_link(sim, "x", a, b), modest = sim_link(sim, "y", c, d);

	(void)state;
	sim->quiet = true;
	sim_fault(sim, greedy, DIR_AB, (struct fault_rule){ .delay_ns = 3600 * S });
	sim_fault(sim, modest, DIR_AB, (struct fault_rule){ .delay_ns = MS });
	for (int i = 0; i < 5000; i++)
		sim_send(sim, a, b, 1500);
	assert_true(sw_link_count(sim->sw, greedy, DIR_AB)->dropped[SW_DROP_POOL] > 4000);
	assert_in_range(sw_pool_bytes(sim->sw), (1 << 19) - 4096, (1 << 19) + 4096);
	for (int i = 0; i < 100; i++)
		sim_send(sim, c, d, 1500);
	sim_until(sim, S);
	assert_int_equal(sim->ports[d].got, 100);
	sim_until(sim, 4000 * S);
	assert_int_equal(sw_pool_bytes(sim->sw), 0);
	sim_destroy(sim);
}

static void a_switch_with_frames_under_way_is_destroyed_without_a_trace(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .rate_bps = 8 });
	for (int i = 0; i < 10; i++)
		sim_send(w.sim, w.a, w.b, 64);
	sim_room(w.sim, w.a, 0);
	for (int i = 0; i < 10; i++)
		sim_send(w.sim, w.b, w.a, 64);
	sim_destroy(w.sim); /* the sanitizer looks for leaks */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directions_are_named_after_the_link_and_its_nodes),
		cmocka_unit_test(set_up_that_makes_no_sense_is_refused_with_a_reason),
		cmocka_unit_test(
			without_faults_a_frame_is_handed_on_at_once_and_not_copied),
		cmocka_unit_test(the_receiver_is_lent_the_sender_s_own_bytes),
		cmocka_unit_test(a_full_receiver_gets_its_frames_later_in_order),
		cmocka_unit_test(a_backlog_is_limited_in_frames_and_in_bytes),
		cmocka_unit_test(
			frames_for_a_machine_that_is_not_there_are_dropped_and_shown),
		cmocka_unit_test(a_port_may_go_down_while_it_is_being_served),
		cmocka_unit_test(frames_that_are_none_are_counted_and_dropped),
		cmocka_unit_test(
			a_guest_that_fills_its_slow_link_leaves_memory_for_others),
		cmocka_unit_test(
			a_switch_with_frames_under_way_is_destroyed_without_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
