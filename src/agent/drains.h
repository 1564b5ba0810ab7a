/* SPDX-License-Identifier: MIT */
/* drains.h - keep reading for those who outlived the command they belonged to
 *
 * `server &` in a command leaves a process that holds the command's pipes.  The
 * command is over and nobody reads any more; closing the pipes would kill the
 * server with its next line.  So what comes is read and dropped.
 *
 * Beyond DRAINS_MAX the oldest pipe is closed.
 *
 * Errors:    none.
 * Ownership: drains_add() takes the descriptor.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_DRAINS_H
#define NL_AGENT_DRAINS_H

#include "base/loop.h"

enum { DRAINS_MAX = 128 };

struct drain {
	struct watch *watch;
	int fd; /* -1: free */
};

struct drains {
	struct loop *loop;
	struct drain slots[DRAINS_MAX];
	unsigned next; /* the oldest, when all are taken */
};

void drains_init(struct drains *drains, struct loop *loop);
void drains_close(struct drains *drains);
void drains_add(struct drains *drains, int fd); /* -1 does nothing */

#endif
