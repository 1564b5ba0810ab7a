/* SPDX-License-Identifier: MIT */
/* fault.h - what one direction of one link does to a frame
 *
 * A fault spec is data; a verdict is a pure function of (spec, state, key, frame
 * number, size, now).  Nothing here reads a clock, allocates, or keeps a
 * generator: every draw is base/draw.h's keyed hash of the direction, the
 * frame's number and the name of the decision.
 *
 * Order: down -> loss -> rate and queue -> delay and jitter.  (Cuts by partition
 * are the switch's: they depend on who sent the frame and who would get it.)
 *
 *   loss    drop iff draw in [0, 10^6) < loss_ppm
 *   rate    a frame of s bytes occupies the line for 8 s / rate seconds, after
 *           the frames before it; no Ethernet preamble, gap or FCS is counted
 *   limit   a frame that would wait behind limit_frames frames, or with which
 *           more than limit_bytes bytes would wait or be on the line, is dropped
 *   delay   every frame arrives delay_ns after it left the line
 *   jitter  plus a uniform draw from [-jitter_ns, +jitter_ns]; frames may
 *           overtake one another when it exceeds their distance
 *
 * Errors:    none: a spec that fault_spec_check() accepted always has a verdict.
 * Ownership: nothing is kept.
 * Units:     in the names: _ppm parts per million, _ns nanoseconds, _bps bits
 *            per second.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_FAULT_H
#define NL_LINKFAULT_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "linkfault/note.h"

enum {
	FAULT_PPM_ALL = 1000000,
	FAULT_LIMIT_FRAMES_DEFAULT = 1000, /* netem's and most drivers' queue */
};

#define FAULT_DELAY_NS_MAX UINT64_C(3600000000000) /* an hour */
#define FAULT_RATE_BPS_MIN UINT64_C(8)		   /* a byte a second */
#define FAULT_RATE_BPS_MAX UINT64_C(1000000000000)

/* One direction of a link.  All-zero is a perfect wire. */
struct fault_spec {
	bool down;	       /* the carrier is lost; nothing passes */
	uint32_t loss_ppm;     /* 0 .. FAULT_PPM_ALL */
	uint64_t delay_ns;     /* 0 .. FAULT_DELAY_NS_MAX */
	uint64_t jitter_ns;    /* 0 .. delay_ns */
	uint64_t rate_bps;     /* 0: as fast as it comes */
	uint32_t limit_frames; /* 0: FAULT_LIMIT_FRAMES_DEFAULT; needs a rate */
	uint32_t limit_bytes;  /* 0: no limit in bytes; needs a rate */
};

/* Is the spec one that a verdict exists for?  0, or -EINVAL and the reason in
 * the words of the topology file ("jitter 5ms is larger than delay 1ms"). */
int fault_spec_check(const struct fault_spec *spec, struct why *why);

/* Does the spec leave every frame as it is, now? */
static inline bool fault_spec_is_perfect(const struct fault_spec *spec)
{
	return !spec->down && !spec->loss_ppm && !spec->rate_bps && !spec->delay_ns;
}

enum fault_fate {
	FAULT_PASS,  /* arrives at due_ns */
	FAULT_DOWN,  /* the link is down */
	FAULT_LOSS,  /* lost by chance */
	FAULT_LIMIT, /* the rate's queue was full */
};

/* The line of a direction that has a rate: what is on it or waits for it.
 * All-zero is an idle line.  A change of the rate calls for a new line. */
struct fault_line {
	uint64_t free_ns;   /* idle from free_ns + free_rest / rate_bps ns on */
	uint64_t free_rest; /* below rate_bps: so no rounding ever adds up */
	uint64_t bytes;	    /* of the frames that have not left it */
	uint32_t frames;
};

struct fault_verdict {
	enum fault_fate fate;
	uint64_t leave_ns;	/* FAULT_PASS: when the frame has left the line, and */
	uint64_t due_ns;	/* when it arrives: now <= leave_ns <= due_ns */
	struct fault_line line; /* what the line is once this frame is on it */
};

/* The fate of frame frame_no (from 0, per direction) of size bytes that is
 * offered at now_ns, not before the one before it.  The caller keeps
 * verdict.line if the frame is really sent, and calls fault_line_leave() for
 * each frame whose leave_ns has come before it asks for the next verdict.  What was
 * decided is noted in the trail. */
struct fault_verdict fault_judge(const struct fault_spec *spec,
				 const struct fault_line *line, uint64_t key,
				 uint64_t frame_no, uint32_t size, uint64_t now_ns,
				 struct fault_trail *trail);

/* A frame of size bytes, accepted with a rate, has left the line. */
void fault_line_leave(struct fault_line *line, uint32_t size);

#endif
