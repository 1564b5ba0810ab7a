/* SPDX-License-Identifier: MIT */
/* vtime_internal.h - what the files of virtual time share
 *
 *	vtime.c		when time passes: pace, inputs, the order of a turn
 *	vtime_guest.c	one guest: its socket, the messages, what devices owe it
 *	vtime_share.c	the page that saves most messages
 *	vtime_slow.c	who makes time slow
 */
#ifndef NL_CLOCK_VTIME_INTERNAL_H
#define NL_CLOCK_VTIME_INTERNAL_H

#include "clock/calendar.h"
#include "clock/vtime.h"
#include "clock/vtime_share.h"

/* Linux, include/uapi/linux/um_timetravel.h. */
enum tt_op {
	TT_ACK = 0,
	TT_START = 1,
	TT_REQUEST = 2,
	TT_WAIT = 3,
	TT_GET = 4,
	TT_UPDATE = 5,
	TT_RUN = 6,
	TT_FREE_UNTIL = 7,
	TT_GET_TOD = 8,
	TT_BROADCAST = 9,
};

struct tt_message {
	uint32_t op;
	uint32_t seq;
	uint64_t time;
};

struct vtime_guest {
	struct vtime *vtime;
	uint32_t index;
	int64_t wall_offset_ns; /* of its calendar's wall clock, as it boots */
	char path[108];
	int listen_fd, fd;
	struct watch *watch;
	struct tt_message in;
	size_t in_bytes;
	uint32_t start_seq; /* START is answered by the first turn */
	bool started;
	bool asked;  /* it has said something since START */
	bool shares; /* by the page; known when it has asked */
	struct vtime_share share;
	bool broken;
	uint32_t free_seq; /* of the FREE_UNTIL that it has to take before our reply */
	bool free_due;	   /* that one is not acknowledged yet */
	uint64_t told_ns;  /* the last one, in its own time */
	struct vtime_cue *cues, **cues_end;
	struct vtime_kick kick; /* .send NULL: none is under way */
	struct vtime_end
		end;   /* .run NULL: its process runs, or is not told to have ended */
	bool kick_run; /* it has had its time, and waits for the reply */
	uint64_t went_ns; /* host time at which its turn began; 0: it has none */
	uint64_t ran_ns;  /* of the host's, in this window */
};

struct vtime {
	struct loop *loop;
	struct clock *host;
	struct clock *clock;
	struct calendar calendar;
	struct vtime_guest *guests;
	struct vtime_guest *kicker; /* whose kick is being done, or NULL */
	const struct vtime_ops *ops;
	void *ctx;

	bool serial;
	unsigned wanted, stalled;
	uint64_t pace_ppm;
	bool paused, stepping, open, standing;
	uint64_t step_to_ns;
	uint64_t input_at_ns;		    /* CALENDAR_NEVER: none is due */
	uint64_t pace_host_ns, pace_lab_ns; /* pace counts from here */
	struct timer pace_timer;	    /* of host */
	struct vtime_input *inputs, **inputs_end;
	struct vtime_input *planned; /* NULL: none */
	uint64_t planned_ns;

	uint64_t guard_ns;
	struct timer guard; /* of host; set while somebody is waited for */
	bool stuck_told;
	uint64_t heard_ns; /* host time of the last word of a guest */

	struct {
		struct timer timer; /* of host; set while guests have turns */
		uint64_t window_ns; /* 0: nobody looks */
		uint64_t active_ns, lab_ns, rounds; /* as the window began */
		bool told;
	} slow;

	uint64_t timers, calls;
	uint64_t host_zero_ns, guests_host_ns, standing_host_ns;
	uint64_t mark_ns; /* host time since which the lab is idle */
	enum { MARK_NONE, MARK_GUESTS, MARK_STANDING } mark;
};

/* vtime_guest.c */
void vtime_guest_init(struct vtime_guest *guest, struct vtime *vtime, uint32_t index);
void vtime_guest_close(struct vtime_guest *guest);
/* Its turn has come, as the calendar knows; ready: after a kick. */
void vtime_guest_go(struct vtime_guest *guest, bool ready);
void vtime_guest_end(struct vtime_guest *guest);
/* It has answered: its request may be another now. */
void vtime_guest_sync(struct vtime_guest *guest);
/* Make the next call that is due.  False: there is none. */
bool vtime_guest_cue(struct vtime_guest *guest);
/* Its kick has its time. */
void vtime_guest_kick(struct vtime_guest *guest);
/* Send the reply that it waits for, or what it has to know before. */
void vtime_guest_reply(struct vtime_guest *guest);

/* vtime_slow.c */
void vtime_slow_init(struct vtime *vtime, uint64_t window_ns);
void vtime_slow_watch(struct vtime *vtime); /* guests have turns */
void vtime_slow_go(struct vtime_guest *guest);
void vtime_slow_stop(struct vtime_guest *guest);

/* vtime.c */
void vtime_rebase(struct vtime *vtime); /* the pace counts from here */
void vtime_heard(struct vtime *vtime);
void vtime_set_now(struct vtime *vtime, uint64_t now_ns);

#endif
