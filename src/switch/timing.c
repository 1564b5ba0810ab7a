/* SPDX-License-Identifier: MIT */
#include "switch/timing.h"

#include <stdlib.h>

/* Did it stand behind others, so that its line was busy all the time between? */
static bool was_queued(const struct fault_trail *trail)
{
	for (unsigned n = trail->notes; n-- > 0;)
		if (trail->note[n].kind == NOTE_QUEUED &&
		    trail->note[n].step + 1 == trail->steps)
			return trail->note[n].a > 0;
	return false;
}

void timing_came(struct sw *sw, const struct transit *transit, uint64_t due_ns)
{
	struct direction *d = transit->direction;
	struct sw_timing *timing = d->timing;

	if (sw->due_count < SW_DUES_MAX)
		sw->dues[sw->due_count++] = due_ns;
	if (!timing) {
		/* Without memory it is not measured; that is all. */
		timing = d->timing = calloc(1, sizeof(*timing));
		if (!timing)
			return;
	}
	timing->frames++;
	timing->wait_ns += sw->now_ns - transit->at_ns;
	histogram_add(&timing->late, sw->now_ns - due_ns);
	if (timing->last_ns && was_queued(transit->trail)) {
		timing->busy_bytes += transit->frame.size;
		timing->busy_ns += sw->now_ns - timing->last_ns;
	}
	timing->last_ns = sw->now_ns;
}

void timing_restart(const struct sw *sw, struct direction *direction)
{
	if (!direction->timing && !direction->count.frames)
		return;
	if (!direction->timing)
		direction->timing = malloc(sizeof(*direction->timing));
	if (direction->timing)
		*direction->timing = (struct sw_timing){ .since_ns = sw->now_ns,
							 .before = direction->count };
}
