/* SPDX-License-Identifier: MIT */
/* life.h - the agent's life as process 1
 *
 *	early mounts -> console driver -> port -> HELLO -> root, network drivers
 *	-> CONFIG -> CONFIGURED ... SHUTDOWN -> power off
 *
 * Before the port is open, what goes wrong is said on the console in one line,
 * "netlab-agent: fatal: WHAT", and the machine powers off.  After that the lab is
 * told.  When the lab is gone, the machine powers off.
 */
#ifndef NL_AGENT_LIFE_H
#define NL_AGENT_LIFE_H

_Noreturn void life_run(void);

/* The same conversation as a plain process: nothing is mounted, named or
 * addressed.  Returns the exit status. */
int life_serve(int fd);

#endif
