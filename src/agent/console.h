/* SPDX-License-Identifier: MIT */
/* console.h - a root shell on the machine's console, for who presses Enter
 *
 *   WAITING ──a line comes──► SHELL ──it ends──► WAITING
 *
 * The console is a terminal that shows the kernel's messages too.  It works
 * without the lab: it is the way in when all else fails.
 *
 * Errors:    creation: 0 or -errno with *why.  A shell that cannot be run is said
 *            on the console.
 * Ownership: owns its descriptor; envp is copied.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_CONSOLE_H
#define NL_AGENT_CONSOLE_H

#include "agent/reaper.h"

struct console;

int console_create(struct console **out, struct loop *loop, struct reaper *reaper,
		   char *const *envp, struct why *why);
void console_destroy(struct console *console); /* NULL does nothing */

#endif
