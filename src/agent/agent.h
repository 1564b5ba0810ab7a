/* SPDX-License-Identifier: MIT */
/* agent.h - the conversation with the lab
 *
 *   HELLO sent ──CONFIG──► CONFIGURED ──SHUTDOWN──► STOPPING ──► over
 *        │    └─ it cannot be done ─► REFUSED ──SHUTDOWN──┘
 *        └─ the lab is gone, or talks nonsense ─► over
 *
 *   CONFIGURED  services and commands
 *   REFUSED     FAILED was sent; nothing but SHUTDOWN has an effect
 *
 * Whether it runs as process 1 of a machine or as a plain process at the end of a
 * socketpair makes one difference: what `configure` does.
 *
 * Errors:    creation: 0 or -errno with *why.  Later: ops.over().
 * Ownership: agent_create() gives the agent; the descriptor stays the caller's.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_AGENT_H
#define NL_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "init/settings.h"
#include "base/loop.h"
#include "clock/clock.h"

struct agent;

enum agent_end {
	AGENT_SHUTDOWN,	 /* the lab or the machine said so, and services have ended */
	AGENT_LAB_GONE,	 /* nobody is there any more */
	AGENT_MALFORMED, /* what the lab says makes no sense */
};

struct agent_clock {
	int64_t step_ns; /* 0: none */
	bool has_drift;
	int64_t drift_ppb;
};

struct agent_ops {
	/* Make the machine what the settings say. */
	int (*configure)(void *ctx, const struct settings *settings, struct why *why);
	/* CONFIGURED was sent; env is what programs get. */
	void (*configured)(void *ctx, const struct settings *settings, char *const *envp);
	/* Set the machine's clock.  What went wrong is for the machine to say. */
	void (*clock)(void *ctx, const struct agent_clock *clock);
	/* Have the machine's kernel panic, without a word if silent. */
	void (*panic)(void *ctx, bool silent);
	void (*over)(void *ctx, enum agent_end end, const char *why); /* once */
};

/* Says HELLO over fd, which must not block. */
int agent_create(struct agent **out, struct loop *loop, struct clock *clock,
		 int fd, const struct agent_ops *ops, void *ctx, struct why *why);
/* Kills what runs; NULL does nothing. */
void agent_destroy(struct agent *agent);

/* The machine could not be made ready before CONFIG came: answer it with this. */
void agent_refuse(struct agent *agent, const char *why);

/* End as if the lab had said SHUTDOWN, for that reason (which is not copied). */
void agent_shut_down(struct agent *agent, const char *why);

/* From within `configure`: the lab may show carriers now (LINKS). */
void agent_say_links(struct agent *agent);

/* For others who start programs here (the console's shell). */
struct reaper *agent_reaper(struct agent *agent);

#endif
