/* SPDX-License-Identifier: MIT */
/* Random labs, random weather: what must hold in every one of them.
 *
 * The fake ports check each frame (sim.h); after each step the books balance.
 * Here on top of that: order, earliest arrival, exactly the right receivers, and
 * that a seed fixes the whole transcript.
 */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "plan/plan.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

enum { NODES_MAX = 12, STEPS = 600 };

struct weather {
	bool faults_change, jitter, models, cuts, ups, full, small_pool;
};

struct world {
	struct sim *sim;
	uint64_t seed, picks;
	struct weather weather;
	uint32_t nodes;
	/* No frame is less time on the line, and on its way behind it, ever since the
	 * start: one that waits may have the line of one fault and the delay of the
	 * one before. */
	uint64_t line_floor_ns[SIM_LINKS_MAX][DIRS], delay_floor_ns[SIM_LINKS_MAX][DIRS];
	uint32_t last_got[SIM_PORTS_MAX][SIM_PORTS_MAX]; /* [to][from]: number + 1 */
	bool up[SIM_PORTS_MAX];
};

static uint64_t pick(struct world *w, uint64_t bound)
{
	return draw_below(w->seed, w->picks++, LANE_TOPOLOGY, bound);
}

static bool chance(struct world *w, unsigned percent)
{
	return pick(w, 100) < percent;
}

/* What has memory, edits or copies.  No bit flips: the frames tell who they are. */
static void add_models(struct world *w, struct fault_rule *spec)
{
	if (spec->rate_bps && chance(w, 50)) {
		spec->queue = (enum fault_queue)pick(w, QUEUE_CODEL + 1);
		spec->red_min_bytes = 1000;
		spec->red_max_bytes = 30000;
		spec->red_ppb = FAULT_PPB_ALL / 10;
		spec->codel_target_ns = MS;
		spec->codel_interval_ns = 5 * MS;
		spec->ecn = spec->queue >= QUEUE_RED && chance(w, 50);
	}
	if (chance(w, 20)) {
		spec->slot_min_ns = 1 + pick(w, MS);
		spec->slot_max_ns = spec->slot_min_ns + pick(w, MS);
		spec->slot_frames = (uint32_t)pick(w, 5);
	}
	if (chance(w, 20))
		spec->clog = (struct fault_cycle){ .on_ns = 2 * MS,
						   .off_ns = 3 * MS,
						   .random = chance(w, 50) };
	if (chance(w, 20))
		spec->flap = (struct fault_cycle){ .on_ns = 5 * MS, .off_ns = MS };
	if (chance(w, 30))
		spec->duplicate.p_ppb = (uint32_t)pick(w, FAULT_PPB_ALL);
	if (chance(w, 20)) {
		spec->corrupt.p_ppb = (uint32_t)pick(w, FAULT_PPB_ALL / 4);
		spec->corrupt_mode = CORRUPT_FCS;
	}
	spec->hold = chance(w, 10);
	if (spec->delay_ns && chance(w, 20))
		spec->reorder.p_ppb = (uint32_t)pick(w, FAULT_PPB_ALL / 2);
}

static struct fault_rule random_spec(struct world *w)
{
	struct fault_rule spec = { 0 };

	if (chance(w, 30))
		spec.loss.p_ppb = (uint32_t)pick(w, 500000) * FAULT_PPM;
	if (chance(w, 50))
		spec.delay_ns = pick(w, 3 * MS);
	if (w->weather.jitter && chance(w, 50))
		spec.jitter_ns = pick(w, spec.delay_ns + 1);
	if (chance(w, 30)) {
		spec.rate_bps = 1000000 + pick(w, 100000000);
		if (chance(w, 50))
			spec.limit_frames = 1 + (uint32_t)pick(w, 20);
		if (chance(w, 30))
			spec.limit_bytes = 1000 + (uint32_t)pick(w, 20000);
	}
	if (w->weather.models)
		add_models(w, &spec);
	return spec;
}

static void lower(uint64_t *floor_ns, uint64_t ns)
{
	if (ns < *floor_ns)
		*floor_ns = ns;
}

/* The least time in which the smallest frame can cross. */
static uint64_t floor_of(const struct world *w, uint32_t link, int dir)
{
	return w->line_floor_ns[link][dir] + w->delay_floor_ns[link][dir];
}

static void set_fault(struct world *w, uint32_t link, int dir, struct fault_rule spec)
{
	lower(&w->line_floor_ns[link][dir],
	      spec.rate_bps ? 60 * 8 * S / spec.rate_bps : 0);
	lower(&w->delay_floor_ns[link][dir],
	      spec.reorder.p_ppb ? 0 : spec.delay_ns - spec.jitter_ns);
	sim_fault(w->sim, link, dir, spec);
}

