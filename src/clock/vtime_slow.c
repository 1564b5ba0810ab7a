/* SPDX-License-Identifier: MIT */
/* Who makes virtual time slow: looked at in windows of the host's time. */
#include "clock/vtime_internal.h"

/* The host's time that went by and in which virtual time was wanted. */
static uint64_t active_ns(struct vtime *vtime)
{
	struct vtime_state state = vtime_state(vtime);
	uint64_t standing_ns = state.standing_host_ns;

	if (vtime->mark == MARK_STANDING)
		standing_ns += clock_now_ns(vtime->host) - vtime->mark_ns;
	return state.host_ns - standing_ns;
}

void vtime_slow_go(struct vtime_guest *guest)
{
	guest->went_ns = clock_now_ns(guest->vtime->host);
}

void vtime_slow_stop(struct vtime_guest *guest)
{
	if (guest->went_ns)
		guest->ran_ns += clock_now_ns(guest->vtime->host) - guest->went_ns;
	guest->went_ns = 0;
}

/* What this guest has run since the last look. */
static uint64_t ran_ns(struct vtime_guest *guest)
{
	uint64_t ns;

	if (guest->went_ns) {
		vtime_slow_stop(guest);
		vtime_slow_go(guest);
	}
	ns = guest->ran_ns;
	guest->ran_ns = 0;
	return ns;
}

static void begin_window(struct vtime *vtime)
{
	vtime->slow.active_ns = active_ns(vtime);
	vtime->slow.lab_ns = vtime->calendar.now_ns;
	vtime->slow.rounds = vtime->calendar.rounds;
	timer_set(vtime->host, &vtime->slow.timer,
		  clock_now_ns(vtime->host) + vtime->slow.window_ns);
	vtime->ops->slow_window(vtime->ctx);
}

static void look(struct vtime *vtime)
{
	struct vtime_slowness slow = {
		.host_ns = active_ns(vtime) - vtime->slow.active_ns,
		.lab_ns = vtime->calendar.now_ns - vtime->slow.lab_ns,
		.rounds = vtime->calendar.rounds - vtime->slow.rounds,
	};

	for (uint32_t i = 0; i < vtime->calendar.guest_count; i++) {
		uint64_t ns = ran_ns(&vtime->guests[i]);

		if (ns > slow.guest_ns) {
			slow.guest_ns = ns;
			slow.guest = i;
		}
	}
	/* Less than most of a window is too little to judge by. */
	if (slow.host_ns > vtime->slow.window_ns / 4 * 3 && slow.guest_ns &&
	    slow.lab_ns < slow.host_ns / VTIME_SLOW_PART) {
		vtime->slow.told = true;
		vtime->ops->slow(vtime->ctx, &slow);
	} else if (vtime->slow.told) {
		vtime->slow.told = false;
		vtime->ops->slow(vtime->ctx, NULL);
	}
}

static void on_window(void *ctx, uint64_t now_ns)
{
	struct vtime *vtime = ctx;

	(void)now_ns;
	look(vtime);
	/* An idle lab is not woken for this; the next turn of a guest begins a window. */
	if (vtime->calendar.waited_for || vtime->slow.told)
		begin_window(vtime);
}

void vtime_slow_init(struct vtime *vtime, uint64_t window_ns)
{
	vtime->slow.window_ns = window_ns;
	vtime->slow.timer = (struct timer){ .fire = on_window, .ctx = vtime };
}

void vtime_slow_watch(struct vtime *vtime)
{
	if (!vtime->slow.timer.set && vtime->slow.window_ns)
		begin_window(vtime);
}
