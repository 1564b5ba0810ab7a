/* SPDX-License-Identifier: MIT */
/* client.h - one connection to a lab's control socket
 *
 * docs/control-protocol.md is the contract.  Requests are numbered here; each has
 * one callback that gets its events and, with `last`, its answer.  The connection
 * is served from a poll() loop of the caller:
 *
 *	struct pollfd p = client_pollfd(client);
 *	poll(&p, ...);
 *	rc = client_serve(client, p.revents, why);
 *
 * or, where there is nothing else to do, by client_call().
 *
 * States: connected ──(lab ends, protocol broken, timeout)──► dead: every call
 * returns -ENOTCONN and callbacks of pending requests are not called any more.
 *
 * Limits: a line from the lab is at most CLIENT_LINE_BYTES_MAX.  What waits to be
 * sent is bounded by the callers, who look at client_backlog() before adding
 * stream data; requests themselves are small.
 *
 * Errors:    -ENOTCONN the lab has gone; -EPROTO it speaks something else;
 *            -ETIMEDOUT; -ENOMEM; -E2BIG: a request is too large.  client_call()
 *            returns -EREMOTEIO and the lab's own words when the lab refuses.
 * Ownership: lines are lent to the callback.  client_free() closes, which
 *            cancels whatever was under way in the lab.
 */
#ifndef NL_CLI_CLIENT_H
#define NL_CLI_CLIENT_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"

struct client;

enum {
	CLIENT_REQUEST_BYTES_MAX = 1 << 20, /* the lab's limit, with the newline */
	CLIENT_LINE_BYTES_MAX = 16 << 20,
	CLIENT_TOGETHER_BYTES_MAX = 16 << 20, /* the lab's limit */
	CLIENT_BACKLOG_BYTES = 256 << 10, /* above this, do not add stream data */
	CLIENT_CALL_MS = 10000,           /* a living lab answers in milliseconds */
};

typedef void client_fn(void *ctx, const json_t *line, bool last);

/* fd is a connected control socket; it is taken over, also on failure. */
int client_open(struct client **out, int fd, struct why *why);
void client_free(struct client *client); /* NULL does nothing */

/* Send {"id":N,"do":what, ...fields}.  fields (NULL: none) is taken over, also
 * on failure.  fn NULL: nobody wants the answer.  Returns N > 0, or -errno. */
long client_request(struct client *client, const char *what, json_t *fields,
		    client_fn *fn, void *ctx, struct why *why);
/* The same, with a descriptor beside it, which stays the caller's. */
long client_request_fd(struct client *client, const char *what, json_t *fields, int fd,
		       client_fn *fn, void *ctx, struct why *why);
/* Requests between these two happen at one instant of virtual time (in real time one
 * after the other); nothing is sent before the end, which is -E2BIG, and the connection is
 * dead, if they are more than CLIENT_TOGETHER_BYTES_MAX. */
void client_together(struct client *client);
int client_together_end(struct client *client, struct why *why);
/* The callback of this request will not be called again. */
void client_forget(struct client *client, long id);

struct pollfd client_pollfd(const struct client *client);
/* Send and receive what can be; callbacks run from here. */
int client_serve(struct client *client, short revents, struct why *why);
/* poll() and serve once.  0 also when the time is over; *timed_out says so. */
int client_turn(struct client *client, int timeout_ms, bool *timed_out, struct why *why);
size_t client_backlog(const struct client *client);

/* One request and its answer; the caller decrefs *answer (NULL: not wanted).
 * timeout_ms counts from the last line of the lab. */
int client_call(struct client *client, const char *what, json_t *fields, int timeout_ms,
		json_t **answer, struct why *why);

/* An answer's verdict: 0, or -EREMOTEIO and the lab's words. */
int client_verdict(const json_t *answer, struct why *why);

/* Do not warn of a record that is incomplete: the caller tells of it. */
void client_quiet(struct client *client);

#endif