static void on_got(struct sim *sim, uint32_t to, uint32_t frame)
{
	struct world *w = sim->ctx;
	uint32_t from = sim->frames[frame].from;
	const struct sim_port *a = &sim->ports[from], *b = &sim->ports[to];
	uint64_t least = floor_of(w, a->link, !a->dir_out);

	if (a->on_segment)
		least += floor_of(w, b->link, b->dir_out);
	assert_true(sim_now(sim) >= sim->frames[frame].sent_ns + least);
	/* Only who is wired together hears one another. */
	if (a->on_segment)
		assert_true(b->on_segment &&
			    sim->links[a->link].b == sim->links[b->link].b);
	else
		assert_int_equal(a->link, b->link);
	if (!w->weather.jitter && !w->weather.faults_change)
		assert_true(frame + 1 > w->last_got[to][from]);
	w->last_got[to][from] = frame + 1;
	assert_true(w->up[to]);
}

static uint32_t random_port(struct world *w)
{
	uint32_t node = (uint32_t)pick(w, w->nodes), port;
	char name[32];

	snprintf(name, sizeof(name), "n%u:eth%u", node, w->sim->port_count);
	port = sim_port(w->sim, name, node);
	w->up[port] = true;
	if (chance(w, 30))
		sw_port_tap(w->sim->sw, port, true);
	return port;
}

