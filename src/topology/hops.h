/* SPDX-License-Identifier: MIT */
/* hops.h - breadth-first walks over domains and the nodes between them
 *
 * One family's view of a lab: an end counts if it has an address of that family,
 * and a node leads from one domain to another unless it must not forward.
 *
 * A walk starts from a subnet or a node and finds for every other node the way
 * there over the fewest links.  Its *gateway* is the end that a packet is to be
 * sent to next.  Among several, the node that is first in the order of names is
 * taken, so the outcome depends on nothing but the file.
 *
 * A walk costs as much as there are ends.
 *
 * Errors: none.  Ownership: the arena's.  Threads: one.
 */
#ifndef NL_TOPOLOGY_HOPS_H
#define NL_TOPOLOGY_HOPS_H

#include "topology/stages.h"

#define HOPS_NEVER UINT32_MAX

/* What a walk needs of an end, close together: it is looked at millions of
 * times. */
struct hop {
	uint32_t node, domain;
	bool has_address;
};

struct hops {
	const struct build *b;
	struct hop *hop;      /* per end */
	uint32_t *node_first; /* per node: its ends are node_ends[first..] */
	uint32_t *node_ends;
	uint32_t *rank;	   /* per node, in the order of names */
	bool *may_forward; /* per node */
	/* Of the walk under way. */
	uint32_t *level;   /* per domain */
	uint32_t *gateway; /* per domain: end */
	uint32_t *queue;   /* domains */
	size_t queued;
};

void hops_init(struct hops *hops, struct build *b, int family);

/* To a domain: distance[node] is 0 for those attached to it, else the number of
 * routers on the way, or HOPS_NEVER; gateway_of[node] is an end + 1, or 0. */
void hops_to_domain(struct hops *hops, uint32_t domain, uint32_t *distance,
		    uint32_t *gateway_of);

/* To a node, at whichever of its interfaces: distance in links. */
void hops_to_node(struct hops *hops, uint32_t node, uint32_t *distance,
		  uint32_t *gateway_of);

#endif
