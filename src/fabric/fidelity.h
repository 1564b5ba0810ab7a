/* SPDX-License-Identifier: MIT */
/* fidelity.h - was what happened what was asked for?
 *
 * Compares, for one direction since its fault was last set,
 *
 *   loss   what was dropped as lost, of what came to be judged: the part, with its
 *          Wilson interval, as wide as frames that depend on one another make it
 *          (expectation.h); asked for is known of all models but a list, unless rules
 *          or marks are in it as well
 *   copies, damage
 *          the same of frames that there were copies of, and of damaged ones
 *   delay  the mean time that frames really spent in the direction, with so many
 *          standard errors; asked for is known when it is the only thing that makes
 *          them wait
 *   pool   frames that nothing but a want of memory lost: nobody asked for those
 *   rate   of frames that left the line right behind another
 *   late   when frames really came, after they were due
 *
 * A part that was asked for and lies outside the interval is marked: at 99.9 %, so of a
 * thousand honest ones one is.  When one frame in a hundred, and at least FIDELITY_LATE_FRAMES_MIN,
 * came later than FIDELITY_LATE_NS, the whole run is suspect: the host was too busy to
 * keep the delays.  (Of a dozen frames the 99th percentile is the latest one.)
 *
 * Errors:    none.
 * Ownership: JSON objects, the caller's.
 * Threads:   pure.
 */
#ifndef NL_FABRIC_FIDELITY_H
#define NL_FABRIC_FIDELITY_H

#include <jansson.h>
#include <stdint.h>

#include "base/histogram.h"
#include "fabric/wire.h"
#include "switch/switch.h"

#define FIDELITY_LATE_NS UINT64_C(1000000)
enum { FIDELITY_LATE_FRAMES_MIN = 10 };
/* For people. */
#define FIDELITY_SUSPECT                                                                     \
	"the host was too busy to keep the delays: one frame in a hundred came more than "   \
	"1 ms late.  Run it again with less beside it on the host or with fewer machines, "  \
	"or in virtual time (up --clock virtual), where the host's load makes no difference"

/* The run as a whole: frames that waited, p50_ns, p99_ns, most_ns, suspect; and how many
 * were lost for want of memory (pool). */
json_t *fidelity_json(const struct histogram *late, uint64_t pool);
json_t *fidelity_run(const struct wire *wire);

/* spec NULL: a perfect wire; timing NULL: nothing waited yet. */
json_t *fidelity_of(const struct fault_spec *spec, const struct sw_count *count,
		    const struct sw_timing *timing);

/* The Wilson score interval at 99.9 % of `hits` of `of` (Wilson 1927): parts of a
 * million.  of > 0. */
void fidelity_wilson(double hits, double of, double *low_ppm, double *high_ppm);

#endif
