/* SPDX-License-Identifier: MIT */
/* cost.h - what a machine's work costs in virtual time: "cost", and up --cost
 *
 *	"cost": {"syscall": "300ns", "switch": "2us"}	in a topology
 *	syscall=300ns,switch=2us			on the command line
 *
 * A switch that is not named costs nothing, a system call what it costs where nothing is
 * said.  What the words mean: docs/determinism.md.
 *
 * Errors:    to diags; or -EINVAL with *why, and *out is unchanged.
 * Ownership: plain values.
 * Threads:   pure.
 */
#ifndef NL_TOPOLOGY_COST_H
#define NL_TOPOLOGY_COST_H

#include "base/why.h"
#include "topology/diag.h"
#include "plan/plan.h"
#include "topology/tree.h"

/* Far below a tick of the machine's kernel, which else could not keep up. */
#define COST_NS_MAX UINT64_C(1000000)

/* False: it is not there, or wrong. */
bool cost_read(struct diagnostics *diags, const struct tree *value,
	       struct plan_cost *out);
int cost_parse(const char *text, struct plan_cost *out, struct why *why);

#endif
