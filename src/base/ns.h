/* SPDX-License-Identifier: MIT */
/* ns.h - times of the lab, added without ever going round
 *
 * People may ask for any duration ("for=18446744073s"), and what is later than the end
 * of time is just never.  So a time and a duration are added here, and nowhere by hand
 * where the duration is somebody's input.
 *
 * Errors:  none.
 * Units:   nanoseconds.
 * Threads: pure.
 */
#ifndef NL_BASE_NS_H
#define NL_BASE_NS_H

#include <stdint.h>

/* No time is later, in 292 years; it fits a signed number, as JSON has them. */
#define NS_END UINT64_C(9223372036854775807)

static inline uint64_t ns_add(uint64_t time_ns, uint64_t more_ns)
{
	uint64_t sum;

	return __builtin_add_overflow(time_ns, more_ns, &sum) || sum > NS_END ? NS_END
									      : sum;
}

#endif
