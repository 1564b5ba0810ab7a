/* SPDX-License-Identifier: MIT */
/* fault_rig.h - one direction without a switch: offer a frame, see the verdict
 *
 * The line's frames are numbers here; rig_line() plays the part of the switch.
 */
#ifndef NL_TESTS_FAULT_RIG_H
#define NL_TESTS_FAULT_RIG_H

#include "linkfault/fault.h"

struct fault_rig {
	struct fault_spec *spec;
	struct fault_state *state;
	uint64_t no; /* of the next frame */
	struct fault_matches matches;
	struct fault_copy copies[FAULT_COPIES_MAX];
	unsigned copy_count;
	struct fault_trail trail;
};

/* words: JSON as in the topology file, ' for " if that is easier to read; the test fails
 * if they are wrong. */
struct fault_rig rig_open(uint64_t seed, const char *words);
void rig_close(struct fault_rig *rig);
/* The test fails unless they are refused; why: the reason. */
void rig_refused(const char *words, char why[WHY_BYTES_MAX]);

/* The verdict of the next frame; fate FAULT_DOWN and FAULT_MTU too. */
struct fault_verdict rig_offer(struct fault_rig *rig, const uint8_t *bytes, uint32_t size,
			       uint64_t now_ns);
/* The same for copy number `copy` of the frame that was offered last. */
struct fault_verdict rig_copy(struct fault_rig *rig, unsigned copy, uint64_t now_ns);

/* A frame at a line. */
struct rig_frame {
	uint64_t at_ns;
	uint32_t size;
	enum fault_fate fate; /* set */
	bool marked;	      /* set */
	uint64_t leave_ns;    /* set, if it passed */
};

/* Offer all of them, in order of time; each gets its fate. */
void rig_line(struct fault_rig *rig, struct rig_frame *frames, size_t count);

#endif
