/* SPDX-License-Identifier: MIT */
/* strmap.h - from names to numbers
 *
 * A hash table with open addressing; names are borrowed and outlive it.
 *
 * Errors: none (see arena.h).  Ownership: strmap_free() frees the table.
 * Threads: one.
 */
#ifndef NL_TOPOLOGY_STRMAP_H
#define NL_TOPOLOGY_STRMAP_H

#include <stddef.h>
#include <stdint.h>

struct strmap_slot {
	const char *name; /* NULL: empty */
	size_t value;
};

/* All-zero is an empty map. */
struct strmap {
	struct strmap_slot *slots;
	size_t room; /* a power of two, or 0 */
	size_t count;
};

enum { STRMAP_NONE = -1 };

void strmap_free(struct strmap *map);

/* The value of name, or STRMAP_NONE. */
long strmap_get(const struct strmap *map, const char *name);

/* Add the name; if it is there already, nothing changes and its value comes
 * back, else STRMAP_NONE. */
long strmap_add(struct strmap *map, const char *name, size_t value);

#endif
