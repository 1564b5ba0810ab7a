/* SPDX-License-Identifier: MIT */
/* initctl.h - `reboot`, `poweroff`, `halt` and `shutdown` inside a machine
 *
 * With -f they ask the kernel.  Without, they ask process 1, in the way that every init and
 * every such program know, systemd's included: a request of fixed size with a runlevel, by a
 * FIFO, /run/initctl.  Runlevel 0 is the end, 6 is the end and a new beginning; there are no
 * others here.
 *
 * Errors:    creation: 0 or -errno with *why.  A request that is none is dropped.
 * Ownership: initctl_destroy() closes; the FIFO stays.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_INITCTL_H
#define NL_AGENT_INITCTL_H

#include <stdbool.h>

#include "base/loop.h"
#include "base/why.h"

#define INITCTL_PATH "/run/initctl"

struct initctl;

int initctl_create(struct initctl **out, struct loop *loop, const char *path,
		   void (*end)(void *ctx, bool reboot), void *ctx, struct why *why);
void initctl_destroy(struct initctl *initctl); /* NULL does nothing */

#endif
