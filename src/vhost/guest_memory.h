/* SPDX-License-Identifier: MIT */
/* guest_memory.h - a guest's address spaces, and the only way into them
 *
 * The front end names its memory in regions, each with an address in two
 * spaces: *physical*, which the guest's kernel writes into descriptors, and
 * *front-end virtual*, which SET_VRING_ADDR speaks.  guest_memory_physical() and
 * guest_memory_virtual() turn a range of either into bytes of ours; they check
 * the start and the end, and there is no other way in.
 *
 * User-Mode Linux names one region that begins behind its kernel image: the
 * image lies in its physical space but not in its memory file.  An address there
 * is *hidden*: it can come from an honest guest (a buffer that is a static
 * variable of the kernel), and we cannot read it.  guest_memory_hidden() tells
 * it from an address that is simply wrong; what to do is the device's choice.
 *
 * Errors:    0 or -errno with *why in words for "the guest's ...".
 * Ownership: pointers are good until guest_memory_clear().
 * Threads:   one.
 */
#ifndef NL_VHOST_GUEST_MEMORY_H
#define NL_VHOST_GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "vhost/guest_map.h"

enum { GUEST_REGIONS_MAX = 8 };

struct guest_region {
	uint64_t physical;
	uint64_t virtual;
	uint64_t size;
	uint8_t *bytes;
	struct guest_map *map;
};

struct guest_memory {
	struct guest_region regions[GUEST_REGIONS_MAX];
	unsigned count;
	uint64_t physical_lowest; /* of all regions */
};

/* Add a region; all-zero memory is empty memory.  fd is borrowed. */
int guest_memory_add(struct guest_memory *memory, uint64_t physical, uint64_t virtual,
		     uint64_t size, int fd, uint64_t offset, struct why *why);
void guest_memory_clear(struct guest_memory *memory);

/* Has any region been cut short under us?  See guest_map.h. */
static inline bool guest_memory_lost(const struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		if (guest_map_lost(memory->regions[i].map))
			return true;
	return false;
}

/* How many of the size bytes from address on lie in one region: *bytes is the
 * first.  0: not even the first. */
static inline uint64_t guest_memory_prefix(const struct guest_memory *memory,
					   uint64_t address, uint64_t size,
					   uint8_t **bytes)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct guest_region *region = &memory->regions[i];
		uint64_t offset = address - region->physical;

		/* An address below the region wraps to a huge offset. */
		if (offset >= region->size)
			continue;
		*bytes = region->bytes + offset;
		return size <= region->size - offset ? size : region->size - offset;
	}
	return 0;
}

/* The bytes of a range of physical addresses, or NULL unless all of it lies in
 * one region.  size > 0. */
static inline uint8_t *guest_memory_physical(const struct guest_memory *memory,
					     uint64_t address, uint64_t size)
{
	uint8_t *bytes = NULL;

	return guest_memory_prefix(memory, address, size, &bytes) == size ? bytes : NULL;
}

/* The same for front-end virtual addresses. */
uint8_t *guest_memory_virtual(const struct guest_memory *memory, uint64_t address,
			      uint64_t size);

/* Is the range below all regions, where a kernel image may lie? */
static inline bool guest_memory_hidden(const struct guest_memory *memory,
				       uint64_t address, uint64_t size)
{
	return memory->count && address < memory->physical_lowest &&
	       size <= memory->physical_lowest - address;
}

#endif
