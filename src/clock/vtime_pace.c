/* SPDX-License-Identifier: MIT */
/* What decides if virtual time passes: who wants it, its pace, pauses, steps, inputs. */
#include "base/check.h"
#include "clock/vtime_internal.h"

/* Something has changed that decides if time passes. */
static void poke(struct vtime *vtime)
{
	loop_again(vtime->loop);
}

void vtime_want(struct vtime *vtime)
{
	vtime->wanted++;
	poke(vtime);
}

void vtime_unwant(struct vtime *vtime)
{
	ASSERT(vtime->wanted);
	vtime->wanted--;
}

void vtime_stall(struct vtime *vtime)
{
	vtime->stalled++;
}

void vtime_unstall(struct vtime *vtime)
{
	ASSERT(vtime->stalled);
	if (--vtime->stalled == 0) {
		vtime_rebase(vtime);
		poke(vtime);
	}
}

void vtime_set_lookahead(struct vtime *vtime, uint64_t ns)
{
	vtime->calendar.lookahead_ns = ns;
}

uint64_t vtime_lookahead_ns(const struct vtime *vtime)
{
	return vtime->calendar.lookahead_ns;
}

void vtime_set_pace(struct vtime *vtime, uint64_t pace_ppm)
{
	vtime->pace_ppm = pace_ppm;
	vtime_rebase(vtime);
	poke(vtime);
}

void vtime_pause(struct vtime *vtime, bool paused)
{
	vtime->paused = paused;
	vtime_rebase(vtime);
	poke(vtime);
}

void vtime_step(struct vtime *vtime, uint64_t at_ns)
{
	if (at_ns < vtime->calendar.now_ns)
		at_ns = vtime->calendar.now_ns;
	vtime->stepping = true;
	vtime->standing = false;
	vtime->step_to_ns = at_ns;
	poke(vtime);
}

void vtime_input(struct vtime *vtime, struct vtime_input *input)
{
	if (input->queued)
		return;
	input->queued = true;
	input->next = NULL;
	*vtime->inputs_end = input;
	vtime->inputs_end = &input->next;
	poke(vtime);
}

void vtime_input_cancel(struct vtime *vtime, struct vtime_input *input)
{
	struct vtime_input **at = &vtime->inputs;

	if (!input->queued)
		return;
	while (*at != input)
		at = &(*at)->next;
	*at = input->next;
	if (vtime->inputs_end == &input->next)
		vtime->inputs_end = at;
	input->queued = false;
}

void vtime_plan(struct vtime *vtime, struct vtime_input *input, uint64_t at_ns)
{
	ASSERT(!vtime->planned && at_ns >= vtime->calendar.now_ns);
	vtime->planned = input;
	vtime->planned_ns = at_ns;
	poke(vtime);
}

bool vtime_open(const struct vtime *vtime)
{
	return vtime->open;
}

struct vtime_state vtime_state(const struct vtime *vtime)
{
	return (struct vtime_state){
		.now_ns = vtime->calendar.now_ns,
		.pace_ppm = vtime->pace_ppm,
		.paused = vtime->paused,
		.standing = vtime->standing,
		.step_to_ns = vtime->stepping ? vtime->step_to_ns : 0,
		.rounds = vtime->calendar.rounds,
		.timers = vtime->timers,
		.calls = vtime->calls,
		.host_ns = clock_now_ns(vtime->host) - vtime->host_zero_ns,
		.guests_host_ns = vtime->guests_host_ns,
		.standing_host_ns = vtime->standing_host_ns,
	};
}
