/* SPDX-License-Identifier: MIT */
/* reaper.h - every child that ends is collected, and its owner told
 *
 * As process 1 the agent inherits every orphan of the machine; those have no
 * owner here and are only collected.
 *
 * Errors:    creation: 0 or -errno with *why.
 * Ownership: a struct child belongs to its owner, who forgets it before freeing.
 * Threads:   the loop's.  SIGCHLD is blocked from creation on.
 */
#ifndef NL_AGENT_REAPER_H
#define NL_AGENT_REAPER_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/why.h"

struct reaper;

struct child {
	pid_t pid;
	void (*gone)(void *ctx, int wait_status); /* called once; forgotten before */
	void *ctx;
	struct child *prev, *next; /* NULL when not watched */
};

int reaper_create(struct reaper **out, struct loop *loop, struct why *why);
void reaper_destroy(struct reaper *reaper); /* NULL does nothing */

/* Told of every child, after its owner: also of orphans, which nobody watches. */
struct reaper_listener {
	void (*gone)(void *ctx, int wait_status);
	void *ctx;
};

/* One at a time; NULL: none. */
void reaper_listen(struct reaper *reaper, const struct reaper_listener *listener);

/* From the turn in which the child was started. */
void reaper_watch(struct reaper *reaper, struct child *child);
void reaper_forget(struct child *child);

#endif
