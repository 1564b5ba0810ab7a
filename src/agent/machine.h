/* SPDX-License-Identifier: MIT */
/* machine.h - the agent's life as process 1
 *
 *	early mounts -> console driver -> port -> HELLO -> root, network drivers
 *	-> CONFIG -> CONFIGURED ... SHUTDOWN -> power off
 *
 * Before the port is open, what goes wrong is said on the console in one line,
 * "netlab-agent: fatal: WHAT", and the machine powers off.  After that the lab is
 * told.  When the lab is gone, the machine powers off.
 */
#ifndef NL_AGENT_MACHINE_H
#define NL_AGENT_MACHINE_H

_Noreturn void machine_run(void);

/* The same conversation as a plain process: nothing is mounted, named or
 * addressed.  Returns the exit status. */
int machine_serve(int fd);

#endif
