/* SPDX-License-Identifier: MIT */
/* captures.h - who looks at which ports
 *
 * A recording joins some ports of the wiring to one pcapng stream
 * (capture/capture.h).  Its target is a link (the ports at its ends), a network
 * (those of its members), a node (all of its interfaces), NODE:INTERFACE, or "all".
 * A port is tapped while at least one recording wants it.
 *
 *   captures_start() ──► records ──reader closed, write error──► ended(), freed
 *                           └──captures_finish()──► what waits is written ──► ended(),
 *                              freed
 *
 * Errors:    0 or -errno with *why.
 * Ownership: the descriptor is taken over when captures_start() succeeds.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_CAPTURES_H
#define NL_FABRIC_CAPTURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "capture/capture.h"
#include "clock/clock.h"
#include "fabric/wire.h"
#include "plan/plan.h"

enum { CAPTURES_MAX = 64 }; /* at once */

struct captures;
struct recording;
struct cuts;

struct recording_config {
	const char *target;
	const char *filter; /* NULL: everything */
	uint32_t snap_bytes;
	bool delivered; /* only frames that arrived, and no word of what was done */
	int fd;
};

int captures_create(struct captures **out, const char *lab, const struct plan *plan,
		    struct loop *loop, struct clock *clock, struct wire *wire,
		    const struct cuts *cuts, struct why *why);
void captures_destroy(struct captures *captures); /* ends all, without ended() */

int captures_start(struct recording **out, struct captures *captures,
		   const struct recording_config *config,
		   void (*ended)(void *ctx, const struct capture_stats *stats,
				 const char *why),
		   void *ctx, struct why *why);
/* Take no more frames, and call ended() when all is written, at the reader's pace. */
void captures_finish(struct recording *recording);
/* The same, but nobody is to be told. */
struct capture_stats captures_abandon(struct recording *recording);
/* The lab ends: ended() for each, with that reason, and with another if a reader did not
 * take all within two seconds.  The loop waits: its machines are gone. */
void captures_end_all(struct captures *captures, const char *reason);
/* The names of its interfaces, in the stream's order. */
json_t *recording_interfaces(const struct recording *recording);

/* What the wiring's taps say; fabric/verdict.h has the words. */
void captures_tap(struct captures *captures, const struct sw_tap_event *event);
/* For `inspect`: target, filter, counters of each. */
json_t *captures_json(const struct captures *captures);

#endif
