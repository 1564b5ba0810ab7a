/* SPDX-License-Identifier: MIT */
/* A network card for which there is no memory, descriptor or mapping: it costs that card
 * its guest, with a reason, and nobody else anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/failing.h"
#include "lib/vnet_rig.h"

enum { ROUNDS_MAX = 2000 };

static struct rig rig;
static struct port well, poor;
static enum failing_kind kind;
static unsigned left; /* calls of the device until one fails; 0: it has */

/* Only what the device does fails, not what the fake guest does in the same process. */
static void pump_failing(void *ctx)
{
	struct port *port = ctx;

	if (left) {
		failing_arm(kind, left);
		rig_turn(port->rig, 1);
		left = failing_disarm() ? 0 : failing_left();
	} else {
		rig_turn(port->rig, 1);
	}
}

/* The one that went well still has its frames taken. */
static void assert_well(void)
{
	uint8_t frame[60] = { 1 };
	unsigned before = well.frames;

	assert_int_equal(well.deaths, 0);
	assert_true(fake_net_send(well.guest, frame, sizeof(frame), 0));
	fake_kick_if_wanted(well.guest, 1);
	rig_turn(&rig, 2);
	assert_int_equal(well.frames, before + 1);
}

/* Returns whether there was an n-th call. */
static bool try_one(enum fake_style style, unsigned n)
{
	struct fake_options options = { .rings = 2 };
	bool up;

	rig_begin(&rig);
	port_create(&well, &rig, "well");
	port_boot(&well, style, options);
	port_create(&poor, &rig, "poor");
	port_connect(&poor, options);
	left = n;
	poor.guest->options.pump = pump_failing;
	up = fake_handshake(poor.guest, style) == 0;
	pump_failing(&poor);
	poor.guest->options.pump = NULL;
	rig_turn(&rig, 2);
	up = up && poor.deaths == 0;
	if (up)
		assert_int_equal(poor.ups, 1);
	else if (left || poor.deaths != 1 || !poor.why[0])
		fail_msg("%s %u: deaths %u, \"%s\"", failing_kind_name(kind), n,
			 poor.deaths, poor.why);
	assert_well();
	port_destroy(&poor);
	port_destroy(&well);
	rig_end(&rig);
	return left == 0;
}

static void sweep(enum failing_kind which)
{
	unsigned n = 1;

	kind = which;
	for (int style = FAKE_UML; style <= FAKE_QEMU; style++) {
		while (try_one((enum fake_style)style, n) && n < ROUNDS_MAX)
			n++;
		assert_true(n > 1 && n < ROUNDS_MAX);
		n = 1;
	}
}

static void a_card_without_memory_costs_its_guest_only(void **state)
{
	(void)state;
	sweep(FAILING_MEMORY);
}

static void a_card_without_a_mapping_costs_its_guest_only(void **state)
{
	(void)state;
	sweep(FAILING_MAPS);
}

static void a_card_without_descriptors_costs_its_guest_only(void **state)
{
	(void)state;
	sweep(FAILING_FILES);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_without_memory_costs_its_guest_only),
		cmocka_unit_test(a_card_without_a_mapping_costs_its_guest_only),
		cmocka_unit_test(a_card_without_descriptors_costs_its_guest_only),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
