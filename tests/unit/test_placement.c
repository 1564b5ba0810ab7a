/* SPDX-License-Identifier: MIT */
/* Who goes to which processor, with a host that is played: processors share their time
 * evenly between all that want it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "machine/placement.h"

enum { CPUS = 64, MACHINES = 256, MOVES = 64, LOOKS = 40, SETTLED = 4 };

static struct {
	struct placement_cpu cpu[CPUS];
	struct placement_machine machine[MACHINES];
	uint32_t wants_ppm[MACHINES]; /* what each would use, had it a processor alone */
	uint32_t others_ppm[CPUS];    /* the same of somebody else's on that processor */
	uint64_t had_ppm[MACHINES];   /* since SETTLED looks, in all */
	size_t moves;		      /* since then */
	struct placement placement;
} host;

static void host_open(size_t cpus, size_t machines, uint32_t wants_ppm)
{
	memset(&host, 0, sizeof(host));
	host.placement = (struct placement){ host.cpu, cpus, host.machine, machines };
	for (size_t i = 0; i < cpus; i++)
		host.cpu[i].core = (uint32_t)i;
	for (size_t i = 0; i < machines; i++) {
		host.wants_ppm[i] = wants_ppm;
		host.machine[i].at = placement_first(&host.placement, 0);
		host.machine[i].lives = true;
	}
}

