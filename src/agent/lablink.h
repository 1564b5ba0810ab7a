/* SPDX-License-Identifier: MIT */
/* lablink.h - the agent's end of the byte stream to the lab
 *
 *   OPEN ──peer gone, or it broke the format──► LOST   (ops.lost(), once)
 *
 * Sending.  Words of the machine itself (STARTED, CREDIT, EXITED, ...) are always
 * queued.  Streams ask lablink_room() first, and when there is none wait for
 * their turn with lablink_wait(): so a flood is slowed down at its source, one
 * flooding stream does not starve another, and the queue has a limit.  While
 * the lab does not read and words pile up, nothing more is read from the lab.
 *
 * LOST: what is sent goes nowhere, and nobody who waits is called.
 *
 * Errors:    creation: 0 or -errno with *why.  Later: ops.lost().
 * Ownership: the descriptor is lent, and non-blocking.  Waiters belong to their
 *            owner, who cancels before freeing.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_LABLINK_H
#define NL_AGENT_LABLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agentproto/proto.h"
#include "base/loop.h"
#include "base/why.h"

enum {
	LABLINK_STREAM_BYTES_MAX = 128 << 10, /* queued, before streams have to wait */
	LABLINK_QUEUE_BYTES_MAX = 512 << 10,  /* queued, before reading stops */
};

struct lablink;

struct lablink_ops {
	void (*message)(void *ctx, const struct proto_message *message);
	/* malformed: the peer's words made no sense; else it is gone. */
	void (*lost)(void *ctx, bool malformed, const char *why);
};

struct lablink_waiter {
	void (*go)(void *ctx); /* there is room now */
	void *ctx;
	struct lablink_waiter *prev, *next; /* NULL when not waiting */
};

int lablink_create(struct lablink **out, struct loop *loop, int fd,
		   const struct lablink_ops *ops, void *ctx, struct why *why);
void lablink_destroy(struct lablink *link); /* NULL does nothing */

void lablink_send(struct lablink *link, enum proto_type type, uint32_t channel,
		  const void *payload, size_t size);
/* Takes the object; NULL (out of memory) ends the conversation. */
void lablink_send_json(struct lablink *link, enum proto_type type, uint32_t channel,
		       json_t *json);
void lablink_send_credit(struct lablink *link, uint32_t channel, size_t bytes);

bool lablink_room(const struct lablink *link);
void lablink_wait(struct lablink *link, struct lablink_waiter *waiter);
void lablink_wait_cancel(struct lablink_waiter *waiter);

/* The receiver of a message found it wrong: the conversation ends. */
void lablink_malformed(struct lablink *link, const char *reason);

/* Before the end: push out what is queued, waiting at most so long for the lab. */
void lablink_flush(struct lablink *link, int timeout_ms);

#endif
