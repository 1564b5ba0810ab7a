/* SPDX-License-Identifier: MIT */
#include "vhost/guest_memory.h"

#include <errno.h>
#include <string.h>

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

int guest_memory_add(struct guest_memory *memory, uint64_t physical, uint64_t virtual,
		     uint64_t size, int fd, uint64_t offset, struct why *why)
{
	struct guest_region *region = &memory->regions[memory->count];
	int err;

	if (memory->count == GUEST_REGIONS_MAX)
		return why_set(why, -EINVAL, "more than %d memory regions",
			       GUEST_REGIONS_MAX);
	if (size == 0 || physical + size < size || virtual + size < size)
		return why_set(why, -EINVAL,
			       "memory region %u (address 0x%llx, %llu bytes) is empty or "
			       "wraps around",
			       memory->count, (unsigned long long)physical,
			       (unsigned long long)size);
	for (unsigned i = 0; i < memory->count; i++) {
		const struct guest_region *r = &memory->regions[i];

		if (overlap(physical, size, r->physical, r->size) ||
		    overlap(virtual, size, r->virtual, r->size))
			return why_set(why, -EINVAL, "memory regions %u and %u overlap",
				       i, memory->count);
	}
	err = guest_map_create(&region->map, fd, offset, size, why);
	if (err)
		return why_wrap(why, err, "memory region %u", memory->count);
	region->physical = physical;
	region->virtual = virtual;
	region->size = size;
	region->bytes = region->map->bytes;
	if (memory->count == 0 || physical < memory->physical_lowest)
		memory->physical_lowest = physical;
	memory->count++;
	return 0;
}

void guest_memory_clear(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		guest_map_destroy(memory->regions[i].map);
	memset(memory, 0, sizeof(*memory));
}

uint8_t *guest_memory_virtual(const struct guest_memory *memory, uint64_t address,
			      uint64_t size)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct guest_region *region = &memory->regions[i];
		uint64_t offset = address - region->virtual;

		if (offset < region->size && size <= region->size - offset)
			return region->bytes + offset;
	}
	return NULL;
}
