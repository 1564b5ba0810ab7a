/* SPDX-License-Identifier: MIT */
/* A calendar that was saved and loaded goes on as the one that was not: at any of 10^5
 * steps, whatever guests and lab do. */
#include "clock/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/draw.h"
#include "lib/damaged.h"

enum { GUESTS = 5, STEPS = 100000 };

static struct why why;
static uint64_t picks;

static uint64_t pick(uint64_t bound)
{
	return draw_below(23, picks++, LANE_TOPOLOGY, bound);
}

static struct record saved(const struct calendar *calendar)
{
	struct record r;

	record_save(&r);
	assert_int_equal(calendar_save(calendar, &r, &why), 0);
	return r;
}

static void assert_same(const struct calendar *a, const struct calendar *b)
{
	struct record ra = saved(a), rb = saved(b);

	assert_int_equal(ra.size, rb.size);
	assert_memory_equal(ra.bytes, rb.bytes, ra.size);
	assert_int_equal(a->running, b->running);
	assert_int_equal(a->waited_for, b->waited_for);
	/* What a step does not look at, but others do. */
	assert_true(a->rounds == b->rounds);
	for (uint32_t i = 0; i < a->guest_count; i++) {
		const struct calendar_guest *ga = &a->guests[i], *gb = &b->guests[i];

		assert_true(ga->frozen == gb->frozen && ga->runs == gb->runs);
		assert_true(ga->turn_guest_ns == gb->turn_guest_ns);
		assert_true(ga->free_until_ns == gb->free_until_ns);
	}
	record_free(&ra);
	record_free(&rb);
}

/* What is done to both. */
struct pair {
	struct calendar c[2];
};

#define BOTH(call)                                                                       \
	do {                                                                             \
		struct calendar *c = &pair->c[0];                                        \
		call;                                                                    \
		c = &pair->c[1];                                                         \
		call;                                                                    \
	} while (0)

/* The guest says something in its turn, or that it waits. */
static void guest_speaks(struct pair *pair, uint32_t i)
{
	const struct calendar_guest *g = &pair->c[0].guests[i];
	uint64_t now_ns = calendar_guest_now(&pair->c[0], i);
	uint64_t at_ns = now_ns + pick(3000);

	switch (pick(6)) {
	case 0:
		BOTH(calendar_request(c, i, at_ns, &why));
		break;
	case 1:
		at_ns = now_ns + pick(g->floor_ns - g->local_ns + 10);
		BOTH(calendar_update(c, i, at_ns, &why));
		break;
	case 2:
		BOTH(calendar_kick(c, i, &why));
		break;
	case 3:
		BOTH(calendar_dying(c, i));
		break;
	default:
		BOTH(calendar_request(c, i, at_ns, &why));
		BOTH(calendar_wait(c, i, &why));
	}
}

static void next_turn(struct pair *pair)
{
	uint64_t timer_ns = pick(3) ? pair->c[0].now_ns + pick(2000) : CALENDAR_NEVER;
	struct calendar_turn turn = calendar_next(&pair->c[0], timer_ns);
	struct calendar_turn other = calendar_next(&pair->c[1], timer_ns);
	uint32_t window[2][GUESTS], count;

	assert_int_equal(turn.kind, other.kind);
	assert_true(turn.at_ns == other.at_ns);
	assert_int_equal(turn.guest, other.guest);
	if (turn.kind != TURN_BUSY && turn.kind != TURN_NONE)
		BOTH(calendar_advance(c, turn.at_ns));
	switch (turn.kind) {
	case TURN_GUEST:
		count = calendar_window(&pair->c[0], &turn, timer_ns, window[0], GUESTS);
		assert_int_equal(
			calendar_window(&pair->c[1], &turn, timer_ns, window[1], GUESTS),
			count);
		assert_memory_equal(window[0], window[1], count * sizeof(window[0][0]));
		for (uint32_t k = 0; k < count; k++)
			BOTH(calendar_run(c, window[0][k]));
		for (uint32_t k = 0; k < count; k++)
			BOTH(calendar_refresh(c, window[0][k], timer_ns));
		break;
	case TURN_KICK:
		BOTH(calendar_ready(c, turn.guest));
		break;
	case TURN_LEAVE:
		BOTH(calendar_leave(c, turn.guest));
		break;
	default:
		break;
	}
}

