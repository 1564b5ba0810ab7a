/* SPDX-License-Identifier: MIT */
/* LANs: learning, flooding, partitions, pairs. */
#include "sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan/plan.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

#define POOL   (UINT64_C(64) << 20)
#define AGEING (300 * S)

struct lan {
	struct sim *sim;
	uint32_t segment, ports[8], links[8];
};

/* Nodes n1 ... on one LAN. */
static struct lan lan_create(unsigned members)
{
	struct lan l = { .sim = sim_create(5, 8, POOL) };

	l.segment = sim_segment(l.sim, "lan", AGEING);
	for (unsigned i = 0; i < members; i++) {
		char port[16], link[16];

		snprintf(port, sizeof(port), "n%u:eth0", i + 1);
		snprintf(link, sizeof(link), "lan.n%u", i + 1);
		l.ports[i] = sim_port(l.sim, port, i);
		l.links[i] = sim_join(l.sim, link, l.ports[i], l.segment);
	}
	return l;
}

/* Everybody is heard once, so everybody is known. */
static void introduce(struct lan *l, unsigned members)
{
	for (unsigned i = 0; i < members; i++)
		sim_send(l->sim, l->ports[i], SIM_BROADCAST, 64);
	l->sim->said[l->sim->said_bytes = 0] = '\0';
}

static void an_unknown_address_is_flooded_and_a_known_one_is_not(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	sim_send(l.sim, l.ports[0], l.ports[1], 64); /* n2 is unknown, n1 no more */
	sim_send(l.sim, l.ports[1], l.ports[0], 64);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_said(l.sim, "[0] n2:eth0 got #0\n"
			"[0] n3:eth0 got #0\n"
			"[0] n1:eth0 got #1\n"
			"[0] n2:eth0 got #2\n");
	sim_destroy(l.sim);
}

static void a_broadcast_reaches_all_but_its_sender(void **state)
{
	struct lan l = lan_create(4);
	struct lan other = { .segment = sim_segment(l.sim, "other", AGEING) };

	(void)state;
	other.ports[0] = sim_port(l.sim, "n5:eth0", 4);
	sim_join(l.sim, "other.n5", other.ports[0], other.segment);
	sim_send(l.sim, l.ports[2], SIM_BROADCAST, 64);
	sim_said(l.sim, "[0] n1:eth0 got #0\n"
			"[0] n2:eth0 got #0\n"
			"[0] n4:eth0 got #0\n");
	sim_destroy(l.sim);
}

static void
an_address_is_forgotten_when_it_was_not_heard_for_the_ageing_time(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	introduce(&l, 3);
	sim_until(l.sim, AGEING - 1);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_until(l.sim, AGEING);
	sim_send(l.sim, l.ports[2], l.ports[1], 64);
	sim_send(l.sim, l.ports[1], l.ports[0], 64); /* n1 was heard since */
	sim_said(l.sim, "[299999999999] n2:eth0 got #3\n"
			"[300000000000] n1:eth0 got #4\n"
			"[300000000000] n2:eth0 got #4\n"
			"[300000000000] n1:eth0 got #5\n");
	sim_destroy(l.sim);
}

static void with_an_ageing_of_nothing_a_segment_is_a_hub(void **state)
{
	struct sim *sim = sim_create(1, 3, POOL);
	uint32_t hub = sim_segment(sim, "hub", 0), p[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u:eth0", i + 1);
		p[i] = sim_port(sim, name, i);
		sim_join(sim, name, p[i], hub);
	}
	sim_send(sim, p[0], p[1], 64);
	sim_send(sim, p[1], p[0], 64);
	sim_said(sim, "[0] n2:eth0 got #0\n"
		      "[0] n3:eth0 got #0\n"
		      "[0] n1:eth0 got #1\n"
		      "[0] n3:eth0 got #1\n");
	sim_destroy(sim);
}

