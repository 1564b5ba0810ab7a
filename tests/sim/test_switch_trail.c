/* SPDX-License-Identifier: MIT */
/* What a capture can tell of a frame: every decision on its way. */
#include "sim/wire.h"

#include <stdio.h>

#include "plan/plan.h"

static void a_delivered_frame_tells_its_queue_and_its_delay(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.b, true);
	sim_fault(w.sim, w.link, DIR_AB,
		  (struct fault_rule){ .delay_ns = 5 * MS, .rate_bps = 800000 });
	sim_send(w.sim, w.a, w.b, 100);
	sim_send(w.sim, w.a, w.b, 100);
	sim_until(w.sim, S);
	assert_string_equal(w.sim->trail,
			    "backup n1->n2 #1: queue 1 of 1000; waited 2ms for "
			    "the line; delayed 5ms");
	sim_destroy(w.sim);
}

static void each_branch_of_a_flood_tells_its_own_way(void **state)
{
	struct sim *sim = sim_create(1, 3, POOL);
	uint32_t lan = sim_segment(sim, "lan", 300 * S), port[3], link[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u:eth0", i + 1);
		port[i] = sim_port(sim, name, i);
		link[i] = sim_join(sim, name, port[i], lan);
	}
	sim_fault(sim, link[0], DIR_AB, (struct fault_rule){ .delay_ns = 1 * MS });
	sim_fault(sim, link[1], DIR_BA, (struct fault_rule){ .delay_ns = 2 * MS });
	sim_fault(sim, link[2], DIR_BA,
		  (struct fault_rule){ .loss.p_ppb = FAULT_PPB_ALL });
	sw_port_tap(sim->sw, port[0], true);
	sw_port_tap(sim->sw, port[1], true);
	sim_send(sim, port[0], SIM_BROADCAST, 64);
	sim_until(sim, 2 * MS);
	assert_string_equal(sim->trail,
			    "n1:eth0 n1->lan #0: delayed 1ms | n3:eth0 lan->n3 "
			    "#0: lost: random");
	sim_until(sim, S);
	assert_string_equal(sim->trail,
			    "n1:eth0 n1->lan #0: delayed 1ms | n2:eth0 lan->n2 "
			    "#0: delayed 2ms");
	sim_destroy(sim);
}

static void a_frame_that_waits_at_a_full_port_keeps_what_it_had_to_tell(void **state)
{
	struct wire w = wire_create(1);

	(void)state;
	sw_port_tap(w.sim->sw, w.a, true);
	sim_fault(w.sim, w.link, DIR_AB, (struct fault_rule){ .delay_ns = 1 * MS });
	sim_room(w.sim, w.b, 0);
	sim_send(w.sim, w.a, w.b, 64);
	sim_until(w.sim, 2 * MS);
	sim_send(w.sim, w.b, w.a, 64); /* something else is told in between */
	sw_cut(w.sim->sw, 0, 1, true);
	sim_room(w.sim, w.b, SIM_ROOM_ENDLESS);
	assert_string_equal(w.sim->trail,
			    "backup n1->n2 #0: delayed 1ms; cut: partition");
	sim_destroy(w.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivered_frame_tells_its_queue_and_its_delay),
		cmocka_unit_test(each_branch_of_a_flood_tells_its_own_way),
		cmocka_unit_test(
			a_frame_that_waits_at_a_full_port_keeps_what_it_had_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
