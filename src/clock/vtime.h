/* SPDX-License-Identifier: MIT */
/* vtime.h - virtual time: the calendar at work
 *
 * Serves the calendar (calendar.h) to guests over one Unix socket each, fires the
 * timers of the virtual clock (clock.h), and decides when time may pass at all.
 *
 *   loop's turn ends ─► settled? ─► answer a guest that waits for us
 *                                 ─► tell guests what devices have for them (cues)
 *                                 ─► inputs: what people asked for
 *                                 ─► the next turn: timers, or a guest runs
 *
 * Nothing is begun before all that the last thing led to is done: deferred work
 * of the loop, and each guest's answer to each call.  So what the host does, and in
 * which order descriptors become readable, decides nothing.
 *
 * Devices.  In-band notifications (vhost/vhost_user.h): a kick is a message that
 * the guest waits on; it is done when its time has come, and replied to when all it
 * led to is done (vtime_kick()).  A call to a guest is made when it can hear it at a time
 * that is the same in every run: while it waits, or while it waits for such a reply
 * (vtime_cue()).
 *
 * Pace.  Time passes as fast as the guests allow, but only
 *
 *   pace max     while somebody wants it to: vtime_want() ... vtime_unwant()
 *                (booting, a command under way), or up to vtime_step()
 *   pace N       N times as fast as the host's clock, at most
 *   paused       vtime_step() only
 *
 * An idle lab at pace max stands still, and its time is where the last command
 * left it: a script of commands gives the same times in every run.
 *
 * Guests that cannot reach one another in what they do next run at once; the result is
 * the same as one after the other.
 *
 * Inputs happen between two instants, after all that happens at a time: one lookahead
 * and CALENDAR_FREE_NS after they were asked for, so that no guest has come further by
 * itself.
 *
 * Liveness.  A guest that is waited for and says nothing for guard_ns of host time
 * is reported, once, with ops->stuck(); the calendar goes on waiting.
 *
 * Slowness.  While virtual time is wanted and passes at less than a tenth of the host's,
 * ops->slow() says so at the end of each window of host time, with the guest that ran most
 * of it; and once more, with NULL, when it is so no longer.  ops->slow_window() says that a
 * window begins, for whoever counts something else over the same time.
 *
 * Errors:    creation: 0 or -errno with *why.  A guest that breaks the protocol is
 *            reported by ops->broken() and waited for until vtime_guest_gone().
 * Ownership: vtime_create() gives the virtual time and its clock.
 * Threads:   the loop's.
 */
#ifndef NL_CLOCK_VTIME_H
#define NL_CLOCK_VTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/clock.h"

struct vtime;
struct vtime_guest;

/* Paces are in parts per million of the host's; 0: max. */
#define VTIME_PACE_ONE UINT64_C(1000000)
#define VTIME_PACE_MAX UINT64_C(0)

/* Below this part of the host's time it is slow. */
enum { VTIME_SLOW_PART = 10 };

struct vtime_slowness {
	uint64_t host_ns; /* in which virtual time was wanted ... */
	uint64_t lab_ns;  /* ... and so much passed */
	uint64_t rounds;  /* guests' turns */
	uint32_t guest;	  /* that ran longest: */
	uint64_t guest_ns;
};

struct vtime_ops {
	void (*broken)(void *ctx, uint32_t guest, const char *why);
	/* doing: "has not connected", "runs", "does not answer a device". */
	void (*stuck)(void *ctx, uint32_t guest, const char *doing);
	/* Time has come to stand, or passes again; for whoever waits for a step. */
	void (*paced)(void *ctx);
	/* NULL: not slow any more. */
	void (*slow)(void *ctx, const struct vtime_slowness *slow);
	void (*slow_window)(void *ctx);
};

struct vtime_config {
	struct loop *loop;
	struct clock *host; /* for pace and guard */
	uint64_t wall_at_zero_ns; /* what day machines take it for; since 1970 */
	uint32_t guest_count;
	uint64_t pace_ppm;
	uint64_t guard_ns;
	uint64_t slow_ns; /* a window of the host's time, to judge slowness by; 0: none */
	bool serial; /* one guest at a time, though several could run */
	const struct vtime_ops *ops;
	void *ctx;
};

int vtime_create(struct vtime **out, const struct vtime_config *config, struct why *why);
void vtime_destroy(struct vtime *vtime); /* NULL does nothing */
struct clock *vtime_clock(struct vtime *vtime);

/* ---- guests ---------------------------------------------------------------------- */

/* Listen for a guest at path (at most 107 bytes), before its process is started.
 * Time stands until it has connected. */
