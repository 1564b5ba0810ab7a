/* SPDX-License-Identifier: MIT */
/* direction.h - one way along one link (or pair): where faults meet frames */
#ifndef NL_SWITCH_DIRECTION_H
#define NL_SWITCH_DIRECTION_H

#include "switch/core.h"

/* name is taken over. */
void direction_init(struct direction *direction, uint64_t seed, char *name);
/* What waits for its lines is given back. */
void direction_destroy(struct sw *sw, struct direction *direction);

/* 0 or -ENOMEM, and then nothing has changed.  spec may be NULL; it gets one more
 * reference. */
int direction_fault_set(struct sw *sw, struct direction *direction,
			struct fault_spec *spec, uint64_t now_ns);

/* In a direction that nothing has come to: the spec, with a state that begins, and nothing
 * in its lines. */
int direction_fault_load(struct sw *sw, struct direction *direction,
			 struct fault_spec *spec);

/* A frame comes to the near end.  transit is changed. */
void direction_offer(struct sw *sw, struct direction *direction, struct transit *transit);
/* A frame that waited comes to the far end.  transit is changed. */
void direction_arrive(struct sw *sw, struct transit *transit, uint64_t due_ns);
/* It is lost here. */
void direction_drop(struct sw *sw, struct direction *direction, struct transit *transit,
		    enum sw_fate fate);

#endif
