/* SPDX-License-Identifier: MIT */
/* one_wire.h - two machines' ports and the one link between them, without machines
 *
 * Frames go from the first to the second, each with its number, and what came of each is
 * kept: when it came, how often, with which bits changed.  Faults are set in words.  The
 * frames are IPv4 that may be marked (ECT), so that each word of a fault has something to
 * act on.
 *
 * Whoever looks on (the tap) is told what entered, what left and what was lost: after
 * each call that is held against the switch's counters.
 */
#ifndef NL_TESTS_ONE_WIRE_H
#define NL_TESTS_ONE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "switch/switch.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

enum { WIRE_FRAMES_MAX = 1024, WIRE_ARRIVALS_MAX = 16 * WIRE_FRAMES_MAX };

struct wire_frame {
	uint64_t came_ns; /* the first time; 0: never */
	unsigned copies;  /* that came */
	uint64_t changes; /* of which bits, in each of them: a hash */
};

struct one_wire {
	struct sw *sw;
	uint32_t link;
	struct fault_spec *spec; /* as it was set last; NULL: a perfect wire */
	const char *folder;	 /* of files that words name */
	uint64_t now_ns;
	uint32_t sent, arrivals;
	struct wire_frame frames[WIRE_FRAMES_MAX];
	uint32_t order[WIRE_ARRIVALS_MAX]; /* frames, as they came */
	/* What was told. */
	uint64_t entered, left, lost[SW_FATES];
};

/* folder: lent. */
struct one_wire *one_wire_open(uint64_t seed, const char *folder);
void one_wire_close(struct one_wire *wire);

/* words: JSON with ' for "; false: they were refused, and nothing has changed. */
bool one_wire_try(struct one_wire *wire, const char *words);
void one_wire_set(struct one_wire *wire, const char *words); /* they must be right */
void one_wire_clear(struct one_wire *wire);
/* The rule of that name is taken out; it takes effect with the next change. */
void one_wire_forget_rule(struct one_wire *wire, const char *name);

void one_wire_send(struct one_wire *wire, uint32_t size);
/* Bursts of up to eight, a few milliseconds apart: the same for the same key. */
void one_wire_send_some(struct one_wire *wire, unsigned count, uint64_t key);
/* Each frame arrives at its own time. */
void one_wire_until(struct one_wire *wire, uint64_t now_ns);

#endif
