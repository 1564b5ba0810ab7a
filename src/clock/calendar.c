/* SPDX-License-Identifier: MIT */
#include "clock/calendar.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"

/* As it begins. */
static void clear(struct calendar *calendar)
{
	*calendar = (struct calendar){ .guests = calendar->guests,
				       .guest_count = calendar->guest_count,
				       .horizon_ns = CALENDAR_NEVER };
	for (uint32_t i = 0; i < calendar->guest_count; i++)
		calendar->guests[i] =
			(struct calendar_guest){ .rate_ppb = GUEST_CLOCK_RATE_ONE };
}

int calendar_init(struct calendar *calendar, uint32_t guest_count, struct why *why)
{
	*calendar = (struct calendar){ .guest_count = guest_count };
	calendar->guests = calloc(guest_count + 1, sizeof(*calendar->guests));
	if (!calendar->guests)
		return why_set(why, -ENOMEM, "calendar: out of memory");
	clear(calendar);
	return 0;
}

void calendar_free(struct calendar *calendar)
{
	free(calendar->guests);
	*calendar = (struct calendar){ 0 };
}

static struct calendar_guest *at(struct calendar *calendar, uint32_t guest)
{
	ASSERT(guest < calendar->guest_count);
	return &calendar->guests[guest];
}

static bool is_waited_for(const struct calendar_guest *g)
{
	return g->holds || g->state == GUEST_EXPECTED || g->state == GUEST_RUNNING ||
	       g->state == GUEST_LEAVING;
}

static void change(struct calendar *calendar, uint32_t guest,
		   enum calendar_guest_state state, unsigned holds)
{
	struct calendar_guest *g = at(calendar, guest);

	calendar->waited_for -= is_waited_for(g);
	calendar->running += (state == GUEST_RUNNING) - (g->state == GUEST_RUNNING);
	g->state = state;
	g->holds = holds;
	calendar->waited_for += is_waited_for(g);
}

/* ---- whose turn --------------------------------------------------------- */

/* The earliest time at which the guest does something that others can notice. */
static uint64_t next_of(const struct calendar_guest *g)
{
	switch (g->state) {
	case GUEST_WAITING:
		return g->request_ns;
	case GUEST_RUNNING:
	case GUEST_KICKING:
	case GUEST_READY:
	case GUEST_ENDED:
		return g->local_ns;
	default:
		return CALENDAR_NEVER;
	}
}

/* The guest that is next; of several at the same time the first. */
static uint32_t first_guest(const struct calendar *calendar)
{
	uint32_t first = calendar->guest_count;
	uint64_t first_ns = CALENDAR_NEVER;

	for (uint32_t i = 0; i < calendar->guest_count; i++) {
		uint64_t next_ns = next_of(&calendar->guests[i]);

		if (next_ns < first_ns) {
			first = i;
			first_ns = next_ns;
		}
	}
	return first;
}

struct calendar_turn calendar_next(const struct calendar *calendar, uint64_t timer_due_ns)
{
	struct calendar_turn turn = { .kind = TURN_NONE, .at_ns = CALENDAR_NEVER };
	uint32_t guest;

	if (calendar->waited_for)
		return (struct calendar_turn){ .kind = TURN_BUSY };
	guest = first_guest(calendar);
	if (guest < calendar->guest_count) {
		const struct calendar_guest *g = &calendar->guests[guest];

		turn.kind = g->state == GUEST_KICKING ? TURN_KICK
			    : g->state == GUEST_ENDED ? TURN_LEAVE
						      : TURN_GUEST;
		turn.at_ns = next_of(g);
		turn.guest = guest;
	}
	if (timer_due_ns != CALENDAR_NEVER && timer_due_ns <= turn.at_ns) {
		turn.kind = TURN_TIMER;
		turn.at_ns = timer_due_ns;
	}
	/* What should have happened happens now. */
	if (turn.kind != TURN_NONE && turn.at_ns < calendar->now_ns)
		turn.at_ns = calendar->now_ns;
	return turn;
}

