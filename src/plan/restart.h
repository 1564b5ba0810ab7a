/* SPDX-License-Identifier: MIT */
/* restart.h - is a service that has ended started again?
 *
 * Errors:  -EINVAL: no such word.
 * Threads: pure.
 */
#ifndef NL_PLAN_RESTART_H
#define NL_PLAN_RESTART_H

enum restart {
	RESTART_NO,
	RESTART_ON_FAILURE, /* not if it ended with exit status 0 */
	RESTART_ALWAYS,
	RESTARTS,
};

const char *restart_name(enum restart restart); /* "on-failure" */
int restart_find(const char *name, enum restart *restart);

#endif
