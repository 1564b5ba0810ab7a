/* SPDX-License-Identifier: MIT */
#include "switch/pair_map.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_MIN = 16 };

void pair_map_destroy(struct pair_map *map)
{
	free(map->slots);
	*map = (struct pair_map){ 0 };
}

/* Where the pair is, or where it would be. */
static struct pair_slot *slot_of(const struct pair_map *map, uint32_t from, uint32_t to)
{
	uint64_t h = ((uint64_t)from << 32 | to) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = h >> 32 & (map->room - 1);

	while (map->slots[i].pair &&
	       (map->slots[i].from != from || map->slots[i].to != to))
		i = (i + 1) & (map->room - 1);
	return &map->slots[i];
}

static int grow(struct pair_map *map)
{
	struct pair_map bigger = { .room = map->room ? 2 * map->room : ROOM_MIN,
				   .count = map->count };

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++)
		if (map->slots[i].pair)
			*slot_of(&bigger, map->slots[i].from, map->slots[i].to) =
				map->slots[i];
	free(map->slots);
	*map = bigger;
	return 0;
}

struct pair *pair_map_get(const struct pair_map *map, uint32_t from, uint32_t to)
{
	return map->room ? slot_of(map, from, to)->pair : NULL;
}

int pair_map_add(struct pair_map *map, uint32_t from, uint32_t to, struct pair *pair)
{
	/* Half full at most, so a search ends soon. */
	if (2 * (map->count + 1) > map->room && grow(map) < 0)
		return -ENOMEM;
	*slot_of(map, from, to) = (struct pair_slot){ from, to, pair };
	map->count++;
	return 0;
}
