/* SPDX-License-Identifier: MIT */
#include "clock/vtime.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "clock/vtime_internal.h"

/* More would only wait for processors; the others' turns come next. */
enum { GUESTS_AT_ONCE = 16 };

/* Behind the pace by more than this, the lab does not run to catch up. */
#define LAG_NS (100 * NS_PER_MS)

/* ---- how the host's time was spent ------------------------------------------ */

static void mark(struct vtime *vtime, int kind)
{
	uint64_t now_ns = clock_now_ns(vtime->host);

	if (vtime->mark == MARK_GUESTS)
		vtime->guests_host_ns += now_ns - vtime->mark_ns;
	else if (vtime->mark == MARK_STANDING)
		vtime->standing_host_ns += now_ns - vtime->mark_ns;
	vtime->mark = kind;
	vtime->mark_ns = now_ns;
}

void vtime_heard(struct vtime *vtime)
{
	mark(vtime, MARK_NONE);
	vtime->heard_ns = vtime->mark_ns;
	vtime->stuck_told = false;
}

void vtime_set_now(struct vtime *vtime, uint64_t now_ns)
{
	clock_virtual_set(vtime->clock, now_ns);
}

static void advance(struct vtime *vtime, uint64_t at_ns)
{
	calendar_advance(&vtime->calendar, at_ns);
	vtime_set_now(vtime, at_ns);
}

/* ---- how far time may pass ---------------------------------------------------- */

void vtime_rebase(struct vtime *vtime)
{
	vtime->pace_host_ns = clock_now_ns(vtime->host);
	vtime->pace_lab_ns = vtime->calendar.now_ns;
}

static uint64_t scale(uint64_t ns, uint64_t by, uint64_t per)
{
	return (uint64_t)((unsigned __int128)ns * by / per);
}

/* Lab time of this moment at the pace that is set. */
static uint64_t paced_ns(struct vtime *vtime)
{
	uint64_t host_ns = clock_now_ns(vtime->host) - vtime->pace_host_ns;
	uint64_t lab_ns =
		vtime->pace_lab_ns + scale(host_ns, vtime->pace_ppm, VTIME_PACE_ONE);

	if (lab_ns > vtime->calendar.now_ns + LAG_NS && vtime->mark != MARK_STANDING) {
		vtime_rebase(vtime);
		lab_ns = vtime->pace_lab_ns;
	}
	return lab_ns;
}

/* Time may pass to this, and not beyond. */
static uint64_t limit_ns(struct vtime *vtime)
{
	uint64_t limit = vtime->calendar.now_ns;

	if (vtime->stalled)
		return limit;
	if (vtime->stepping)
		return vtime->step_to_ns;
	if (vtime->paused)
		return limit;
	if (vtime->pace_ppm == VTIME_PACE_MAX)
		return vtime->wanted ? CALENDAR_NEVER : limit;
	return paced_ns(vtime);
}

/* Where time is to stand, everybody stands; but what the host decides, by its clock or by
 * how fast a client reads, is no such place: a guest that stops there may count another
 * time for reading its clock, and the run could not be repeated. */
static uint64_t horizon_ns(const struct vtime *vtime, uint64_t limit)
{
	bool by_host = vtime->stalled || (vtime->pace_ppm && !vtime->paused);

	if (!by_host || vtime->stepping || vtime->inputs)
		return limit;
	return vtime->planned ? vtime->planned_ns : CALENDAR_NEVER;
}

static void on_pace(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns; /* the turn of the loop that this makes is what was wanted */
}

/* Nothing may happen yet: come back when the pace allows what is next. */
static void stand(struct vtime *vtime, uint64_t next_ns)
{
	bool was = vtime->standing;

	if (vtime->pace_ppm && !vtime->paused && !vtime->stalled &&
	    next_ns != CALENDAR_NEVER)
		timer_set(vtime->host, &vtime->pace_timer,
			  vtime->pace_host_ns +
				  scale(next_ns - vtime->pace_lab_ns, VTIME_PACE_ONE,
					vtime->pace_ppm) +
				  1);
	mark(vtime, MARK_STANDING);
	vtime->standing = true;
	if (!was)
		vtime->ops->paced(vtime->ctx);
}

