/* SPDX-License-Identifier: MIT */
/* segment.h - a LAN: its members, what it has learnt, and its pairs */
#ifndef NL_SWITCH_SEGMENT_H
#define NL_SWITCH_SEGMENT_H

#include "switch/core.h"

/* A direction that exists because somebody gave it a fault. */
struct pair {
	struct direction direction;
	bool in_force;
};

/* name is taken over. */
void segment_init(struct segment *segment, uint64_t seed, char *name, uint64_t ageing_ns);
void segment_destroy(struct sw *sw, struct segment *segment);

/* 0 or -ENOMEM. */
int segment_add_member(struct segment *segment, struct port *port,
		       struct direction *direction);
/* A frame from a member's port has reached the segment. */
void segment_forward(struct sw *sw, struct segment *segment, struct transit *transit);
void segment_forget(struct segment *segment, uint32_t member);

/* NULL: there never was one. */
struct pair *segment_pair(const struct segment *segment, const struct port *from,
			  const struct port *to);
/* The same, made if there was none; by members, which are there.  NULL: out of memory. */
struct pair *segment_pair_there(struct sw *sw, struct segment *segment, uint32_t from,
				uint32_t to);
int segment_pair_set(struct sw *sw, struct segment *segment, struct port *from,
		     struct port *to, struct fault_spec *spec, uint64_t now_ns,
		     struct why *why);

#endif
