/* SPDX-License-Identifier: MIT */
/* capture.h - frames into a pcapng stream
 *
 * One capture writes one pcapng section to one descriptor: an interface block
 * per port, named ("n1:eth0"), with nanosecond time stamps, and an enhanced
 * packet block per frame with its direction and kind of address (epb_flags), and
 * what the caller says of it: a comment, an identity (epb_packetid) that is the same
 * wherever the frame is seen, and a verdict (epb_verdict).  Time stamps are the wall
 * clock of the lab (clock_wall_ns()).
 *
 * Directions are those of the interface that the block names, as a capture on
 * the machine itself would show them: what comes from the guest is outbound.
 *
 * The descriptor may be a pipe to a slow reader: blocks wait in a buffer of
 * CAPTURE_BUFFER_BYTES, whole frames that do not fit are counted, and the lab
 * never waits.  The reader is told twice: the next frame that fits says how many
 * are missing before it (epb_dropcount), and the statistics at the end have the
 * sum (isb_ifdrop).  Blocks are written when the loop's turn ends, or when 64 KiB
 * have come together.
 *
 * Format: draft-ietf-opsawg-pcapng.  Filter language: libpcap's.
 *
 * Errors:    0 or -errno with *why.  A write error or a closed pipe ends the
 *            capture: ended() is called once, from the loop, also when the
 *            reader closes while there is nothing to write.  The capture may be
 *            destroyed in that call.
 * Ownership: the capture owns the descriptor once capture_create() succeeded.
 *            A pipe is opened again, so that nobody who shares it can make a write
 *            wait; a regular file always ends with a whole block.
 * Threads:   the loop's.
 */
#ifndef NL_CAPTURE_CAPTURE_H
#define NL_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "linkfault/filter.h"

enum {
	CAPTURE_BUFFER_BYTES = 4 << 20,
	CAPTURE_SNAP_BYTES_MAX = 256 << 10,
	CAPTURE_FILTER_BYTES_MAX = FILTER_TEXT_BYTES_MAX,
};

#define CAPTURE_NO_ID UINT64_MAX
enum { CAPTURE_NO_VERDICT = -1 };

struct capture;

struct capture_config {
	int fd;		     /* regular file, pipe or socket */
	const char *filter;  /* libpcap's language; NULL or "": everything */
	uint32_t snap_bytes; /* of a frame are kept; 0: all */
	const char *const *interfaces; /* names, copied; index = interface id */
	size_t interface_count;
	const char *lab; /* name, for the section's comment */
};

struct capture_frame {
	uint32_t interface;
	bool inbound;	     /* from the guest */
	const char *comment; /* NULL: none */
	uint64_t wall_ns;
	const uint8_t *bytes;
	uint32_t size;
	uint64_t id;	/* CAPTURE_NO_ID: none is written */
	int verdict;	/* 0 to 255; CAPTURE_NO_VERDICT: none is written */
	bool crc_error; /* its frame check sequence was wrong */
};

struct capture_stats {
	uint64_t written;  /* frames: in the descriptor, or waiting for it */
	uint64_t filtered; /* frames that the filter did not want */
	uint64_t missed;   /* frames that the reader was too slow for */
};

int capture_create(struct capture **out, struct loop *loop,
		   const struct capture_config *config,
		   void (*ended)(void *ctx, const char *why), void *ctx, struct why *why);
void capture_frame(struct capture *capture, const struct capture_frame *frame);
const struct capture_stats *capture_stats(const struct capture *capture);
/* Take no more frames, write what is buffered and the statistics blocks at the
 * reader's pace, then call ended() with NULL: nothing went wrong. */
void capture_finish(struct capture *capture);
/* The same at once, at the end of all: wait for the reader as long as he goes on reading,
 * and *patience_ms besides, of which is taken what was used.  False: not all was written,
 * and the stream ends where he stopped.  Destroys it. */
bool capture_end(struct capture *capture, int *patience_ms);
/* Write what is buffered and the statistics blocks as far as the descriptor takes
 * it now, and close.  NULL does nothing. */
void capture_destroy(struct capture *capture);

/* Is the filter one that libpcap compiles for Ethernet? */
int capture_filter_check(const char *filter, struct why *why);

#endif
