/* SPDX-License-Identifier: MIT */
/* guest_map.h - a piece of a guest's memory file, mapped, and safe to touch
 *
 * The file belongs to the guest: nothing stops it from cutting the file short
 * while we have it mapped, and the file system below it may be full when a page
 * is first touched.  The kernel answers such an access with SIGBUS, which must
 * not end the lab.  So a map installs a SIGBUS handler for the process:
 * it lays zero pages over the whole map, marks it lost, and lets the access go
 * on.  The owner looks at guest_map_lost() after touching the memory and gives
 * the guest up.  A SIGBUS elsewhere goes to the handler that was there before.
 *
 * System calls that are handed such memory fail with EFAULT instead.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: guest_map_create() borrows the descriptor; the map does not need
 *            it later.
 * Threads:   maps are made, touched and ended by one thread.
 */
#ifndef NL_VHOST_GUEST_MAP_H
#define NL_VHOST_GUEST_MAP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

struct guest_map {
	uint8_t *bytes; /* of the file at the offset asked for */
	size_t size;

	uint8_t *pages; /* what is mapped: whole pages around the bytes */
	size_t pages_size;
	volatile sig_atomic_t lost;
	struct guest_map *next;
};

/* Map size bytes of the file from offset on.  The file must be a regular one
 * (tmpfs, memfd and hugetlbfs files are) and long enough. */
int guest_map_create(struct guest_map **out, int fd, uint64_t offset, uint64_t size,
		     struct why *why);
void guest_map_destroy(struct guest_map *map); /* NULL does nothing */

/* Did an access meet missing memory?  What was read since may be zeros. */
static inline bool guest_map_lost(const struct guest_map *map)
{
	return map->lost;
}

#endif
