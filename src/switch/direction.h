/* SPDX-License-Identifier: MIT */
/* direction.h - one way along one link (or pair): where faults meet frames */
#ifndef NL_SWITCH_DIRECTION_H
#define NL_SWITCH_DIRECTION_H

#include "switch/core.h"

/* name is taken over. */
void direction_init(struct direction *direction, uint64_t seed, char *name);
void direction_destroy(struct direction *direction);

void direction_fault_set(struct direction *direction, const struct fault_spec *spec);

/* A frame comes to the near end.  transit is changed. */
void direction_offer(struct sw *sw, struct direction *direction, struct transit *transit);
/* A frame that waited comes to the far end.  transit is changed. */
void direction_arrive(struct sw *sw, struct transit *transit, uint64_t due_ns);

#endif