/* What remains of `left` after each took the even share, or what it wants of it. */
static uint32_t even_share(size_t cpu)
{
	uint32_t share = PLACEMENT_ALL_PPM;

	for (int round = 0; round < 8; round++) {
		uint64_t taken = 0, greedy = 0;

		for (size_t i = 0; i < host.placement.machine_count + 1; i++) {
			bool other = i == host.placement.machine_count;
			uint32_t want = other ? host.others_ppm[cpu] : host.wants_ppm[i];

			if (!other && host.machine[i].at != (int)cpu)
				continue;
			greedy += want >= share;
			taken += want >= share ? 0 : want;
		}
		if (!greedy)
			return share;
		share = (uint32_t)((PLACEMENT_ALL_PPM - taken) / greedy);
	}
	return share;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* One time measured: everybody runs, waits, and is looked at. */
static void run(size_t look)
{
	struct placement_move moves[MOVES];
	size_t count;

	for (size_t cpu = 0; cpu < host.placement.cpu_count; cpu++) {
		uint32_t share = even_share(cpu);
		uint64_t busy = least(share, host.others_ppm[cpu]);

		for (size_t i = 0; i < host.placement.machine_count; i++) {
			struct placement_machine *machine = &host.machine[i];

			if (machine->at != (int)cpu)
				continue;
			machine->ran_ppm = least(share, host.wants_ppm[i]);
			machine->waited_ppm = host.wants_ppm[i] - machine->ran_ppm;
			busy += machine->ran_ppm;
			host.had_ppm[i] += look < SETTLED ? 0 : machine->ran_ppm;
		}
		host.cpu[cpu].busy_ppm = (uint32_t)busy;
	}
	if (!placement_is_crowded(host.cpu, host.placement.cpu_count))
		return;
	count = placement_moves(moves, MOVES, &host.placement);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(host.machine[moves[i].machine].at, moves[i].to);
	host.moves += look < SETTLED ? 0 : count;
}

static void run_all(void)
{
	for (size_t look = 0; look < LOOKS; look++)
		run(look);
}

/* The least that anybody had, in percent of what it wanted or of an even share. */
static unsigned least_percent(uint64_t capacity_ppm)
{
	uint64_t fair = capacity_ppm / host.placement.machine_count;
	unsigned worst = 1000;

	for (size_t i = 0; i < host.placement.machine_count; i++) {
		uint64_t due = least((uint32_t)fair, host.wants_ppm[i]);
		unsigned percent = (unsigned)(host.had_ppm[i] * 100 /
					      ((LOOKS - SETTLED) * due));

		worst = percent < worst ? percent : worst;
	}
	return worst;
}

static size_t most_on_one(void)
{
	size_t most = 0;

	for (int cpu = 0; cpu < (int)host.placement.cpu_count; cpu++) {
		size_t count = 0;

		for (size_t i = 0; i < host.placement.machine_count; i++)
			count += host.machine[i].at == cpu;
		most = count > most ? count : most;
	}
	return most;
}

/* ---- where they begin -------------------------------------------------- */

static void machines_begin_on_processors_of_their_own(void **state)
{
	(void)state;
	host_open(64, 64, 0);
	assert_int_equal(most_on_one(), 1);
	host_open(64, 100, 0);
	assert_int_equal(most_on_one(), 2);
	host_open(2, 5, 0);
	assert_int_equal(most_on_one(), 3);
}

static void the_first_of_a_lab_begins_where_it_is_told(void **state)
{
	(void)state;
	host_open(4, 0, 0);
	assert_int_equal(placement_first(&host.placement, 2), 2);
	assert_int_equal(placement_first(&host.placement, 5), 1);
}

static void two_machines_do_not_begin_on_one_core_while_another_is_free(void **state)
{
	(void)state;
	host_open(4, 1, 0); /* at 0 */
	host.cpu[1].core = 0;
	host.cpu[3].core = host.cpu[2].core = 2;
	assert_int_equal(placement_first(&host.placement, 0), 2);
}

static void a_machine_begins_beside_others_load_only_if_all_have_some(void **state)
{
	(void)state;
	host_open(3, 0, 0);
	host.cpu[0].busy_ppm = 900000;
	host.cpu[1].busy_ppm = 700000;
	assert_int_equal(placement_first(&host.placement, 0), 2);
	host.cpu[2].busy_ppm = 800000;
	assert_int_equal(placement_first(&host.placement, 0), 1);
}

/* ---- who moves --------------------------------------------------------- */

static void where_nobody_is_crowded_nobody_moves(void **state)
{
	(void)state;
	host_open(2, 4, 300000);
	run_all();
	assert_int_equal(host.moves, 0);
}

static void on_one_processor_there_is_nowhere_to_go(void **state)
{
	(void)state;
	host_open(1, 8, PLACEMENT_ALL_PPM);
	run_all();
	assert_int_equal(host.moves, 0);
	assert_true(least_percent(1000000) >= 99);
}

static void four_that_want_all_of_two_processors_have_their_share_and_stay(void **state)
{
	(void)state;
	host_open(2, 4, PLACEMENT_ALL_PPM);
	run_all();
	assert_int_equal(host.moves, 0);
	assert_true(least_percent(2000000) >= 99);
}

static void who_began_all_on_one_processor_are_spread(void **state)
{
	(void)state;
	host_open(64, 64, PLACEMENT_ALL_PPM);
	for (int i = 0; i < 64; i++)
		host.machine[i].at = 0;
	run_all();
	assert_int_equal(most_on_one(), 1);
	assert_int_equal(host.moves, 0); /* but for the first looks */
}

static void three_on_two_processors_take_turns(void **state)
{
	(void)state;
	host_open(2, 3, PLACEMENT_ALL_PPM);
	run_all();
	assert_true(least_percent(2000000) >= 85);
	/* Not with each look: a machine that moves leaves its caches behind. */
	assert_in_range(host.moves, 5, LOOKS);
}

static void any_number_that_want_all_have_most_of_their_share(void **state)
{
	static const size_t cpus[] = { 2, 3, 4, 8, 64 };

	(void)state;
	for (size_t c = 0; c < sizeof(cpus) / sizeof(*cpus); c++)
		for (size_t n = cpus[c]; n <= 3 * cpus[c]; n += 1 + cpus[c] / 5) {
			host_open(cpus[c], n, PLACEMENT_ALL_PPM);
			run_all();
			if (least_percent(cpus[c] * 1000000) < 80)
				fail_msg("%zu on %zu: one has %u %% of its share", n,
					 cpus[c], least_percent(cpus[c] * 1000000));
		}
}

static void who_wants_little_makes_room_for_nobody(void **state)
{
	(void)state;
	host_open(2, 6, 10000); /* at 0, 1, 0, 1, 0, 1 */
	host.wants_ppm[0] = host.wants_ppm[1] = PLACEMENT_ALL_PPM;
	run_all();
	assert_int_equal(host.moves, 0);
	assert_int_equal(host.machine[2].at, 0);
}

static void a_machine_leaves_a_processor_that_others_want_whole(void **state)
{
	(void)state;
	host_open(2, 1, 600000);
	host.others_ppm[0] = PLACEMENT_ALL_PPM; /* bound to it, and greedy */
	run_all();
	assert_int_equal(host.machine[0].at, 1);
	assert_int_equal(host.had_ppm[0], (LOOKS - SETTLED) * UINT64_C(600000));
	assert_int_equal(host.moves, 0);
}

static void beside_others_load_the_even_share_is_of_what_is_left(void **state)
{
	(void)state;
	host_open(2, 3, PLACEMENT_ALL_PPM);
	host.others_ppm[0] = PLACEMENT_ALL_PPM;
	run_all();
	/* Four that want all, one of which is not ours. */
	for (size_t i = 0; i < 3; i++)
		assert_true(host.had_ppm[i] >= (LOOKS - SETTLED) * UINT64_C(350000));
}

static void who_has_lost_its_processor_gets_another_at_once(void **state)
{
	struct placement_move moves[MOVES];

	(void)state;
	host_open(2, 2, 0);
	host.machine[1].at = PLACEMENT_NOWHERE;
	assert_int_equal(placement_moves(moves, MOVES, &host.placement), 1);
	assert_int_equal(moves[0].machine, 1);
	assert_int_equal(moves[0].to, 1);
	assert_int_equal(host.machine[1].at, 1);
}

static void a_machine_that_does_not_run_counts_for_nothing(void **state)
{
	struct placement_move moves[MOVES];

	(void)state;
	host_open(2, 2, 0);
	host.machine[0].lives = false;
	host.machine[0].at = PLACEMENT_NOWHERE;
	assert_int_equal(placement_moves(moves, MOVES, &host.placement), 0);
	assert_int_equal(placement_first(&host.placement, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_begin_on_processors_of_their_own),
		cmocka_unit_test(the_first_of_a_lab_begins_where_it_is_told),
		cmocka_unit_test(two_machines_do_not_begin_on_one_core_while_another_is_free),
		cmocka_unit_test(a_machine_begins_beside_others_load_only_if_all_have_some),
		cmocka_unit_test(where_nobody_is_crowded_nobody_moves),
		cmocka_unit_test(on_one_processor_there_is_nowhere_to_go),
		cmocka_unit_test(
			four_that_want_all_of_two_processors_have_their_share_and_stay),
		cmocka_unit_test(who_began_all_on_one_processor_are_spread),
		cmocka_unit_test(three_on_two_processors_take_turns),
		cmocka_unit_test(any_number_that_want_all_have_most_of_their_share),
		cmocka_unit_test(who_wants_little_makes_room_for_nobody),
		cmocka_unit_test(a_machine_leaves_a_processor_that_others_want_whole),
		cmocka_unit_test(beside_others_load_the_even_share_is_of_what_is_left),
		cmocka_unit_test(who_has_lost_its_processor_gets_another_at_once),
		cmocka_unit_test(a_machine_that_does_not_run_counts_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
