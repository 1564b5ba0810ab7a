/* SPDX-License-Identifier: MIT */
/* recheck.h - a recorded capture against the settings that were recorded with it
 *
 * Feeds the frames that entered the switch (replay/link_replay.h) and compares what it decides
 * with what the capture says was decided: for each frame, at each port where it was
 * seen, verdict and comment.  What lies with the machines, a receiver that was full or
 * not there, is left out on both sides.
 *
 * Errors:    0 or -errno with *why; a difference is no error.
 * Ownership: recheck_free().
 * Threads:   one.
 */
#ifndef NL_REPLAY_RECHECK_H
#define NL_REPLAY_RECHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "capture/pcapng_read.h"
#include "replay/link_replay.h"

/* Where a frame was seen, and what was said of it. */
struct sight {
	uint64_t id;
	uint32_t port;
	bool inbound; /* into the switch */
	int fate;
	uint64_t order;	 /* among all, as they were seen */
	uint64_t number; /* in the capture's file; 0: seen in the replay */
	char *comment;	 /* "": none */
};

struct sights {
	struct sight *at;
	size_t count, room;
};

struct recheck {
	uint64_t frames;	   /* that entered */
	uint64_t compared;	   /* sights */
	struct sights then, again; /* sorted by id, port, way, order */
	uint64_t differences;
	struct sight was, is; /* the first difference in the file; comment NULL: nothing
			       * was seen there.  Borrowed from the above */
	struct whole whole; /* what is missing of the capture or the journal */
};

/* Called for each event of the replay, with the replay as it is then. */
typedef void recheck_seen_fn(void *ctx, struct link_replay *replay,
			     const struct sw_tap_event *event);
/* Called before each frame enters: its number in the file. */
typedef void recheck_enters_fn(void *ctx, const struct pcapng_record *record);

struct recheck_ops {
	recheck_seen_fn *seen;	   /* or NULL */
	recheck_enters_fn *enters; /* or NULL */
	void *ctx;
};

/* link: a link, a network, or "all". */
int recheck_run(struct recheck *out, const struct history *history, const char *link,
		const char *capture, const struct recheck_ops *ops, struct why *why);
void recheck_free(struct recheck *recheck);

#endif