static void lab_acts(struct pair *pair, uint32_t i)
{
	const struct calendar_guest *g = &pair->c[0].guests[i];
	uint32_t rate_ppb = (uint32_t)pick(GUEST_CLOCK_RATE_MAX + UINT64_C(1));
	bool frozen = pick(6) == 0;

	switch (pick(8)) {
	case 0:
		if (pick(3) == 0)
			BOTH(calendar_hold(c, i));
		break;
	case 1:
	case 2:
		BOTH(calendar_release(c, i));
		break;
	case 3:
		if (g->state == GUEST_WAITING && g->local_ns <= pair->c[0].now_ns)
			BOTH(calendar_set_clock(c, i, rate_ppb, frozen));
		break;
	case 4:
		BOTH(c->horizon_ns = c->now_ns + 5000);
		break;
	case 5:
		BOTH(c->lookahead_ns = rate_ppb % 300);
		break;
	case 6:
		if (g->state != GUEST_ABSENT && pick(10) == 0)
			BOTH(calendar_ended(c, i));
		break;
	default:
		if (pair->c[0].horizon_ns < CALENDAR_NEVER && pick(2))
			BOTH(c->horizon_ns = CALENDAR_NEVER);
	}
}

static void step(struct pair *pair)
{
	uint32_t i = (uint32_t)pick(GUESTS);

	/* Nothing goes on before those that run have spoken. */
	for (uint32_t k = 0; k < GUESTS && pick(8); k++)
		if (pair->c[0].guests[k].state == GUEST_RUNNING)
			i = k;
	switch (pair->c[0].guests[i].state) {
	case GUEST_ABSENT:
		BOTH(calendar_expect(c, i));
		break;
	case GUEST_EXPECTED:
		BOTH(calendar_start(c, i, &why));
		break;
	case GUEST_RUNNING:
		guest_speaks(pair, i);
		break;
	case GUEST_LEAVING:
		BOTH(calendar_ended(c, i));
		break;
	default:
		if (pick(3) == 0)
			lab_acts(pair, i);
	}
	next_turn(pair);
}

static void load_anew(struct pair *pair)
{
	struct record to = saved(&pair->c[0]), from;

	calendar_free(&pair->c[1]);
	assert_int_equal(calendar_init(&pair->c[1], GUESTS, NULL), 0);
	record_load(&from, to.bytes, to.size);
	assert_int_equal(calendar_load(&pair->c[1], &from, &why), 0);
	record_free(&to);
}

static void a_calendar_that_was_saved_and_loaded_goes_on_the_same(void **state)
{
	unsigned seen[GUEST_ENDED + 1] = { 0 };
	struct pair pair;

	(void)state;
	assert_int_equal(calendar_init(&pair.c[0], GUESTS, NULL), 0);
	assert_int_equal(calendar_init(&pair.c[1], GUESTS, NULL), 0);
	for (unsigned i = 0; i < STEPS; i++) {
		if (pick(10) == 0)
			load_anew(&pair);
		step(&pair);
		assert_same(&pair.c[0], &pair.c[1]);
		for (uint32_t g = 0; g < GUESTS; g++)
			seen[pair.c[0].guests[g].state]++;
	}
	/* It was about something: all states, and many turns. */
	for (unsigned s = 0; s <= GUEST_ENDED; s++)
		assert_true(seen[s] > 100);
	assert_true(pair.c[0].rounds > STEPS / 100);
	calendar_free(&pair.c[0]);
	calendar_free(&pair.c[1]);
}

static int load_calendar(void *ctx, struct record *r, struct why *w)
{
	struct calendar fresh, c;
	int err;

	(void)ctx;
	assert_int_equal(calendar_init(&c, GUESTS, NULL), 0);
	assert_int_equal(calendar_init(&fresh, GUESTS, NULL), 0);
	err = calendar_load(&c, r, w);
	if (err)
		assert_same(&c, &fresh);
	else
		calendar_next(&c, CALENDAR_NEVER);
	calendar_free(&c);
	calendar_free(&fresh);
	return err;
}

static void a_damaged_calendar_is_refused(void **state)
{
	struct pair pair;
	struct record r;

	(void)state;
	assert_int_equal(calendar_init(&pair.c[0], GUESTS, NULL), 0);
	assert_int_equal(calendar_init(&pair.c[1], GUESTS, NULL), 0);
	for (unsigned i = 0; i < 1000; i++)
		step(&pair);
	r = saved(&pair.c[0]);
	assert_true(damaged_is_refused(r.bytes, r.size, load_calendar, NULL) > 100);
	record_free(&r);
	calendar_free(&pair.c[0]);
	calendar_free(&pair.c[1]);
}

static void a_calendar_of_other_guests_is_refused(void **state)
{
	struct calendar c, other;
	struct record to, from;

	(void)state;
	assert_int_equal(calendar_init(&c, GUESTS, NULL), 0);
	assert_int_equal(calendar_init(&other, GUESTS - 1, NULL), 0);
	to = saved(&c);
	record_load(&from, to.bytes, to.size);
	assert_int_not_equal(calendar_load(&other, &from, &why), 0);
	assert_string_equal(why.text, "record of calendar, byte 40: the number of guests "
				      "is 5 there, and 4 here");
	record_free(&to);
	calendar_free(&c);
	calendar_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_calendar_that_was_saved_and_loaded_goes_on_the_same),
		cmocka_unit_test(a_damaged_calendar_is_refused),
		cmocka_unit_test(a_calendar_of_other_guests_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
