/* SPDX-License-Identifier: MIT */
/* pump.h - what a program writes becomes messages to the lab
 *
 *   RUNNING ──end of file──────────────────────────────────► DONE
 *      └──pump_finish()──► FINISHING ──nothing left to read──┘
 *
 * A running pump reads when the link has room and, if it counts credit, when
 * there is credit; otherwise the program's pipe fills and the program waits.
 * Nothing is lost, and a pump never holds more than it can send at once.
 *
 * FINISHING: the program is gone; what it wrote is in the pipe.  Others that
 * inherited the pipe may go on writing for ever, so nobody waits for them.
 *
 * Errors:    one that a read gives is an end of file (a terminal's EIO is one).
 * Ownership: the pump owns its descriptor until pump_take_fd() or pump_stop().
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_PUMP_H
#define NL_AGENT_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/lablink.h"

enum { PUMP_NO_PREFIX = -1 };

struct pump {
	struct loop *loop;
	struct lablink *link;
	int fd; /* -1: DONE by end of file, or never begun */
	enum proto_type type;
	uint32_t channel;
	int prefix;	     /* first byte of each payload, or PUMP_NO_PREFIX */
	uint32_t *credit;    /* what may be sent, shared by a channel; NULL: no limit */
	void (*done)(void *ctx); /* called once, when DONE */
	void *ctx;

	/* The pump's own. */
	struct watch *watch;
	struct lablink_waiter waiter;
	bool finishing, is_done;
};

/* The fields above "own" are set.  fd -1: DONE from the beginning, without a call. */
void pump_start(struct pump *pump);
void pump_kick(struct pump *pump); /* there is credit again */
void pump_finish(struct pump *pump);
/* Give the descriptor away (-1 if there is none any more) and stop. */
int pump_take_fd(struct pump *pump);
void pump_stop(struct pump *pump); /* and close; all zeros: not allowed */

#endif
