/* SPDX-License-Identifier: MIT */
/* verdict.h - what the switch did to a frame, as a capture tells it
 *
 * A comment in words, for those who read it:
 *
 *	wire a->b #17: lost: gemodel bad state
 *	wire a->b #18: queue 3 of 1000; delayed 37.2ms
 *	lan.a a->lan #4 | lan.b lan->b #9: cut: partition p2
 *
 * the directions that it came through, its number in each from 0, and what was
 * decided there (linkfault/note.h).  A frame to which nothing was done has none.
 *
 * And for programs, an identity, which is the same wherever the frame is seen (the
 * port at which it entered, and its number in the direction that leads from there),
 * and an enum sw_fate as the verdict, with VERDICT_LATE if it had entered already.
 *
 * Errors:    none.
 * Ownership: the frame borrows the text and the event.
 * Threads:   pure.
 */
#ifndef NL_FABRIC_VERDICT_H
#define NL_FABRIC_VERDICT_H

#include "capture/capture.h"
#include "linkfault/note.h"
#include "switch/switch.h"

enum {
	VERDICT_BYTES_MAX = FAULT_TRAIL_BYTES_MAX + 64,
	VERDICT_NUMBER_BITS = 40,
	VERDICT_LATE = 0x80,
};

#define VERDICT_NUMBER_MASK ((UINT64_C(1) << VERDICT_NUMBER_BITS) - 1)

/* The name of the partition that cuts this way; NULL: it is not known. */
typedef const char *verdict_cut_fn(void *ctx, uint32_t from_node, uint32_t to_node);

struct capture_frame verdict_frame(char text[VERDICT_BYTES_MAX],
				   const struct sw_tap_event *event, uint64_t wall_ns,
				   verdict_cut_fn *cut, void *ctx);
/* The same without a word of what was done. */
struct capture_frame verdict_plain(const struct sw_tap_event *event, uint64_t wall_ns);

/* Port and number, or CAPTURE_NO_ID for what never came to a direction. */
uint64_t verdict_id(const struct sw_tap_event *event);

#endif
