/* SPDX-License-Identifier: MIT */
/* calendar.h - whose turn it is: the order of everything in virtual time
 *
 * Guests do not see the host's clock.  Each asks for the time at which it wants to
 * run next, says when it has nothing left to do, and runs when it is its turn.
 * Work takes no time; time passes only between turns.
 *
 *   ABSENT ─expect─► EXPECTED ─start─► WAITING ◄──wait── RUNNING ◄─run()─ READY
 *      ▲                                  └─────run()──────▲ └─kick─► KICKING ─┘
 *      └──leave── ENDED ◄──ended── LEAVING ◄──dying── (any of them)
 *
 * Order.  What is to happen is ordered by (time, kind, node, sequence), all of
 * which are the same in every run:
 *
 *   time      lab time in nanoseconds
 *   kind      the lab's own timers (frames on their way, patience of the lab) come
 *             first, then guests, then inputs (commands, faults typed by hand)
 *   node      guests by their number in the plan
 *   sequence  timers and inputs of one instant in the order in which they were set
 *
 * Nothing happens while a guest is EXPECTED, RUNNING or LEAVING, or is held: the
 * calendar waits for it, so the host's speed decides nothing.  That a guest has ended is
 * something that happens, too, at the time of its last turn.
 *
 * Windows.  What a guest does reaches another after `lookahead_ns` at the earliest:
 * the smallest delay of the links.  So a guest that runs may go on by itself, without
 * asking, up to (not including) `free_until`: until then no timer is due, and nothing
 * that another could still do would reach it (conservative synchronisation: Chandy and
 * Misra 1979, Bryant 1977).  When it wants something of the outside (a kick), it is
 * KICKING: that has its place in the order, too, by the guest's own time, and the
 * guest waits for it.  So all that the lab sees happens in the order above, whatever
 * the windows.
 *
 * Guests whose times lie less than one lookahead apart cannot reach one another in what
 * they do next: calendar_window() names them, and they may run at once on several
 * processors.  The next thing happens when all of them have stopped, so how far each
 * may go depends on times only.
 *
 * How far a guest that waits got by itself is not known: to its `floor` at most, and
 * what the lab does to it happens then at the earliest.
 *
 * A guest's own clock began when it did, and may run fast, slow or not at all
 * (guest_clock.h).  A guest is told the time that it asked for, and never more than its
 * clock shows then, so that its own time never goes back.  One that is *frozen* has no
 * turns, and hears nothing.
 *
 * Saved (base/record.h, kind "calendar", version 1): how many guests there are; now,
 * lookahead, horizon, rounds; then each guest, all of struct calendar_guest in its order.
 * What can be counted is counted again.  It is loaded into a calendar of as many guests,
 * whatever was in it.
 *
 * Errors:    a guest that says what it may not is told from one that may by the
 *            return value (-EPROTO with *why); our own bugs ASSERT.
 *            calendar_load(): the record's; the calendar is then as calendar_init() made
 *            it.
 * Ownership: the calendar owns its array only.
 * Threads:   pure.
 * Protocol:  Linux, include/uapi/linux/um_timetravel.h.
 */
#ifndef NL_CLOCK_CALENDAR_H
#define NL_CLOCK_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"
#include "base/why.h"
#include "clock/guest_clock.h"

#define CALENDAR_NEVER	 UINT64_MAX
#define CALENDAR_FREE_NS UINT64_C(1000000) /* so that floors are near */

enum calendar_guest_state {
	GUEST_ABSENT,
	GUEST_EXPECTED,
	GUEST_WAITING,
	GUEST_RUNNING,
	GUEST_KICKING,
	GUEST_READY, /* its kick is done; its turn goes on */
	GUEST_LEAVING,
	GUEST_ENDED,
};

struct calendar_guest {
	enum calendar_guest_state state;
	bool fresh;	     /* has not run yet: its clock begins with its first turn */
	unsigned holds;	     /* reasons not to go on: answers that are due */
	bool frozen;
	uint32_t rate_ppb;	 /* of its clock, when it is not frozen */
	struct guest_clock clock;
	uint64_t request_ns;	 /* lab time; CALENDAR_NEVER: none */
	uint64_t asked_guest_ns; /* that request, in its own time; or CALENDAR_NEVER */
	uint64_t turn_guest_ns;	 /* its own time as its last turn began */
	uint64_t local_ns;   /* lab time to which it has come, at least */
	uint64_t floor_ns;   /* lab time it may have reached by itself */
	uint64_t free_until_ns; /* lab time, as last told; while RUNNING */
	uint64_t runs;		/* turns it has had */
};