static void a_machine_that_moves_takes_its_address_along(void **state)
{
	struct lan l = lan_create(3);
	uint64_t mac = UINT64_C(0x020000000000) + l.ports[1];

	(void)state;
	introduce(&l, 3);
	sim_send_as(l.sim, l.ports[2], mac, SIM_NOBODY, 64);
	l.sim->said[l.sim->said_bytes = 0] = '\0';
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_said(l.sim, "[0] n3:eth0 got #4\n");
	sim_destroy(l.sim);
}

static void what_a_machine_that_left_had_been_heard_of_is_forgotten(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	introduce(&l, 3);
	sw_port_up(l.sim->sw, l.ports[1], false);
	sw_port_up(l.sim->sw, l.ports[1], true);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_said(l.sim, "[0] n2:eth0 got #3\n"
			"[0] n3:eth0 got #3\n");
	sim_destroy(l.sim);
}

static void a_frame_that_outlives_its_sender_teaches_nothing(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	introduce(&l, 3);
	sim_fault(l.sim, l.links[0], DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sw_port_up(l.sim->sw, l.ports[0], false);
	sim_until(l.sim, MS);
	sim_send(l.sim, l.ports[1], l.ports[0], 64);
	sim_said(l.sim, "[1000000] n2:eth0 got #3\n"
			"[1000000] n3:eth0 got #4\n"); /* flooded: n1 is not known */
	sim_destroy(l.sim);
}

static void a_tap_sees_a_frame_enter_once_however_long_its_way(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	sw_port_tap(l.sim->sw, l.ports[0], true);
	sim_fault(l.sim, l.links[0], DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_fault(l.sim, l.links[1], DIR_BA, (struct fault_rule){ .delay_ns = MS });
	sim_send(l.sim, l.ports[0], SIM_BROADCAST, 64);
	sim_until(l.sim, S);
	sim_said(l.sim, "[0] n1:eth0 in #0 pass\n"
			"[1000000] n3:eth0 got #0\n"
			"[2000000] n2:eth0 got #0\n");
	sim_destroy(l.sim);
}

static void a_frame_to_its_own_sender_goes_nowhere(void **state)
{
	struct lan l = lan_create(2);

	(void)state;
	introduce(&l, 2);
	sim_send(l.sim, l.ports[0], l.ports[0], 64);
	sim_said(l.sim, "");
	sim_destroy(l.sim);
}

static void a_group_address_as_sender_is_not_learnt(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	introduce(&l, 3);
	l.sim->quiet = true;
	for (uint64_t i = 0; i < 1000; i++) /* they take nobody's place either */
		sim_send_as(l.sim, l.ports[0], UINT64_C(0x010000000000) + i, l.ports[1],
			    64);
	l.sim->quiet = false;
	sim_send(l.sim, l.ports[1], l.ports[0], 64);
	sim_said(l.sim, "[0] n1:eth0 got #1003\n");
	sim_destroy(l.sim);
}

static void a_flood_of_addresses_costs_its_sender_only(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	introduce(&l, 3);
	l.sim->quiet = true;
	for (uint64_t i = 0; i < 100000; i++)
		sim_send_as(l.sim, l.ports[2], UINT64_C(0x0a0000000000) + i, l.ports[1],
			    64);
	l.sim->quiet = false;
	sim_send(l.sim, l.ports[0], l.ports[1], 64); /* still known */
	sim_said(l.sim, "[0] n2:eth0 got #100003\n");
	sim_send(l.sim, l.ports[0], l.ports[2], 64); /* its own address is pushed out */
	sim_said(l.sim, "[0] n2:eth0 got #100004\n"
			"[0] n3:eth0 got #100004\n");
	sim_destroy(l.sim);
}

static void a_partition_holds_on_a_lan_for_floods_and_known_receivers(void **state)
{
	struct lan l = lan_create(3);

	(void)state;
	introduce(&l, 3);
	sw_port_tap(l.sim->sw, l.ports[0], true);
	sw_cut(l.sim->sw, 0, 1, true);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_send(l.sim, l.ports[0], SIM_BROADCAST, 64);
	sim_send(l.sim, l.ports[1], l.ports[0], 64); /* one way only */
	sim_said(l.sim, "[0] n1:eth0 in #3 pass\n"
			"[0] n1:eth0 in #3 cut lan.n2 lan->n2/2\n"
			"[0] n1:eth0 in #4 pass\n"
			"[0] n1:eth0 in #4 cut lan.n2 lan->n2/3\n"
			"[0] n3:eth0 got #4\n"
			"[0] n1:eth0 got #5\n"
			"[0] n1:eth0 out #5\n");
	sim_destroy(l.sim);
}

static void a_flood_shares_one_copy_and_meets_each_member_s_own_fault(void **state)
{
	struct lan l = lan_create(4);
	uint64_t one;

	(void)state;
	sim_fault(l.sim, l.links[0], DIR_AB, (struct fault_rule){ .delay_ns = MS });
	sim_send(l.sim, l.ports[0], SIM_BROADCAST, 9000);
	one = sw_pool_bytes(l.sim->sw);
	for (int i = 1; i < 4; i++)
		sim_fault(l.sim, l.links[i], DIR_BA,
			  (struct fault_rule){ .delay_ns = (uint64_t)(4 - i) * MS });
	sim_until(l.sim, MS);
	assert_in_range(sw_pool_bytes(l.sim->sw), one, one + 9000);
	sim_until(l.sim, S);
	sim_said(l.sim, "[2000000] n4:eth0 got #0\n"
			"[3000000] n3:eth0 got #0\n"
			"[4000000] n2:eth0 got #0\n");
	assert_int_equal(sw_pool_bytes(l.sim->sw), 0);
	sim_destroy(l.sim);
}

static void a_pair_has_its_own_fault_and_nobody_else_notices(void **state)
{
	struct lan l = lan_create(3);
	struct fault_rule slow = { .delay_ns = 5 * MS }, none = { 0 };
	struct sw *sw = l.sim->sw;

	(void)state;
	introduce(&l, 3);
	assert_null(sw_pair_get(sw, l.segment, l.ports[0], l.ports[1]));
	assert_int_equal(sim_pair(l.sim, l.segment, l.ports[0], l.ports[1], slow), 0);
	assert_int_equal(
		sw_pair_get(sw, l.segment, l.ports[0], l.ports[1])->rule[0].delay_ns,
		5 * MS);
	assert_null(sw_pair_get(sw, l.segment, l.ports[1], l.ports[0]));
	sim_send(l.sim, l.ports[0], SIM_BROADCAST, 64);
	sim_send(l.sim, l.ports[2], l.ports[1], 64);
	sim_send(l.sim, l.ports[1], l.ports[0], 64);
	/* Taken away while its frame is under way. */
	assert_int_equal(sim_pair(l.sim, l.segment, l.ports[0], l.ports[1], none), 0);
	assert_null(sw_pair_get(sw, l.segment, l.ports[0], l.ports[1]));
	/* Another one is in force all the same. */
	assert_int_equal(sim_pair(l.sim, l.segment, l.ports[2], l.ports[1], slow), 0);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_until(l.sim, S);
	sim_said(l.sim, "[0] n3:eth0 got #3\n"
			"[0] n2:eth0 got #4\n"
			"[0] n1:eth0 got #5\n"
			"[0] n2:eth0 got #6\n"
			"[5000000] n2:eth0 got #3\n");
	assert_int_equal(sw_pair_count(sw, l.segment, l.ports[0], l.ports[1])->frames, 1);
	assert_int_equal(sw_pair_count(sw, l.segment, l.ports[0], l.ports[1])->passed, 1);
	assert_null(sw_pair_count(sw, l.segment, l.ports[1], l.ports[2]));
	sim_destroy(l.sim);
}

static void pairs_that_make_no_sense_are_refused_with_a_reason(void **state)
{
	struct lan l = lan_create(2);
	uint32_t alone = sim_port(l.sim, "n3:eth0", 2);
	struct fault_rule slow = { .delay_ns = 5 * MS };
	struct fault_spec *spec = fault_spec_of(&slow);
	struct why why = { "" };

	(void)state;
	assert_int_equal(
		sw_pair_set(l.sim->sw, l.segment, l.ports[0], l.ports[0], spec, 0, &why),
		-EINVAL);
	assert_string_equal(why.text, "lan: a frame from n1:eth0 never comes back to it");
	assert_int_equal(
		sw_pair_set(l.sim->sw, l.segment, l.ports[0], alone, spec, 0, &why),
		-EINVAL);
	assert_string_equal(why.text, "n3:eth0 is not a member of the network lan");
	fault_spec_free(spec);
	sim_destroy(l.sim);
}

static void a_pair_is_cut_before_and_behind_its_delay(void **state)
{
	struct lan l = lan_create(2);
	struct fault_rule slow = { .delay_ns = 5 * MS };

	(void)state;
	introduce(&l, 2);
	sw_port_tap(l.sim->sw, l.ports[0], true);
	sim_pair(l.sim, l.segment, l.ports[0], l.ports[1], slow);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sw_cut(l.sim->sw, 0, 1, true);
	sim_send(l.sim, l.ports[0], l.ports[1], 64);
	sim_until(l.sim, S);
	sim_said(l.sim, "[0] n1:eth0 in #2 pass\n"
			"[0] n1:eth0 in #3 pass\n"
			"[0] n1:eth0 in #3 cut lan n1:eth0->n2:eth0/1\n"
			"[5000000] n1:eth0 in #2 cut lan n1:eth0->n2:eth0/0\n");
	sim_destroy(l.sim);
}

static void a_member_that_goes_down_during_a_flood_disturbs_nobody(void **state)
{
	struct lan l = lan_create(4);

	(void)state;
	introduce(&l, 4);
	sim_room(l.sim, l.ports[1], 0);
	sim_send(l.sim, l.ports[0], l.ports[1], 64); /* waits */
	sw_port_up(l.sim->sw, l.ports[1], true);
	l.sim->said[l.sim->said_bytes = 0] = '\0';
	l.sim->down_in_deliver = -ENOTCONN; /* n3, the next that is served */
	sim_send(l.sim, l.ports[0], SIM_BROADCAST, 64);
	sim_said(l.sim, "[0] n4:eth0 got #5\n");
	assert_int_equal(
		sw_port_count_out(l.sim->sw, l.ports[2])->dropped[SW_DROP_NO_PORT], 1);
	assert_int_equal(sw_port_count_out(l.sim->sw, l.ports[1])->queued, 2);
	sim_destroy(l.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_address_is_flooded_and_a_known_one_is_not),
		cmocka_unit_test(a_broadcast_reaches_all_but_its_sender),
		cmocka_unit_test(
			an_address_is_forgotten_when_it_was_not_heard_for_the_ageing_time),
		cmocka_unit_test(with_an_ageing_of_nothing_a_segment_is_a_hub),
		cmocka_unit_test(a_machine_that_moves_takes_its_address_along),
		cmocka_unit_test(what_a_machine_that_left_had_been_heard_of_is_forgotten),
		cmocka_unit_test(a_frame_that_outlives_its_sender_teaches_nothing),
		cmocka_unit_test(a_tap_sees_a_frame_enter_once_however_long_its_way),
		cmocka_unit_test(a_frame_to_its_own_sender_goes_nowhere),
		cmocka_unit_test(a_group_address_as_sender_is_not_learnt),
		cmocka_unit_test(a_flood_of_addresses_costs_its_sender_only),
		cmocka_unit_test(
			a_partition_holds_on_a_lan_for_floods_and_known_receivers),
		cmocka_unit_test(
			a_flood_shares_one_copy_and_meets_each_member_s_own_fault),
		cmocka_unit_test(a_pair_has_its_own_fault_and_nobody_else_notices),
		cmocka_unit_test(pairs_that_make_no_sense_are_refused_with_a_reason),
		cmocka_unit_test(a_pair_is_cut_before_and_behind_its_delay),
		cmocka_unit_test(a_member_that_goes_down_during_a_flood_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