int vtime_guest_open(struct vtime *vtime, uint32_t guest, const char *path,
		     struct why *why);
/* Its process was told to end: time stands until it has. */
void vtime_guest_dying(struct vtime *vtime, uint32_t guest);
/* Its process has ended: end.run() is called when that has its turn, and calls
 * vtime_guest_gone(). */
struct vtime_end {
	void (*run)(void *ctx);
	void *ctx;
};
void vtime_guest_ended(struct vtime *vtime, uint32_t guest, const struct vtime_end *end);
/* It has left, or could not be started. */
void vtime_guest_gone(struct vtime *vtime, uint32_t guest);
struct vtime_guest *vtime_guest(struct vtime *vtime, uint32_t guest);

/* Its clock: see guest_clock.h.  As an input, or before the guest is opened.  Frozen: it
 * has no turns and hears nothing until it is not any more; its time goes on then where it
 * stood. */
void vtime_guest_set_clock(struct vtime *vtime, uint32_t guest, uint32_t rate_ppb,
			   bool frozen);
/* What it takes for the wall time when it boots is off by this. */
void vtime_guest_set_wall_offset(struct vtime *vtime, uint32_t guest, int64_t ns);

/* ---- devices of a guest ------------------------------------------------------------ */

struct vtime_cue {
	/* The guest can hear: make the calls that are due, with a vtime_hold() each.
	 * The next cue of this guest waits until they are released. */
	void (*run)(void *ctx);
	void *ctx;
	struct vtime_cue *next;
	bool queued;
};
void vtime_cue(struct vtime_guest *guest, struct vtime_cue *cue); /* once if twice */
void vtime_cue_cancel(struct vtime_guest *guest, struct vtime_cue *cue);
void vtime_hold(struct vtime_guest *guest);
void vtime_release(struct vtime_guest *guest);

/* The guest wants something of a device and waits: run() when its time has come, and
 * send() the reply when all that it led to is done.  -EPROTO: it is not the guest's
 * turn. */
struct vtime_kick {
	void (*run)(void *ctx);
	void (*send)(void *ctx);
	void *ctx;
};
int vtime_kick(struct vtime_guest *guest, const struct vtime_kick *kick, struct why *why);
void vtime_kick_cancel(struct vtime_guest *guest, void *ctx);

/* ---- pace and inputs -----------------------------------------------------------------
 */

void vtime_want(struct vtime *vtime);
void vtime_unwant(struct vtime *vtime);
/* Let time stand although it is wanted, and pass again: nests. */
void vtime_stall(struct vtime *vtime);
void vtime_unstall(struct vtime *vtime);

/* What one guest does reaches another after this long at the earliest. */
void vtime_set_lookahead(struct vtime *vtime, uint64_t ns);
uint64_t vtime_lookahead_ns(const struct vtime *vtime);

/* A step of more than a year is most likely not meant. */
#define CLOCK_STEP_NS_MAX (365 * 86400 * NS_PER_S)

void vtime_set_pace(struct vtime *vtime, uint64_t pace_ppm);
void vtime_pause(struct vtime *vtime, bool paused);
/* Pass to at_ns, whatever the pace, and then stand (unless the pace goes on). */
void vtime_step(struct vtime *vtime, uint64_t at_ns);

struct vtime_input {
	void (*run)(void *ctx);
	void *ctx;
	struct vtime_input *next;
	bool queued;
};
void vtime_input(struct vtime *vtime, struct vtime_input *input); /* once if twice */
void vtime_input_cancel(struct vtime *vtime, struct vtime_input *input);
/* An input at a time that is known: at just that, after all that happens until then.
 * Time does not pass beyond it.  At most one waits so; run() may give the next one. */
void vtime_plan(struct vtime *vtime, struct vtime_input *input, uint64_t at_ns);
/* May what reaches guests be done now?  True within vtime_input.run(). */
bool vtime_open(const struct vtime *vtime);

struct vtime_state {
	uint64_t now_ns;
	uint64_t pace_ppm;
	bool paused, standing;
	uint64_t step_to_ns;	   /* 0: none under way */
	uint64_t rounds;	   /* guests' turns */
	uint64_t timers;	   /* instants at which timers of the lab fired */
	uint64_t calls;		   /* to guests */
	uint64_t host_ns;	   /* since the beginning */
	uint64_t guests_host_ns;   /* of that, spent waiting for guests that ran */
	uint64_t standing_host_ns; /* and standing still */
};
struct vtime_state vtime_state(const struct vtime *vtime);

#endif
