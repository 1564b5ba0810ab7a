/* SPDX-License-Identifier: MIT */
/* proc_signal.h - a signal to a process of this machine, or to all of a service
 *
 * `netlab-agent signal NUMBER SERVICE|PID`, which is /proc/1/exe of every machine, so it is
 * there whatever the image has; `netlab proc` calls it.  A service is all that came of its
 * command, as its cgroup has it.
 *
 * Errors:  told on standard error; the exit status is 1 then.
 * Threads: one.
 */
#ifndef NL_INIT_PROC_SIGNAL_H
#define NL_INIT_PROC_SIGNAL_H

/* Returns the exit status. */
int proc_signal_run(const char *number, const char *target);

#endif
