/* SPDX-License-Identifier: MIT */
/* execs.h - the commands that the lab runs on this machine, one a channel
 *
 *   (none) ──EXEC──► RUNNING ──ends──► DRAINING ──all output sent──► (none), EXITED
 *                       │                  │
 *                       └──────CLOSE───────┴──► CLOSED ──ends──► (none), EXITED
 *
 *   RUNNING   the program lives; its input and output flow, each within its window
 *   DRAINING  it ended; what it wrote is still on its way to the lab
 *   CLOSED    nobody listens any more; its session got SIGHUP and, if it takes too
 *             long to go, SIGKILL
 *
 * A channel number is free again when EXITED or FAILED was sent.
 *
 * Errors:    what a message does wrong by itself (a program that is not there) is
 *            answered with FAILED.  What breaks the protocol is -EPROTO with *why.
 * Ownership: execs_create() gives all of them; execs_destroy() kills what runs.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_EXECS_H
#define NL_AGENT_EXECS_H

#include "agent/drains.h"
#include "init/environ.h"
#include "agent/lablink.h"
#include "agent/reaper.h"
#include "clock/clock.h"

enum { EXEC_HANGUP_MS = 1000 }; /* between SIGHUP and SIGKILL */

struct execs;

/* What commands are made of; all is lent and outlives the execs. */
struct exec_world {
	struct loop *loop;
	struct clock *clock;
	struct lablink *link;
	struct reaper *reaper;
	struct drains *drains;
	const struct environ_list *env;
	const char *cgroups;	/* where services get groups; NULL: they get none */
	const char *kernel_log; /* says who was killed for want of memory; or NULL */
};

int execs_create(struct execs **out, const struct exec_world *world, struct why *why);
void execs_destroy(struct execs *execs); /* NULL does nothing */

/* EXEC, STDIN, SIGNAL, RESIZE, CREDIT, CLOSE. */
int execs_message(struct execs *execs, const struct proto_message *message,
		  struct why *why);

/* The machine goes down: SIGHUP to all. */
void execs_hangup(struct execs *execs);

/* {"exit":0} or {"signal":9}, from a wait status. */
json_t *exec_status_json(int wait_status);

#endif
