/* SPDX-License-Identifier: MIT */
/* ready.h - has a service come to life?
 *
 * Asked again and again, soon at first and then less often, until yes or until
 * the time is over.  A tcp port is looked up among the sockets that listen, so no
 * connection is made that the service would have to answer.
 *
 *   WAITING ──yes──► over(ready)      ──too late──► over(not ready, why)
 *
 * Errors:    told in over().
 * Ownership: embedded in its owner, who calls ready_stop() before freeing.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_READY_H
#define NL_AGENT_READY_H

#include <stdbool.h>

#include "agent/reaper.h"
#include "clock/clock.h"
#include "plan/plan.h"

struct ready {
	struct clock *clock;
	struct reaper *reaper;
	const struct plan_ready *test; /* not READY_NONE */
	char *const *envp;
	void (*over)(void *ctx, const char *why_not); /* once; NULL: ready */
	void *ctx;

	/* Its own. */
	struct timer timer;
	uint64_t deadline_ns, pause_ns;
	struct child child; /* of READY_CMD; pid 0: not running */
	int last_status;
	bool asked;
};

void ready_start(struct ready *ready);
void ready_stop(struct ready *ready);

/* Does /proc/net/tcp or tcp6, given as text, hold a socket that listens there? */
bool ready_tcp_listens(const char *proc_net_tcp, uint16_t port);

#endif
