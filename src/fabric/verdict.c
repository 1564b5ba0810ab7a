/* SPDX-License-Identifier: MIT */
#include "fabric/verdict.h"

#include <stdio.h>
#include <string.h>

uint64_t verdict_id(const struct sw_tap_event *event)
{
	if (!event->trail || !event->trail->steps)
		return CAPTURE_NO_ID;
	return (uint64_t)event->from << VERDICT_NUMBER_BITS |
	       (event->trail->step[0].frame_no & VERDICT_NUMBER_MASK);
}

static const struct fault_note *last_note(const struct fault_trail *trail)
{
	return trail->notes ? &trail->note[trail->notes - 1] : NULL;
}

/* Reasons that lie not in a direction but at the ports and in the memory. */
static const char *words_of(enum sw_fate fate)
{
	switch (fate) {
	case SW_DROP_POOL:
		return "lost: no memory left for frames that wait";
	case SW_DROP_FULL:
		return "lost: the receiver is full";
	case SW_DROP_NO_PORT:
		return "lost: the receiver is not there";
	case SW_DROP_BAD_FRAME:
		return "lost: too short or too long for a frame";
	default:
		return NULL;
	}
}

static void say(char text[VERDICT_BYTES_MAX], const char *between, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, VERDICT_BYTES_MAX - used, "%s%s", used ? between : "",
		 more);
}

static void put_words(char text[VERDICT_BYTES_MAX], const struct sw_tap_event *event,
		      verdict_cut_fn *cut, void *ctx)
{
	const struct fault_note *last = last_note(event->trail);
	const char *name = NULL, *words = words_of(event->fate);

	fault_trail_format(text, event->trail);
	if (last && last->kind == NOTE_CUT && !event->trail->forgot)
		name = cut(ctx, last->a, last->b);
	if (name)
		say(text, " ", name);
	if (words)
		say(text, last ? "; " : ": ", words);
}

struct capture_frame verdict_plain(const struct sw_tap_event *event, uint64_t wall_ns)
{
	return (struct capture_frame){
		.inbound = event->inbound,
		.wall_ns = wall_ns,
		.bytes = event->frame.bytes,
		.size = event->frame.size,
		.id = CAPTURE_NO_ID,
		.verdict = CAPTURE_NO_VERDICT,
	};
}

struct capture_frame verdict_frame(char text[VERDICT_BYTES_MAX],
				   const struct sw_tap_event *event, uint64_t wall_ns,
				   verdict_cut_fn *cut, void *ctx)
{
	struct capture_frame frame = verdict_plain(event, wall_ns);
	const struct fault_note *last = last_note(event->trail);

	frame.id = verdict_id(event);
	frame.verdict = (int)event->fate | (event->late ? VERDICT_LATE : 0);
	frame.crc_error = last && last->kind == NOTE_LOST_FCS;
	if (event->trail->notes || event->fate != SW_PASS) {
		put_words(text, event, cut, ctx);
		frame.comment = text;
	}
	return frame;
}
