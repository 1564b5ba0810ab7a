/* SPDX-License-Identifier: MIT */
#include "linkfault/fault.h"

#include <errno.h>

#include "base/check.h"
#include "base/draw.h"
#include "base/units.h"

#define NS_PER_BIT_AT_1BPS UINT64_C(1000000000)
/* A frame that would wait past this is one too many for any queue. */
#define END_OF_TIME_NS (UINT64_MAX / 2)

int fault_spec_check(const struct fault_spec *spec, struct why *why)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX];

	if (spec->loss_ppm > FAULT_PPM_ALL)
		return why_set(why, -EINVAL, "loss %s is more than 100%%",
			       units_format_ppm(a, spec->loss_ppm));
	if (spec->delay_ns > FAULT_DELAY_NS_MAX)
		return why_set(why, -EINVAL, "delay %s is longer than %s",
			       units_format_ns(a, spec->delay_ns),
			       units_format_ns(b, FAULT_DELAY_NS_MAX));
	if (spec->jitter_ns > spec->delay_ns)
		return why_set(why, -EINVAL,
			       "jitter %s is larger than delay %s: a frame cannot arrive "
			       "before it was sent",
			       units_format_ns(a, spec->jitter_ns),
			       units_format_ns(b, spec->delay_ns));
	if (spec->rate_bps && spec->rate_bps < FAULT_RATE_BPS_MIN)
		return why_set(why, -EINVAL, "rate %s is less than %s",
			       units_format_bps(a, spec->rate_bps),
			       units_format_bps(b, FAULT_RATE_BPS_MIN));
	if (spec->rate_bps > FAULT_RATE_BPS_MAX)
		return why_set(why, -EINVAL, "rate %s is more than %s",
			       units_format_bps(a, spec->rate_bps),
			       units_format_bps(b, FAULT_RATE_BPS_MAX));
	if (!spec->rate_bps && (spec->limit_frames || spec->limit_bytes))
		return why_set(
			why, -EINVAL,
			"limit needs a rate: without one, no frame waits for the line");
	return 0;
}

static uint32_t limit_frames(const struct fault_spec *spec)
{
	return spec->limit_frames ? spec->limit_frames : FAULT_LIMIT_FRAMES_DEFAULT;
}

static bool line_is_full(const struct fault_spec *spec, const struct fault_line *line,
			 uint32_t size, struct fault_trail *trail)
{
	if (line->frames >= limit_frames(spec)) {
		fault_note_add(trail, NOTE_LOST_LIMIT, 0, line->frames,
			       limit_frames(spec));
		return true;
	}
	if (spec->limit_bytes && line->bytes + size > spec->limit_bytes) {
		fault_note_add(trail, NOTE_LOST_LIMIT_BYTES, 0, (uint32_t)line->bytes,
			       spec->limit_bytes);
		return true;
	}
	return line->free_ns > END_OF_TIME_NS;
}

/* Put the frame behind the others.  The time is kept as a whole number of
 * nanoseconds and a fraction with rate_bps below the line, so the n-th frame
 * leaves at exactly the sum of what the frames before it took. */
static void line_add(struct fault_line *line, uint64_t rate_bps, uint32_t size,
		     uint64_t now_ns)
{
	unsigned __int128 work;

	if (line->free_ns < now_ns) {
		line->free_ns = now_ns;
		line->free_rest = 0;
	}
	work = (unsigned __int128)size * 8 * NS_PER_BIT_AT_1BPS + line->free_rest;
	line->free_ns += (uint64_t)(work / rate_bps);
	line->free_rest = (uint64_t)(work % rate_bps);
	line->frames++;
	line->bytes += size;
}

struct fault_verdict fault_judge(const struct fault_spec *spec,
				 const struct fault_line *line, uint64_t key,
				 uint64_t frame_no, uint32_t size, uint64_t now_ns,
				 struct fault_trail *trail)
{
	struct fault_verdict v = { .fate = FAULT_PASS,
				   .leave_ns = now_ns,
				   .line = *line };

	if (spec->down) {
		v.fate = FAULT_DOWN;
		fault_note_add(trail, NOTE_LOST_DOWN, 0, 0, 0);
		return v;
	}
	if (spec->loss_ppm &&
	    draw_below(key, frame_no, LANE_LOSS, FAULT_PPM_ALL) < spec->loss_ppm) {
		v.fate = FAULT_LOSS;
		fault_note_add(trail, NOTE_LOST_RANDOM, 0, 0, 0);
		return v;
	}
	if (spec->rate_bps) {
		if (line_is_full(spec, line, size, trail)) {
			v.fate = FAULT_LIMIT;
			return v;
		}
		if (line->frames)
			fault_note_add(trail, NOTE_QUEUED, 0, line->frames,
				       limit_frames(spec));
		line_add(&v.line, spec->rate_bps, size, now_ns);
		/* Never early: a started nanosecond counts whole. */
		v.leave_ns = v.line.free_ns + (v.line.free_rest > 0);
	}
	v.due_ns = v.leave_ns + spec->delay_ns;
	if (spec->jitter_ns)
		v.due_ns =
			v.due_ns - spec->jitter_ns +
			draw_below(key, frame_no, LANE_JITTER, 2 * spec->jitter_ns + 1);
	if (v.leave_ns > now_ns)
		fault_note_add_value(trail, NOTE_WAITED, 0, v.leave_ns - now_ns);
	if (v.due_ns > v.leave_ns)
		fault_note_add_value(trail, NOTE_DELAYED, 0, v.due_ns - v.leave_ns);
	return v;
}

void fault_line_leave(struct fault_line *line, uint32_t size)
{
	ASSERT(line->frames > 0 && line->bytes >= size);
	line->frames--;
	line->bytes -= size;
}