/* ---- a turn --------------------------------------------------------------------- */

/* The one whose kick is being done hears within it; others while they wait. */
static bool hears(const struct vtime *vtime, uint32_t guest)
{
	const struct calendar_guest *g = &vtime->calendar.guests[guest];

	return (vtime->kicker && vtime->kicker->index == guest) ||
	       (g->state == GUEST_WAITING && !g->fresh);
}

/* Make calls that devices owe, to guests that have not come further than now.  *later_ns
 * is when the first of the others can be called. */
static bool cue_someone(struct vtime *vtime, uint64_t *later_ns)
{
	struct calendar *calendar = &vtime->calendar;
	bool any = false;

	*later_ns = CALENDAR_NEVER;
	/* In the middle of a guest's turn it would depend on how far it has got. */
	if (calendar->running)
		return false;
	for (uint32_t i = 0; i < calendar->guest_count; i++) {
		const struct calendar_guest *g = &calendar->guests[i];
		struct vtime_guest *guest = &vtime->guests[i];

		if (!guest->cues || g->holds || g->frozen || !hears(vtime, i))
			continue;
		if (guest == vtime->kicker || g->floor_ns <= calendar->now_ns)
			any |= vtime_guest_cue(guest);
		else if (g->floor_ns < *later_ns)
			*later_ns = g->floor_ns;
	}
	return any;
}

static bool holds_anybody(const struct calendar *calendar)
{
	for (uint32_t i = 0; calendar->waited_for && i < calendar->guest_count; i++)
		if (calendar->guests[i].holds)
			return true;
	return false;
}

/* When the inputs that wait are to happen; CALENDAR_NEVER: there are none. */
static uint64_t input_ns(struct vtime *vtime)
{
	uint64_t now_ns = vtime->calendar.now_ns, paced = 0;

	if (!vtime->inputs)
		return CALENDAR_NEVER;
	if (vtime->input_at_ns != CALENDAR_NEVER)
		return vtime->input_at_ns;
	/* At the time that people see. */
	if (vtime->pace_ppm && !vtime->paused && !vtime->stepping)
		paced = paced_ns(vtime);
	/* Guests that run began less than one lookahead from now, and none goes further
	 * by itself than CALENDAR_FREE_NS from there: then all of them can hear. */
	vtime->input_at_ns = (paced > now_ns ? paced : now_ns) +
			     vtime->calendar.lookahead_ns + CALENDAR_FREE_NS;
	return vtime->input_at_ns;
}

static void run_inputs(struct vtime *vtime)
{
	vtime->standing = false;
	vtime->input_at_ns = CALENDAR_NEVER;
	vtime->open = true;
	while (vtime->inputs) {
		struct vtime_input *input = vtime->inputs;

		vtime_input_cancel(vtime, input);
		input->run(input->ctx);
	}
	vtime->open = false;
}

static void run_planned(struct vtime *vtime)
{
	struct vtime_input *input = steal_ptr(&vtime->planned);

	vtime->standing = false;
	vtime->open = true;
	input->run(input->ctx);
	vtime->open = false;
}

static void run_window(struct vtime *vtime, const struct calendar_turn *turn)
{
	struct calendar *calendar = &vtime->calendar;
	uint64_t timer_due_ns = clock_virtual_due_ns(vtime->clock);
	uint32_t window[GUESTS_AT_ONCE];
	uint32_t count = calendar_window(calendar, turn, timer_due_ns, window,
					 vtime->serial ? 1 : GUESTS_AT_ONCE);
	bool ready[GUESTS_AT_ONCE];

	for (uint32_t i = 0; i < count; i++) {
		ready[i] = calendar->guests[window[i]].state == GUEST_READY;
		calendar_run(calendar, window[i]);
	}
	for (uint32_t i = 0; i < count; i++)
		calendar_refresh(calendar, window[i], timer_due_ns);
	for (uint32_t i = 0; i < count; i++)
		vtime_guest_go(&vtime->guests[window[i]], ready[i]);
}

