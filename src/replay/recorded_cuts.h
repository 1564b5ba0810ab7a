/* SPDX-License-Identifier: MIT */
/* recorded_cuts.h - the partitions of a recorded run that are in force at a time
 *
 * Each entry of the journal that begins or ends one is given in its order; the switch is
 * told what is cut then.
 *
 * Errors:    -EINVAL with *why: the journal does not have all that was cut, or more at
 *            once than RECORDED_CUTS_MAX.
 * Ownership: entries, nodes and the switch are borrowed.
 * Threads:   one.
 */
#ifndef NL_REPLAY_RECORDED_CUTS_H
#define NL_REPLAY_RECORDED_CUTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "switch/switch.h"

enum { RECORDED_CUTS_MAX = 64 };

struct recorded_cuts {
	struct sw *sw;
	const json_t *nodes; /* of the plan */
	struct {
		const char *name;
		const json_t *pairs; /* arrays of two names */
	} at[RECORDED_CUTS_MAX];
	size_t count;
};

int recorded_cuts_begin(struct recorded_cuts *cuts, const json_t *entry, struct why *why);
void recorded_cuts_heal(struct recorded_cuts *cuts, const json_t *entry);
/* The name of one that cuts these frames, or NULL. */
const char *recorded_cuts_name(const struct recorded_cuts *cuts, uint32_t from_node,
			       uint32_t to_node);

#endif
