/* SPDX-License-Identifier: MIT */
/* node_clock.h - a node's clock beside the lab's: "clock", and netlab clock set
 *
 *	"clock": {"offset": "-5s", "drift": "200ppm"}	in a node of a topology
 *
 * offset: CLOCK_REALTIME is off by this from the beginning; at most NODE_CLOCK_OFFSET_NS_MAX
 * either way.  drift: all clocks of the machine run fast (or, negative, slow) by this
 * part; at most NODE_CLOCK_DRIFT_PPB_MAX, which is what a kernel in real time can do.
 *
 * Errors:    to diags; or -EINVAL, -ERANGE with *why, and *out is unchanged.
 * Ownership: plain values.
 * Threads:   pure.
 */
#ifndef NL_TOPOLOGY_NODE_CLOCK_H
#define NL_TOPOLOGY_NODE_CLOCK_H

#include "base/why.h"
#include "topology/diag.h"
#include "plan/plan.h"
#include "topology/tree.h"

/* Wall time stays within what kernels can count: virtual time begins in 2026. */
#define NODE_CLOCK_OFFSET_NS_MAX   (INT64_C(50) * 365 * 86400 * 1000000000)
#define NODE_CLOCK_OFFSET_MAX_TEXT "50 years (438000h)"
#define NODE_CLOCK_DRIFT_PPB_MAX   INT64_C(100000000)

int node_clock_parse_ns(const char *text, int64_t *ns, struct why *why);
int node_clock_parse_drift(const char *text, int64_t *ppb, struct why *why);

/* False: it is not there, or wrong. */
bool node_clock_read(struct diagnostics *diags, const struct tree *value,
		     struct plan_clock *out);

#endif
