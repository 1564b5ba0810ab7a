/* SPDX-License-Identifier: MIT */
/* frame_recorder.h - each frame of a run in 24 bytes, so that another can be compared
 *
 * Every frame that enters or leaves a card goes to frames.bin of the run directory: when,
 * where, how long, and a hash of its bytes (digest_hash()), in the order in which they
 * did.  With the journal, the consoles and the logs, which are there as they are, this is
 * all of a run that its digest covers, and the first thing in which another run differs
 * can be named.
 *
 *	frames.bin: struct recording_head, then struct frame_record again and again,
 *	            as they lie in memory (little-endian)
 *
 * The file ends after RECORDING_FRAMES_MAX frames (384 MiB), or when the disk is full,
 * which lab.log tells; the lab goes on.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: takes the descriptor over; watches the digest, which has to outlive it.
 * Threads:   the loop's.
 */
#ifndef NL_RUN_FRAME_RECORDER_H
#define NL_RUN_FRAME_RECORDER_H

#include <stdint.h>

#include "base/why.h"
#include "run/digest.h"

#define RECORDING_MAGIC "NLframe1"

enum { RECORDING_FRAMES_MAX = 1 << 24 };

struct recording_head {
	char magic[8];
	uint64_t record_bytes;
};

struct frame_record {
	uint64_t at_ns;
	uint64_t hash;
	uint32_t port; /* in the switch's numbers */
	uint32_t size_and_way; /* enum digest_way in the highest two bits */
};
#define FRAME_SIZE(record) ((record)->size_and_way & 0x3fffffff)
#define FRAME_WAY(record)  ((enum digest_way)((record)->size_and_way >> 30))

struct frame_record frame_record(enum digest_way way, uint32_t port, uint64_t now_ns,
				 size_t size, uint64_t hash);

struct frame_recorder;

int frame_recorder_create(struct frame_recorder **out, struct digest *digest, int fd,
			  struct why *why);
/* What is in memory goes to the file. */
void frame_recorder_flush(struct frame_recorder *recorder); /* NULL does nothing */
/* 0, or -errno: why there are frames that are not in the file.  NULL: 0. */
int frame_recorder_error(const struct frame_recorder *recorder);
void frame_recorder_destroy(struct frame_recorder *recorder); /* the same */

#endif
