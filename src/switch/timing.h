/* SPDX-License-Identifier: MIT */
/* timing.h - how punctual a direction is; for the files of this folder */
#ifndef NL_SWITCH_TIMING_H
#define NL_SWITCH_TIMING_H

#include "switch/core.h"

/* A frame that waited has come to the far end of its direction.  transit.at_ns is still
 * when it was offered. */
void timing_came(struct sw *sw, const struct transit *transit, uint64_t due_ns);
/* The direction's fault was set: measure anew. */
void timing_restart(const struct sw *sw, struct direction *direction);

#endif
