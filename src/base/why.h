/* SPDX-License-Identifier: MIT */
/* why.h - the one line that says what went wrong
 *
 * A function that can fail takes a `struct why *` as its last argument and
 * returns 0 or -errno.  It sets the line and returns in one expression, so no
 * path can forget half of it:
 *
 *	return why_set(why, -EINVAL, "port %s: queue size %u is not a power of two", ...);
 *
 * A caller that knows more puts its own words in front with why_wrap().  Only
 * the command line prints.  Say what, where, and what to do about it.
 *
 * Errors:    why_set() and why_wrap() return the error they were given.
 * Ownership: the caller's storage; nothing is allocated.  NULL is allowed: the
 *            caller does not want to know.  On success *why is untouched.
 * Threads:   none are shared.
 */
#ifndef NL_BASE_WHY_H
#define NL_BASE_WHY_H

#define WHY_BYTES_MAX 1024

struct why {
	char text[WHY_BYTES_MAX]; /* no newline at the end; "" when all is well */
};

/* Set the line; returns err (negative errno). */
int why_set(struct why *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and the system's words for err behind the line. */
int why_errno(struct why *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "CONTEXT: " in front of the line that is there; returns err. */
int why_wrap(struct why *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
