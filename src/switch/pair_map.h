/* SPDX-License-Identifier: MIT */
/* pair_map.h - from (sender, receiver) to the pair between them
 *
 * Open addressing; entries are never removed, for a pair that is out of force
 * keeps its counters and its place in the row of its draws.
 *
 * Errors:    pair_map_add() returns -ENOMEM and has added nothing.
 * Ownership: the map owns its array; pairs are the caller's.
 * Threads:   one.
 */
#ifndef NL_SWITCH_PAIR_MAP_H
#define NL_SWITCH_PAIR_MAP_H

#include <stddef.h>
#include <stdint.h>

struct pair;

struct pair_slot {
	uint32_t from, to;
	struct pair *pair; /* NULL: free */
};

struct pair_map {
	struct pair_slot *slots;
	size_t room; /* a power of two, or 0 */
	size_t count;
};

void pair_map_destroy(struct pair_map *map);

struct pair *pair_map_get(const struct pair_map *map, uint32_t from, uint32_t to);
int pair_map_add(struct pair_map *map, uint32_t from, uint32_t to, struct pair *pair);

#endif
