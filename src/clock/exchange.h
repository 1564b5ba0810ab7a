/* SPDX-License-Identifier: MIT */
/* exchange.h - how far is another's clock from ours, by asking it
 *
 * Each exchange is a question sent at one time of ours, answered with theirs, and heard at
 * a later one of ours.  Wherever between the two they read their clock, so far it is off:
 * an interval.  Both clocks run equally fast, so the truth is in all intervals at once, and
 * the quickest way there and the quickest way back count, also if they were not of one
 * exchange.  (The network time protocol takes the exchange with the shortest round trip.)
 *
 * Units:   nanoseconds.
 * Threads: pure.
 */
#ifndef NL_CLOCK_EXCHANGE_H
#define NL_CLOCK_EXCHANGE_H

#include <stdint.h>

struct exchanges {
	uint32_t count;
	int64_t least_ns, most_ns; /* theirs minus ours lies between */
};

/* All zeros to begin with.  One that agrees with none of those before (their clock was set
 * meanwhile) begins anew. */
void exchanges_add(struct exchanges *exchanges, uint64_t sent_ns, uint64_t theirs_ns,
		   uint64_t heard_ns);
/* The middle, and how much it may be wrong.  count > 0. */
int64_t exchanges_offset_ns(const struct exchanges *exchanges);
uint64_t exchanges_error_ns(const struct exchanges *exchanges);

#endif
