/* SPDX-License-Identifier: MIT */
/* remote.h - one command in one machine: its streams, its credit, its end
 *
 *   remote_start() ──► ASKED ──started──► RUNNING ──exit, signal──► ENDED
 *                        └──────────── refused ─────────────────────┘
 *
 * Bytes for its stdin may be written while remote_room() is not 0: at most
 * REMOTE_WINDOW_BYTES are under way, and the lab gives credit back.
 *
 * Errors:    0 or -errno of the connection (client.h); what became of the command
 *            is in status, exit, signal and error.
 * Ownership: the struct is the caller's and must outlive the request: when it goes
 *            first, remote_close() forgets the request.
 */
#ifndef NL_CLI_REMOTE_H
#define NL_CLI_REMOTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

struct client;

enum {
	REMOTE_WINDOW_BYTES = 256 << 10,
	REMOTE_CHUNK_BYTES = 32 << 10,
	REMOTE_FAILED = -1, /* it could not be started, or was lost */
};

enum remote_stream { REMOTE_STDOUT = 1, REMOTE_STDERR = 2 };

struct remote {
	/* Set by the caller. */
	void (*output)(void *ctx, enum remote_stream stream, const uint8_t *bytes,
		       size_t size);
	void *ctx;
	bool lockstep; /* virtual time stands from each output to remote_go_on() */

	/* To be read. */
	bool started, ended;
	int exit;   /* once ended: its status, or REMOTE_FAILED */
	int signal; /* that killed it, else 0 */
	struct why error;

	struct client *client;
	long id;
	size_t under_way; /* bytes of stdin without credit */
	bool closed_stdin;
	unsigned unsaid; /* outputs after which it stands */
};

/* What to run, in the words of the protocol's `exec` but for the node; taken over. */
int remote_start(struct remote *remote, struct client *client, const char *node,
		 json_t *what, struct why *why);
/* How many bytes may be written now: at most REMOTE_CHUNK_BYTES; 0: wait. */
size_t remote_room(const struct remote *remote);
int remote_write(struct remote *remote, const uint8_t *bytes, size_t size,
		 struct why *why);
int remote_end_stdin(struct remote *remote, struct why *why);
/* All that has come was read, and what is to follow was asked for. */
int remote_go_on(struct remote *remote, struct why *why);
int remote_signal(struct remote *remote, int number, struct why *why);
int remote_resize(struct remote *remote, unsigned rows, unsigned cols, struct why *why);
/* The exit status as a shell would give it: 128 + signal; 1 if it never ran. */
int remote_status(const struct remote *remote);
/* Hang up if it runs; no more callbacks. */
void remote_close(struct remote *remote);

#endif
