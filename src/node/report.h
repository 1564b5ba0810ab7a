/* SPDX-License-Identifier: MIT */
/* report.h - a child's last words before it is what it should become
 *
 * The parent makes a pipe, forks, and reads: nothing but the end means that the
 * child closed its side (or exec did) because all is well; text is why it is not.
 *
 * Errors:    report_wait() returns the child's own -errno and line.
 * Ownership: both ends are closed on exec; each side closes the other's end.
 * Threads:   any.
 */
#ifndef NL_NODE_REPORT_H
#define NL_NODE_REPORT_H

#include "base/why.h"

int report_open(int ends[2], struct why *why); /* 0: the parent's, 1: the child's */
_Noreturn void report_fail(int end, int err, const struct why *why);
int report_wait(int end, struct why *why); /* until the child's side is closed */
/* The same of an end that does not block: -EAGAIN, the child is not so far yet. */
int report_look(int end, struct why *why);

#endif