static void build(struct world *w)
{
	uint32_t segments = (uint32_t)pick(w, 3), wires = 1 + (uint32_t)pick(w, 5);
	char name[32];

	memset(w->line_floor_ns, 0xff, sizeof(w->line_floor_ns));
	memset(w->delay_floor_ns, 0xff, sizeof(w->delay_floor_ns));
	for (uint32_t s = 0; s < segments; s++) {
		uint32_t members = 2 + (uint32_t)pick(w, 7), segment;

		snprintf(name, sizeof(name), "lan%u", s);
		segment =
			sim_segment(w->sim, name, pick(w, 3) ? 300 * S : pick(w, 5 * MS));
		for (uint32_t m = 0; m < members; m++) {
			snprintf(name, sizeof(name), "lan%u.%u", s, m);
			sim_join(w->sim, name, random_port(w), segment);
		}
	}
	for (uint32_t i = 0; i < wires; i++) {
		uint32_t a = random_port(w), b = random_port(w);

		snprintf(name, sizeof(name), "wire%u", i);
		sim_link(w->sim, name, a, b);
	}
	for (uint32_t link = 0; link < w->sim->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			set_fault(w, link, dir,
				  chance(w, 60) ? random_spec(w)
						: (struct fault_rule){ 0 });
}

static uint32_t any_port(struct world *w)
{
	return (uint32_t)pick(w, w->sim->port_count);
}

static void toggle_port(struct world *w)
{
	uint32_t port = any_port(w);

	w->up[port] = !w->up[port];
	sw_advance(w->sim->sw, sim_now(w->sim));
	sw_port_up(w->sim->sw, port, w->up[port]);
	if (!w->up[port])
		w->sim->ports[port].room = SIM_ROOM_ENDLESS;
	sim_check(w->sim);
}

static void random_pair(struct world *w)
{
	uint32_t a = any_port(w), b = any_port(w);
	const struct sim_port *pa = &w->sim->ports[a], *pb = &w->sim->ports[b];
	struct fault_rule spec = random_spec(w);

	if (!w->sim->segment_count || !pa->on_segment)
		return;
	/* Wrong ones are refused and change nothing. */
	if (sim_pair(w->sim, w->sim->links[pa->link].b, a, b, spec))
		assert_true(a == b || !pb->on_segment ||
			    w->sim->links[pa->link].b != w->sim->links[pb->link].b);
	sim_check(w->sim);
}

static void send_some(struct world *w)
{
	static const uint32_t sizes[] = { 60, 64, 590, 1514, 9000, FRAME_BYTES_MAX };
	uint32_t from = any_port(w), to = any_port(w), burst = 1 + (uint32_t)pick(w, 6);

	if (chance(w, 25))
		to = chance(w, 80) ? SIM_BROADCAST : SIM_NOBODY;
	for (uint32_t i = 0; i < burst; i++)
		sim_send(w->sim, from, to, sizes[pick(w, chance(w, 90) ? 4 : 6)]);
}

static void step(struct world *w)
{
	const struct weather *weather = &w->weather;
	uint64_t what = pick(w, 100);

	if (what < 60) {
		send_some(w);
	} else if (what < 80) {
		sim_until(w->sim,
			  sim_now(w->sim) + pick(w, chance(w, 80) ? MS : 20 * MS));
	} else if (what < 83) {
		sim_until_late(w->sim, sim_now(w->sim) + pick(w, MS));
	} else if (what < 88 && weather->cuts) {
		if (chance(w, 20))
			sw_heal(w->sim->sw);
		else
			sw_cut(w->sim->sw, (uint32_t)pick(w, w->nodes),
			       (uint32_t)pick(w, w->nodes), chance(w, 60));
	} else if (what < 91 && weather->ups) {
		toggle_port(w);
	} else if (what < 95 && weather->full) {
		uint32_t port = any_port(w);

		sim_room(w->sim, port,
			 chance(w, 60) ? (int)pick(w, 8) : SIM_ROOM_ENDLESS);
	} else if (what < 98 && weather->faults_change) {
		struct fault_rule spec = random_spec(w);

		spec.down = chance(w, 15);
		set_fault(w, (uint32_t)pick(w, w->sim->link_count), (int)pick(w, DIRS),
			  spec);
	} else if (weather->faults_change) {
		random_pair(w);
	}
}

/* Everything is let out: then nothing may be left. */
static void settle(struct world *w)
{
	sw_heal(w->sim->sw);
	/* What is held would be so for ever. */
	for (uint32_t link = 0; w->weather.models && link < w->sim->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			set_fault(w, link, dir, (struct fault_rule){ 0 });
	for (uint32_t a = 0; w->weather.models && a < w->sim->port_count; a++)
		for (uint32_t b = 0; b < w->sim->port_count; b++)
			if (a != b && w->sim->ports[a].on_segment &&
			    w->sim->ports[b].on_segment)
				sim_pair(w->sim, w->sim->links[w->sim->ports[a].link].b,
					 a, b, (struct fault_rule){ 0 });
	for (uint32_t port = 0; port < w->sim->port_count; port++)
		sim_room(w->sim, port, SIM_ROOM_ENDLESS);
	sim_until(w->sim, sim_now(w->sim) + 3600 * S);
	assert_int_equal(sw_next_due_ns(w->sim->sw), UINT64_MAX);
	assert_int_equal(sw_pool_bytes(w->sim->sw), 0);
	for (uint32_t port = 0; port < w->sim->port_count; port++)
		assert_int_equal(sw_port_count_out(w->sim->sw, port)->queued, 0);
	for (uint32_t link = 0; link < w->sim->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			assert_int_equal(sw_link_count(w->sim->sw, link, dir)->queued, 0);
}

/* Live one life; returns what it looked like, and how many frames arrived. */
static uint64_t live(uint64_t seed, struct weather weather, uint64_t *arrived)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t hash;

	assert_non_null(w);
	w->seed = seed;
	w->weather = weather;
	w->nodes = 2 + (uint32_t)pick(w, NODES_MAX - 1);
	w->sim = sim_create(seed, w->nodes,
			    weather.small_pool ? 64 << 10 : UINT64_C(16) << 20);
	w->sim->quiet = true;
	w->sim->copies = weather.models;
	w->sim->got = on_got;
	w->sim->ctx = w;
	build(w);
	for (int i = 0; i < STEPS; i++)
		step(w);
	settle(w);
	hash = w->sim->hash;
	for (uint32_t port = 0; port < w->sim->port_count; port++)
		*arrived += w->sim->ports[port].got;
	sim_destroy(w->sim);
	free(w);
	return hash;
}

static void lives(uint64_t first, uint64_t count, struct weather weather)
{
	uint64_t arrived = 0;

	for (uint64_t seed = first; seed < first + count; seed++)
		live(seed, weather, &arrived);
	/* It was about something. */
	assert_true(arrived > count * (weather.models ? 100 : 500));
}

static void in_fair_weather_frames_keep_their_order(void **state)
{
	(void)state;
	lives(1000, 20, (struct weather){ 0 });
}

static void full_and_absent_receivers_and_partitions_keep_the_order_too(void **state)
{
	(void)state;
	lives(2000, 30, (struct weather){ .cuts = true, .ups = true, .full = true });
}

static void in_all_weathers_the_books_balance(void **state)
{
	(void)state;
	lives(3000, 40,
	      (struct weather){ .faults_change = true,
				.jitter = true,
				.cuts = true,
				.ups = true,
				.full = true });
}

static void with_next_to_no_memory_the_books_balance(void **state)
{
	(void)state;
	lives(4000, 20,
	      (struct weather){ .faults_change = true,
				.jitter = true,
				.cuts = true,
				.ups = true,
				.full = true,
				.small_pool = true });
}

static void with_every_model_what_came_is_what_left_and_what_is_told_lost(void **state)
{
	(void)state;
	for (int small = 0; small < 2; small++)
		lives(5000, 25,
		      (struct weather){ .faults_change = true,
					.jitter = true,
					.models = true,
					.cuts = true,
					.ups = true,
					.full = true,
					.small_pool = small });
}

static void a_seed_fixes_everything_that_happens(void **state)
{
	struct weather all = { .faults_change = true,
			       .jitter = true,
			       .cuts = true,
			       .ups = true,
			       .full = true };

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		uint64_t arrived = 0, again = 0;
		uint64_t hash = live(seed, all, &arrived);

		assert_int_equal(live(seed, all, &again), hash);
		assert_int_equal(again, arrived);
		assert_int_not_equal(live(seed + 100, all, &again), hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_fair_weather_frames_keep_their_order),
		cmocka_unit_test(
			full_and_absent_receivers_and_partitions_keep_the_order_too),
		cmocka_unit_test(in_all_weathers_the_books_balance),
		cmocka_unit_test(with_next_to_no_memory_the_books_balance),
		cmocka_unit_test(
			with_every_model_what_came_is_what_left_and_what_is_told_lost),
		cmocka_unit_test(a_seed_fixes_everything_that_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
