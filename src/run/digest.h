/* SPDX-License-Identifier: MIT */
/* digest.h - a rolling hash of everything that a run shows
 *
 * Two runs in virtual time are the same if these are: every frame that enters or
 * leaves a card with its time and port, every entry of the journal but some (see
 * digest_line()), and every byte of each machine's console and of each service's log.
 * Streams are hashed by themselves, whatever the pieces in which they come; one word
 * covers all.
 *
 * The end by force of a lab (`netlab down`) is not part of it: the host decides in
 * which order killed processes are gone.  digest_seal() is called before that.
 *
 * The hash tells runs apart that differ by accident; it withstands no forger.
 *
 * Errors:    creation: -ENOMEM.
 * Threads:   the loop's.
 */
#ifndef NL_RUN_DIGEST_H
#define NL_RUN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

struct digest;

enum digest_way { DIGEST_SENT = 1, DIGEST_RECEIVED = 2 }; /* by a guest */

int digest_create(struct digest **out, const struct plan *plan, struct why *why);
void digest_destroy(struct digest *digest); /* NULL does nothing */

/* The hash of some bytes by themselves, and as 16 digits. */
enum { DIGEST_TEXT_BYTES = 17 };
uint64_t digest_hash(const uint8_t *bytes, size_t size);
/* The same of a file of that size, read from where it stands; -ESTALE: it is shorter. */
int digest_hash_file(int fd, uint64_t size, uint64_t *out);
const char *digest_text(char text[DIGEST_TEXT_BYTES], uint64_t hash); /* returns text */
/* The part of a journal's line that counts: its number is left out.  NULL: none of it,
 * for it is the first one, or tells of somebody who looks on (capture), of how time
 * was let pass (clock) or of what is kept (left-out), which changes nothing. */
const char *digest_line(const char *line);

/* All of these do nothing if digest is NULL: in real time there is none. */
void digest_frame(struct digest *digest, enum digest_way way, uint32_t port,
		  uint64_t now_ns, const uint8_t *bytes, size_t size);
void digest_entry(struct digest *digest, const char *line, size_t size);
void digest_console(struct digest *digest, uint32_t node, const uint8_t *bytes,
		    size_t size);
void digest_log(struct digest *digest, uint32_t node, uint32_t service,
		const uint8_t *bytes, size_t size);
/* All that counts is told to those who watch, as it comes; they stay until the digest's
 * end.  NULL: not wanted. */
#define DIGEST_CONSOLE UINT32_MAX /* in place of a service's number */
struct digest_watch {
	void (*frame)(void *ctx, enum digest_way way, uint32_t port, uint64_t now_ns,
		      size_t size, uint64_t hash);
	void (*entry)(void *ctx, const char *line, size_t size);
	void (*stream)(void *ctx, uint32_t node, uint32_t service, const uint8_t *bytes,
		       size_t size);
	void *ctx;
	struct digest_watch *next;
};
void digest_watch(struct digest *digest, struct digest_watch *watch);
/* Of one console (DIGEST_CONSOLE) or service's log until now. */
uint64_t digest_stream_bytes(const struct digest *digest, uint32_t node,
			     uint32_t service);
/* What comes from now on is not part of it. */
void digest_seal(struct digest *digest);

struct digest_value {
	uint64_t all; /* of the others */
	uint64_t frames, journal, consoles, logs;
	uint64_t frame_count, entry_count, console_bytes, log_bytes;
	bool sealed;
};
struct digest_value digest_value(const struct digest *digest);

#endif
