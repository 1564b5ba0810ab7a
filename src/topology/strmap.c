/* SPDX-License-Identifier: MIT */
#include "topology/strmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "base/arena.h"

/* The slot that holds the name, or the empty one where it would go. */
static struct strmap_slot *find(const struct strmap *map, const char *name)
{
	size_t at = draw_key(0, name) & (map->room - 1);

	while (map->slots[at].name && strcmp(map->slots[at].name, name))
		at = (at + 1) & (map->room - 1);
	return &map->slots[at];
}

static void grow(struct strmap *map)
{
	struct strmap old = *map;

	map->room = old.room ? 2 * old.room : 16;
	map->slots = heap_zeroed(map->room, sizeof(*map->slots));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].name)
			*find(map, old.slots[i].name) = old.slots[i];
	free(old.slots);
}

void strmap_free(struct strmap *map)
{
	free(map->slots);
	*map = (struct strmap){ 0 };
}

long strmap_get(const struct strmap *map, const char *name)
{
	const struct strmap_slot *slot;

	if (!map->room)
		return STRMAP_NONE;
	slot = find(map, name);
	return slot->name ? (long)slot->value : STRMAP_NONE;
}

long strmap_add(struct strmap *map, const char *name, size_t value)
{
	struct strmap_slot *slot;

	if (2 * map->count >= map->room)
		grow(map);
	slot = find(map, name);
	if (slot->name)
		return (long)slot->value;
	*slot = (struct strmap_slot){ name, value };
	map->count++;
	return STRMAP_NONE;
}
