/* SPDX-License-Identifier: MIT */
/* guest_clock.h - a guest's own time as a function of lab time
 *
 *	guest = guest_base + floor((lab - lab_base) * rate / 10^9)
 *
 * rate is in parts per billion: 10^9 for a clock that is right, 10^9 + 200000 for one
 * that is 200 ppm fast, 0 for one that stands.  When it changes, the bases become the
 * values of that moment, so the guest's time never goes back; each change loses less
 * than a nanosecond of it.
 *
 * Integers only, 128 bits in between: exact and the same on each host, for lab times and
 * guest times below 2^63 ns (292 years).
 *
 * Units:   nanoseconds.
 * Threads: pure.
 */
#ifndef NL_CLOCK_GUEST_CLOCK_H
#define NL_CLOCK_GUEST_CLOCK_H

#include <stdint.h>

#define GUEST_CLOCK_RATE_ONE UINT32_C(1000000000)
#define GUEST_CLOCK_RATE_MAX (2 * GUEST_CLOCK_RATE_ONE)
#define GUEST_CLOCK_NEVER    UINT64_MAX

struct guest_clock {
	uint64_t lab_base_ns, guest_base_ns;
	uint32_t rate_ppb; /* at most GUEST_CLOCK_RATE_MAX */
};

/* It is 0 at that lab time; the rate stays as it is. */
void guest_clock_start(struct guest_clock *clock, uint64_t lab_ns);
void guest_clock_set_rate(struct guest_clock *clock, uint64_t lab_ns, uint32_t rate_ppb);

/* What it shows; before its base, what it shows there. */
uint64_t guest_clock_at(const struct guest_clock *clock, uint64_t lab_ns);
/* The first lab time, not before its base, at which it shows guest_ns or more;
 * GUEST_CLOCK_NEVER: as things stand, it never does. */
uint64_t guest_clock_lab_ns(const struct guest_clock *clock, uint64_t guest_ns);

#endif
