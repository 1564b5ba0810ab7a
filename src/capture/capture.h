/* SPDX-License-Identifier: MIT */
/* capture.h - frames into a pcapng stream
 *
 * One capture writes one pcapng section to one descriptor: an interface block
 * per port, named ("n1:eth0"), with nanosecond time stamps, and an enhanced
 * packet block per frame with its direction (epb_flags) and, if the switch
 * dropped it, a comment that says why ("netlab: dropped: loss (backup n1->n2,
 * frame 17)").  Time stamps are the wall clock of the lab (clock_wall_ns()).
 *
 * The descriptor may be a pipe to a slow reader: blocks wait in a buffer of
 * limited size, whole frames that do not fit are counted (and written as
 * isb_ifdrop at the end), and the lab never waits.
 *
 * Format: draft-ietf-opsawg-pcapng.  Filter language: libpcap's.
 *
 * Errors:    0 or -errno with *why.  A write error or a closed pipe ends the
 *            capture: ops->ended is called once, from the loop.
 * Ownership: the capture owns the descriptor once capture_create() succeeded.
 * Threads:   the loop's.
 */
#ifndef NL_CAPTURE_CAPTURE_H
#define NL_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"

struct capture;

struct capture_config {
	int fd;			 /* regular file, pipe or socket; made non-blocking */
	const char *filter;	 /* libpcap's language; NULL or "": everything */
	uint32_t snap_bytes;	 /* 0: whole frames */
	const char *const *interfaces; /* names, copied; index = interface id */
	size_t interface_count;
	const char *lab;	 /* name, for the section's comment */
};

struct capture_frame {
	uint32_t interface;
	bool inbound;		 /* from the guest */
	const char *comment;	 /* NULL: none */
	uint64_t wall_ns;
	const uint8_t *bytes;
	uint32_t size;
};

struct capture_stats {
	uint64_t written; /* frames */
	uint64_t filtered; /* frames that the filter did not want */
	uint64_t missed;   /* frames that the reader was too slow for */
};

int capture_create(struct capture **out, struct loop *loop,
		   const struct capture_config *config,
		   void (*ended)(void *ctx, const char *why), void *ctx, struct why *why);
void capture_frame(struct capture *capture, const struct capture_frame *frame);
const struct capture_stats *capture_stats(const struct capture *capture);
/* Write what is buffered as far as the descriptor takes it, and the statistics
 * blocks; close.  NULL does nothing. */
void capture_destroy(struct capture *capture);

/* Is the filter one that libpcap compiles for Ethernet? */
int capture_filter_check(const char *filter, struct why *why);

#endif