static void begin(struct vtime *vtime, const struct calendar_turn *next)
{
	vtime->standing = false;
	advance(vtime, next->at_ns);
	if (next->kind == TURN_TIMER) {
		vtime->timers++;
		clock_virtual_fire(vtime->clock);
	} else if (next->kind == TURN_KICK) {
		vtime_guest_kick(&vtime->guests[next->guest]);
	} else if (next->kind == TURN_LEAVE) {
		vtime_guest_end(&vtime->guests[next->guest]);
	} else {
		run_window(vtime, next);
	}
}

static void watch_over(struct vtime *vtime)
{
	mark(vtime, MARK_GUESTS);
	vtime_slow_watch(vtime);
	if (vtime->guard_ns && !vtime->guard.set)
		timer_set(vtime->host, &vtime->guard, vtime->heard_ns + vtime->guard_ns);
}

/* Nothing else happens before the end of the step, which may lie where a guest has come
 * by itself. */
static void end_step(struct vtime *vtime)
{
	if (vtime->step_to_ns > vtime->calendar.now_ns)
		advance(vtime, vtime->step_to_ns);
	vtime->stepping = false;
	vtime_rebase(vtime);
}

/* What has to be done before time can pass.  True: there was something. */
static bool finish_last(struct vtime *vtime, uint64_t *cue_ns)
{
	struct calendar *calendar = &vtime->calendar;
	struct vtime_guest *kicker = vtime->kicker;

	if (kicker && calendar->guests[kicker->index].state != GUEST_KICKING)
		kicker = vtime->kicker = NULL; /* it ends */
	if (cue_someone(vtime, cue_ns) || holds_anybody(calendar))
		return true;
	if (!kicker)
		return false;
	vtime_guest_reply(kicker);
	return calendar->waited_for;
}

/* Do the next thing.  True: there may be more at once. */
static bool step(struct vtime *vtime)
{
	struct calendar *calendar = &vtime->calendar;
	struct calendar_turn next;
	uint64_t limit, cue_ns, input_at_ns;

	if (finish_last(vtime, &cue_ns)) {
		watch_over(vtime);
		return false;
	}
	next = calendar_next(calendar, clock_virtual_due_ns(vtime->clock));
	if (next.kind == TURN_BUSY) {
		watch_over(vtime);
		return false;
	}
	/* Inputs happen also while time stands. */
	input_at_ns = input_ns(vtime);
	limit = limit_ns(vtime);
	if (vtime->inputs)
		limit = input_at_ns;
	if (vtime->planned && vtime->planned_ns < limit)
		limit = vtime->planned_ns;
	if (next.at_ns > limit || next.kind == TURN_NONE) {
		if (cue_ns != CALENDAR_NEVER && cue_ns <= limit) {
			advance(vtime, cue_ns);
			return true;
		}
		if (vtime->planned && vtime->planned_ns == limit) {
			advance(vtime, limit);
			run_planned(vtime);
			return true;
		}
		if (vtime->inputs) {
			advance(vtime, input_at_ns);
			run_inputs(vtime);
			return true;
		}
		if (vtime->stepping && !vtime->stalled) {
			end_step(vtime);
			return true;
		}
		stand(vtime, next.at_ns < cue_ns ? next.at_ns : cue_ns);
		return false;
	}
	if (cue_ns < next.at_ns) {
		advance(vtime, cue_ns);
		return true;
	}
	calendar->horizon_ns = horizon_ns(vtime, limit);
	begin(vtime, &next);
	return true;
}

static void on_settled(void *ctx)
{
	struct vtime *vtime = ctx;

	/* What a step led to is done in the loop's own order first. */
	if (step(vtime))
		loop_again(vtime->loop);
}

