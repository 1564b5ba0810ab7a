/* SPDX-License-Identifier: MIT */
/* stdin_queue.h - what the lab sends to a command, until the command reads it
 *
 * Bytes wait here, at most PROTO_WINDOW_BYTES; each that is written to the
 * command is given back as credit.  When the command has closed its input, bytes
 * are dropped and given back at once: the lab's client need not hang.
 *
 * End of file: a pipe is closed; a terminal gets its end-of-file character if
 * it has one now.
 *
 * Errors:    -EPROTO: the lab overran the window.
 * Ownership: owns its descriptor.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_STDIN_QUEUE_H
#define NL_AGENT_STDIN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"

struct stdin_queue {
	struct loop *loop;
	int fd; /* -1: closed */
	bool tty;
	void (*credit)(void *ctx, size_t bytes);
	void *ctx;

	/* The queue's own. */
	struct watch *watch;
	bool end; /* the lab has said so */
	uint8_t *bytes;
	size_t room, begin, size;
};

int stdin_queue_add(struct stdin_queue *queue, const uint8_t *bytes, size_t size,
		    struct why *why);
void stdin_queue_end(struct stdin_queue *queue);
void stdin_queue_close(struct stdin_queue *queue);

#endif
