/* SPDX-License-Identifier: MIT */
/* host_probe.h - things that are tried out to know whether they work
 *
 * Each leaves the host as it was.
 *
 * Errors:  0 or -errno; *why is what a user should read.
 * Threads: they fork: for a program with one thread.
 */
#ifndef NL_NODE_HOST_PROBE_H
#define NL_NODE_HOST_PROBE_H

#include <stdint.h>

#include "base/why.h"

int host_probe_lab(struct why *why);  /* the lab's sandbox */
int host_probe_jail(struct why *why); /* and a machine's jail, with a program in it */
int host_probe_ptrace(struct why *why);

/* How late a timer of the event loop comes, in the middle of 15. */
int host_probe_timer(uint64_t *late_ns, struct why *why);

#endif