struct calendar {
	struct calendar_guest *guests;
	uint32_t guest_count;
	uint32_t running;    /* how many are RUNNING */
	uint32_t waited_for; /* how many are EXPECTED, RUNNING, LEAVING or held */
	uint64_t now_ns;
	uint64_t lookahead_ns;
	uint64_t horizon_ns; /* no guest goes beyond by itself; CALENDAR_NEVER at first */
	uint64_t rounds;     /* turns of all guests */
};

enum calendar_turn_kind {
	TURN_BUSY,  /* somebody has to say something first */
	TURN_TIMER, /* the lab's own timers at .at_ns */
	TURN_GUEST, /* .guest runs at .at_ns */
	TURN_KICK,  /* what .guest wants of the outside happens at .at_ns */
	TURN_LEAVE, /* .guest has ended */
	TURN_NONE,  /* nothing is to happen, ever, as things stand */
};
struct calendar_turn {
	enum calendar_turn_kind kind;
	uint64_t at_ns; /* CALENDAR_NEVER: TURN_NONE */
	uint32_t guest;
};

int calendar_init(struct calendar *calendar, uint32_t guest_count, struct why *why);
void calendar_free(struct calendar *calendar);

/* What comes next.  timer_due_ns: the first of the lab's own timers. */
struct calendar_turn calendar_next(const struct calendar *calendar,
				   uint64_t timer_due_ns);
/* Time passes to at_ns, which is not before now. */
void calendar_advance(struct calendar *calendar, uint64_t at_ns);
/* The guests that may run with the one whose turn it is: that one first, then others by
 * number, at most max.  Returns how many. */
uint32_t calendar_window(const struct calendar *calendar,
			 const struct calendar_turn *turn, uint64_t timer_due_ns,
			 uint32_t *guests, uint32_t max);
/* The guest's turn, at its own time.  How far it may go is said by calendar_refresh()
 * when all of its window are running. */
void calendar_run(struct calendar *calendar, uint32_t guest);
/* Its kick is done. */
void calendar_ready(struct calendar *calendar, uint32_t guest);
/* How far the guest may go, computed anew; true: nearer than it was told. */
bool calendar_refresh(struct calendar *calendar, uint32_t guest, uint64_t timer_due_ns);
/* What happens to a guest. */
void calendar_expect(struct calendar *calendar, uint32_t guest);
void calendar_dying(struct calendar *calendar, uint32_t guest);
void calendar_ended(struct calendar *calendar, uint32_t guest);
void calendar_leave(struct calendar *calendar, uint32_t guest);
void calendar_hold(struct calendar *calendar, uint32_t guest);
void calendar_release(struct calendar *calendar, uint32_t guest);

/* What a guest says, in its own time. */
int calendar_start(struct calendar *calendar, uint32_t guest, struct why *why);
int calendar_request(struct calendar *calendar, uint32_t guest, uint64_t guest_ns,
		     struct why *why);
int calendar_wait(struct calendar *calendar, uint32_t guest, struct why *why);
/* It has come to this time by itself. */
int calendar_update(struct calendar *calendar, uint32_t guest, uint64_t guest_ns,
		    struct why *why);
/* It waits for something of the outside, at the time to which it has come. */
int calendar_kick(struct calendar *calendar, uint32_t guest, struct why *why);
/* Now, as the guest counts it. */
uint64_t calendar_guest_now(const struct calendar *calendar, uint32_t guest);
/* How far it may go by itself, not including, as it counts. */
uint64_t calendar_guest_free_until(const struct calendar *calendar, uint32_t guest);

/* From now on its clock runs at this rate, or stands.  Only while it does not run, and has
 * come no further than now; or before it has begun. */
void calendar_set_clock(struct calendar *calendar, uint32_t guest, uint32_t rate_ppb,
			bool frozen);

int calendar_save(const struct calendar *calendar, struct record *record,
		  struct why *why);
int calendar_load(struct calendar *calendar, struct record *record, struct why *why);

#endif
