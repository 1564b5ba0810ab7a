/* SPDX-License-Identifier: MIT */
/* service.h - the programs that belong to this machine
 *
 *   IDLE ──services_start()──► STARTING ──ready──► READY ──ends──► EXITED
 *                               ▲ │ └──ends, or too late──► FAILED  │
 *                      a while  │ └──ends──► RESTARTING ◄──ends─────┘
 *                               └────────────────┘        if it is to be restarted
 *
 * They start in their order, each when the one before it is READY; each is told to
 * the lab with every change (SERVICE), and what it writes goes to the lab line by
 * line or not (LOG).  A service without a readiness test is READY when it has not
 * died for a moment, or is done with exit status 0.  EXITED and FAILED are last
 * words.  One that is FAILED for being late goes on running.
 *
 * One that is restarted begins again after 100 ms, and each time after twice as long, up to
 * 10 s, until it has run for 10 s; what it left behind is killed before.  One that ends
 * RESTARTS_IN_VAIN times without ever having been ready has FAILED.
 *
 * A service is all that came of its command: what that left in the background when
 * it ended with 0 (a daemon) is the service from then on, until nothing is left.
 *
 * Errors:    a service's troubles are told to the lab as its state.
 * Ownership: the settings are lent and outlive the services.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_SERVICE_H
#define NL_AGENT_SERVICE_H

#include "agent/execs.h"
#include "init/settings.h"

enum {
	SERVICES_STOP_MS = 2000, /* between SIGTERM and SIGKILL */
	RESTARTS_IN_VAIN = 5,
};

enum service_phase {
	SERVICE_IDLE,
	SERVICE_STARTING,
	SERVICE_READY,
	SERVICE_RESTARTING,
	SERVICE_EXITED,
	SERVICE_FAILED,
	SERVICE_STATES,
};

const char *service_state_name(enum service_phase state);

struct services;

int services_create(struct services **out, const struct exec_world *world,
		    const struct settings *settings, struct why *why);
void services_destroy(struct services *services); /* NULL does nothing; kills */

void services_start(struct services *services); /* the second time: does nothing */

/* SIGTERM to all; stopped() when none is left or the time is over, once. */
void services_stop(struct services *services, void (*stopped)(void *ctx), void *ctx);

#endif
