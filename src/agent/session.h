/* SPDX-License-Identifier: MIT */
/* session.h - all processes of a session, whatever groups a shell put them into
 *
 * Errors:    none: what is gone has been reached.
 * Threads:   any.
 */
#ifndef NL_AGENT_SESSION_H
#define NL_AGENT_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

/* Signal every process of the session (0: only count).  Returns how many there
 * are; zombies do not count.  session: a leader that we started, so never 0 (whoever
 * never made a session, kernel threads first) or 1 (ourselves). */
int session_signal(pid_t session, int signal);

/* Does one of them run, or would it if there were a processor for it? */
bool session_is_busy(pid_t session);

#endif