/* ---- liveness ------------------------------------------------------------------- */

static void on_guard(void *ctx, uint64_t now_ns)
{
	static const char *const doing[] = {
		[GUEST_ABSENT] = "is absent",
		[GUEST_EXPECTED] = "has not asked for its first turn",
		[GUEST_WAITING] = "does not answer a device",
		[GUEST_RUNNING] = "has been running",
		[GUEST_KICKING] = "waits for a device",
		[GUEST_READY] = "waits for its turn",
		[GUEST_LEAVING] = "was to end",
		[GUEST_ENDED] = "has ended",
	};
	struct vtime *vtime = ctx;
	struct calendar *calendar = &vtime->calendar;

	if (!calendar->waited_for || vtime->stuck_told)
		return;
	if (now_ns < vtime->heard_ns + vtime->guard_ns) {
		timer_set(vtime->host, &vtime->guard, vtime->heard_ns + vtime->guard_ns);
		return;
	}
	vtime->stuck_told = true;
	for (uint32_t i = 0; i < calendar->guest_count; i++) {
		const struct calendar_guest *g = &calendar->guests[i];

		if (g->holds || g->state == GUEST_EXPECTED || g->state == GUEST_RUNNING ||
		    g->state == GUEST_LEAVING) {
			vtime->ops->stuck(vtime->ctx, i, doing[g->state]);
			return;
		}
	}
}

/* ---- life ------------------------------------------------------------------------ */

int vtime_create(struct vtime **out, const struct vtime_config *config, struct why *why)
{
	struct vtime *vtime = calloc(1, sizeof(*vtime));
	int err;

	if (!vtime)
		return why_set(why, -ENOMEM, "virtual time: out of memory");
	vtime->loop = config->loop;
	vtime->host = config->host;
	vtime->ops = config->ops;
	vtime->ctx = config->ctx;
	vtime->pace_ppm = config->pace_ppm;
	vtime->guard_ns = config->guard_ns;
	vtime->serial = config->serial;
	vtime->inputs_end = &vtime->inputs;
	vtime->pace_timer = (struct timer){ .fire = on_pace, .ctx = vtime };
	vtime->guard = (struct timer){ .fire = on_guard, .ctx = vtime };
	vtime_slow_init(vtime, config->slow_ns);
	vtime->host_zero_ns = vtime->heard_ns = clock_now_ns(vtime->host);
	err = clock_virtual_create(&vtime->clock, config->wall_at_zero_ns, why);
	if (!err)
		err = calendar_init(&vtime->calendar, config->guest_count, why);
	if (!err) {
		vtime->guests = calloc(config->guest_count + 1, sizeof(*vtime->guests));
		if (!vtime->guests)
			err = why_set(why, -ENOMEM, "virtual time: out of memory");
	}
	if (err) {
		vtime_destroy(vtime);
		return err;
	}
	for (uint32_t i = 0; i < config->guest_count; i++)
		vtime_guest_init(&vtime->guests[i], vtime, i);
	vtime->input_at_ns = CALENDAR_NEVER;
	vtime_rebase(vtime);
	loop_on_settled(vtime->loop, on_settled, vtime);
	*out = vtime;
	return 0;
}

void vtime_destroy(struct vtime *vtime)
{
	if (!vtime)
		return;
	loop_on_settled(vtime->loop, NULL, NULL);
	timer_cancel(vtime->host, &vtime->pace_timer);
	timer_cancel(vtime->host, &vtime->guard);
	timer_cancel(vtime->host, &vtime->slow.timer);
	for (uint32_t i = 0; vtime->guests && i < vtime->calendar.guest_count; i++)
		vtime_guest_close(&vtime->guests[i]);
	free(vtime->guests);
	calendar_free(&vtime->calendar);
	clock_destroy(vtime->clock);
	free(vtime);
}

struct clock *vtime_clock(struct vtime *vtime)
{
	return vtime->clock;
}
