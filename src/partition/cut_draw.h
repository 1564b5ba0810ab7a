/* SPDX-License-Identifier: MIT */
/* cut_draw.h - who is cut off from whom: a pure function of partition, key and round
 *
 *   sides            as given; a node of no side sees everybody
 *   isolate          each picked node alone, the others together (none picked: one
 *                    is drawn)
 *   bridge           the picked nodes (or one that is drawn) see everybody; the
 *                    others are two halves that do not see each other
 *   halves           floor(n/2) nodes | the rest
 *   minority         floor((n-1)/2) nodes | the rest, a majority
 *   majority         floor(n/2)+1 nodes | the rest: as minority, but one-way it is the
 *                    majority's frames that are lost
 *   majorities-ring  every node sees a majority, itself counted, and no two see the
 *                    same one: on a ring, each sees its nearest neighbours on both
 *                    sides, and if that leaves one to choose and n is even, the node
 *                    opposite; of three nodes, the ends of a row do not see each other
 *   random           in each round one of the above or nothing, one time in four
 *                    one-way
 *
 * Whatever is not given is drawn: the members are dealt out in the order of keyed
 * hashes of (key, round, node).  So it depends on nothing but those three.
 *
 * One-way: only frames that leave the first side are cut (isolate: a picked node's).
 *
 * Errors:    -ENOMEM.
 * Ownership: cut_draw_free().
 * Threads:   pure.
 */
#ifndef NL_PARTITION_CUT_DRAW_H
#define NL_PARTITION_CUT_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "partition/partition.h"

struct cut_draw {
	enum partition_kind kind; /* what random came to; PARTITION_KINDS: nothing */
	bool one_way;
	uint32_t count;	 /* of sides; on a ring, of places */
	uint32_t *place; /* per node: its side from 1, or its place on the ring from 1;
			  * 0: it sees everybody */
};

/* The partition has passed partition_check(). */
int cut_draw(struct cut_draw *out, const struct partition *partition,
	     size_t node_count, uint64_t key, uint64_t round, struct why *why);
/* What may be cut in some round: of a random one, every member from every other. */
int cut_draw_most(struct cut_draw *out, const struct partition *partition,
		  size_t node_count, uint64_t key, struct why *why);
void cut_draw_free(struct cut_draw *draw);

/* Are frames from one node to the other lost? */
bool cut_draw_cuts(const struct cut_draw *draw, uint32_t from, uint32_t to);

/* How long a random partition's round lasts: at least stable_ns, every_ns on average. */
uint64_t cut_draw_lasts_ns(const struct partition *partition, uint64_t key,
			   uint64_t round);

#endif