void calendar_advance(struct calendar *calendar, uint64_t at_ns)
{
	ASSERT(at_ns >= calendar->now_ns);
	calendar->now_ns = at_ns;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Nothing happens to this guest before this. */
static uint64_t free_until(const struct calendar *calendar, uint32_t guest,
			   uint64_t timer_due_ns)
{
	uint64_t until_ns = calendar->guests[guest].local_ns + CALENDAR_FREE_NS;

	until_ns = earlier(until_ns, timer_due_ns);
	if (calendar->horizon_ns < CALENDAR_NEVER)
		until_ns = earlier(until_ns, calendar->horizon_ns + 1);
	for (uint32_t i = 0; i < calendar->guest_count; i++) {
		uint64_t next_ns = next_of(&calendar->guests[i]);

		if (i != guest && next_ns < until_ns)
			until_ns = earlier(until_ns, next_ns + calendar->lookahead_ns);
	}
	return until_ns;
}

static void set_free(struct calendar_guest *g, uint64_t until_ns)
{
	g->free_until_ns = until_ns;
	g->floor_ns = until_ns > g->local_ns ? until_ns - 1 : g->local_ns;
}

uint32_t calendar_window(const struct calendar *calendar,
			 const struct calendar_turn *turn, uint64_t timer_due_ns,
			 uint32_t *guests, uint32_t max)
{
	uint64_t end_ns = earlier(turn->at_ns + calendar->lookahead_ns, timer_due_ns);
	uint32_t count = 1;

	guests[0] = turn->guest;
	if (calendar->horizon_ns < CALENDAR_NEVER)
		end_ns = earlier(end_ns, calendar->horizon_ns + 1);
	for (uint32_t i = 0; i < calendar->guest_count && count < max; i++) {
		const struct calendar_guest *g = &calendar->guests[i];
		bool can = g->state == GUEST_WAITING || g->state == GUEST_READY;

		if (i != turn->guest && can && next_of(g) < end_ns)
			guests[count++] = i;
	}
	return count;
}

void calendar_run(struct calendar *calendar, uint32_t guest)
{
	struct calendar_guest *g = at(calendar, guest);

	ASSERT(g->state == GUEST_WAITING || g->state == GUEST_READY);
	if (g->state == GUEST_WAITING) {
		g->local_ns = g->request_ns > calendar->now_ns ? g->request_ns
							       : calendar->now_ns;
		if (g->fresh)
			guest_clock_start(&g->clock, g->local_ns);
		/* A clock that is fast jumps over some nanoseconds: it wants the one that it
		 * asked for. */
		g->turn_guest_ns = g->asked_guest_ns != CALENDAR_NEVER &&
						   g->request_ns >= calendar->now_ns
					   ? g->asked_guest_ns
					   : guest_clock_at(&g->clock, g->local_ns);
		g->fresh = false;
		g->request_ns = g->asked_guest_ns = CALENDAR_NEVER;
		g->runs++;
		calendar->rounds++;
	}
	change(calendar, guest, GUEST_RUNNING, g->holds);
}

void calendar_ready(struct calendar *calendar, uint32_t guest)
{
	ASSERT(at(calendar, guest)->state == GUEST_KICKING);
	change(calendar, guest, GUEST_READY, at(calendar, guest)->holds);
}

bool calendar_refresh(struct calendar *calendar, uint32_t guest, uint64_t timer_due_ns)
{
	struct calendar_guest *g = at(calendar, guest);
	uint64_t until_ns = free_until(calendar, guest, timer_due_ns);
	bool nearer = until_ns < g->free_until_ns;

	set_free(g, until_ns);
	return nearer;
}

/* ---- what happens to a guest --------------------------------------------- */

void calendar_expect(struct calendar *calendar, uint32_t guest)
{
	uint32_t rate_ppb = at(calendar, guest)->rate_ppb;

	ASSERT(at(calendar, guest)->state == GUEST_ABSENT);
	*at(calendar, guest) = (struct calendar_guest){
		.rate_ppb = rate_ppb,
		.clock.rate_ppb = rate_ppb,
		.request_ns = CALENDAR_NEVER,
		.asked_guest_ns = CALENDAR_NEVER,
	};
	change(calendar, guest, GUEST_EXPECTED, 0);
}

void calendar_dying(struct calendar *calendar, uint32_t guest)
{
	struct calendar_guest *g = at(calendar, guest);

	if (g->state == GUEST_ABSENT || g->state == GUEST_ENDED)
		return;
	/* One that waits has not ended by itself: somebody ends it, now. */
	if (g->state == GUEST_WAITING && g->local_ns < calendar->now_ns)
		g->local_ns = calendar->now_ns;
	change(calendar, guest, GUEST_LEAVING, 0);
}

void calendar_ended(struct calendar *calendar, uint32_t guest)
{
	calendar_dying(calendar, guest);
	if (at(calendar, guest)->state == GUEST_LEAVING)
		change(calendar, guest, GUEST_ENDED, 0);
}

void calendar_leave(struct calendar *calendar, uint32_t guest)
{
	change(calendar, guest, GUEST_ABSENT, 0);
}

void calendar_hold(struct calendar *calendar, uint32_t guest)
{
	struct calendar_guest *g = at(calendar, guest);

	change(calendar, guest, g->state, g->holds + 1);
}

void calendar_release(struct calendar *calendar, uint32_t guest)
{
	struct calendar_guest *g = at(calendar, guest);

	/* A guest that is about to leave holds nothing any more. */
	if (g->holds)
		change(calendar, guest, g->state, g->holds - 1);
}

/* ---- what a guest says --------------------------------------------------- */

static const char *const state_names[] = {
	[GUEST_ABSENT] = "absent",   [GUEST_EXPECTED] = "expected",
	[GUEST_WAITING] = "waiting", [GUEST_RUNNING] = "running",
	[GUEST_KICKING] = "kicking", [GUEST_READY] = "ready",
	[GUEST_LEAVING] = "leaving", [GUEST_ENDED] = "ended",
};

int calendar_start(struct calendar *calendar, uint32_t guest, struct why *why)
{
	struct calendar_guest *g = at(calendar, guest);

	if (g->state != GUEST_EXPECTED)
		return why_set(why, -EPROTO, "START while %s", state_names[g->state]);
	g->fresh = true;
	g->request_ns = calendar->now_ns;
	change(calendar, guest, GUEST_WAITING, g->holds);
	return 0;
}

/* When that time of the guest's comes; what is beyond all days is never. */
static uint64_t lab_ns(const struct calendar_guest *g, uint64_t guest_ns)
{
	if (guest_ns >= INT64_MAX)
		return CALENDAR_NEVER;
	return guest_clock_lab_ns(&g->clock, guest_ns);
}

uint64_t calendar_guest_now(const struct calendar *calendar, uint32_t guest)
{
	const struct calendar_guest *g = &calendar->guests[guest];
	uint64_t now_ns = guest_clock_at(&g->clock, calendar->now_ns);

	/* At the time of its request it is what it asked for, and not a nanosecond more. */
	if (g->asked_guest_ns != CALENDAR_NEVER && g->request_ns >= calendar->now_ns)
		return earlier(now_ns, g->asked_guest_ns);
	return now_ns;
}

uint64_t calendar_guest_free_until(const struct calendar *calendar, uint32_t guest)
{
	const struct calendar_guest *g = &calendar->guests[guest];

	if (g->free_until_ns <= g->local_ns)
		return guest_clock_at(&g->clock, g->free_until_ns);
	/* All that its clock shows before that time. */
	return guest_clock_at(&g->clock, g->free_until_ns - 1) + 1;
}

void calendar_set_clock(struct calendar *calendar, uint32_t guest, uint32_t rate_ppb,
			bool frozen)
{
	struct calendar_guest *g = at(calendar, guest);

	ASSERT(g->state != GUEST_RUNNING);
	g->rate_ppb = rate_ppb;
	g->frozen = frozen;
	guest_clock_set_rate(&g->clock, calendar->now_ns, frozen ? 0 : rate_ppb);
	if (g->asked_guest_ns != CALENDAR_NEVER)
		g->request_ns = lab_ns(g, g->asked_guest_ns);
}

int calendar_request(struct calendar *calendar, uint32_t guest, uint64_t guest_ns,
		     struct why *why)
{
	struct calendar_guest *g = at(calendar, guest);

	if (g->fresh || (g->state != GUEST_WAITING && g->state != GUEST_RUNNING &&
			 g->state != GUEST_KICKING && g->state != GUEST_READY))
		return why_set(why, -EPROTO, "REQUEST while %s", state_names[g->state]);
	g->request_ns = lab_ns(g, guest_ns);
	g->asked_guest_ns = guest_ns < INT64_MAX ? guest_ns : CALENDAR_NEVER;
	return 0;
}

int calendar_wait(struct calendar *calendar, uint32_t guest, struct why *why)
{
	struct calendar_guest *g = at(calendar, guest);

	if (g->state != GUEST_RUNNING)
		return why_set(why, -EPROTO, "WAIT while %s", state_names[g->state]);
	change(calendar, guest, GUEST_WAITING, g->holds);
	return 0;
}

int calendar_update(struct calendar *calendar, uint32_t guest, uint64_t guest_ns,
		    struct why *why)
{
	struct calendar_guest *g = at(calendar, guest);
	uint64_t to_ns = lab_ns(g, guest_ns);

	if (g->state != GUEST_RUNNING)
		return why_set(why, -EPROTO, "UPDATE while %s", state_names[g->state]);
	if (to_ns > g->floor_ns)
		return why_set(why, -EPROTO, "its clock ran %llu ns ahead of its turn",
			       (unsigned long long)(to_ns - g->floor_ns));
	if (to_ns > g->local_ns)
		g->local_ns = to_ns;
	return 0;
}

int calendar_kick(struct calendar *calendar, uint32_t guest, struct why *why)
{
	struct calendar_guest *g = at(calendar, guest);

	if (g->state != GUEST_RUNNING)
		return why_set(why, -EPROTO, "a kick while %s", state_names[g->state]);
	change(calendar, guest, GUEST_KICKING, g->holds);
	return 0;
}

/* ---- saved and loaded ---------------------------------------------------- */

enum { RECORD_VERSION = 1 };

static void guest_record(struct calendar_guest *g, struct record *record)
{
	uint32_t state = g->state;

	record_below(record, &state, GUEST_ENDED + 1, "state");
	g->state = (enum calendar_guest_state)state;
	record_bool(record, &g->fresh);
	record_u32(record, &g->holds);
	record_bool(record, &g->frozen);
	record_below(record, &g->rate_ppb, GUEST_CLOCK_RATE_MAX + 1, "rate");
	record_u64(record, &g->clock.lab_base_ns);
	record_u64(record, &g->clock.guest_base_ns);
	record_below(record, &g->clock.rate_ppb, GUEST_CLOCK_RATE_MAX + 1, "rate");
	record_u64(record, &g->request_ns);
	record_u64(record, &g->asked_guest_ns);
	record_u64(record, &g->turn_guest_ns);
	record_u64(record, &g->local_ns);
	record_u64(record, &g->floor_ns);
	record_u64(record, &g->free_until_ns);
	record_u64(record, &g->runs);
}

/* Both ways: the values in their order. */
static int calendar_record(struct calendar *calendar, struct record *record,
			   struct why *why)
{
	record_begin(record, "calendar", RECORD_VERSION, why);
	record_same(record, calendar->guest_count, "the number of guests");
	record_u64(record, &calendar->now_ns);
	record_u64(record, &calendar->lookahead_ns);
	record_u64(record, &calendar->horizon_ns);
	record_u64(record, &calendar->rounds);
	for (uint32_t i = 0; i < calendar->guest_count && record_ok(record); i++) {
		record_part(record, "guest", i);
		guest_record(&calendar->guests[i], record);
	}
	return record_end(record);
}

int calendar_save(const struct calendar *calendar, struct record *record, struct why *why)
{
	struct calendar same = *calendar; /* of its guests nothing is changed */

	return calendar_record(&same, record, why);
}

int calendar_load(struct calendar *calendar, struct record *record, struct why *why)
{
	int err = calendar_record(calendar, record, why);

	if (err) {
		clear(calendar);
		return err;
	}
	calendar->running = calendar->waited_for = 0;
	for (uint32_t i = 0; i < calendar->guest_count; i++) {
		calendar->running += calendar->guests[i].state == GUEST_RUNNING;
		calendar->waited_for += is_waited_for(&calendar->guests[i]);
	}
	return 0;
}
