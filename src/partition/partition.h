/* SPDX-License-Identifier: MIT */
/* partition.h - a partition as it is asked for: its kind, and who has a part in it
 *
 * For both who read one: the compiler (partitions.c) and the lab's control socket.  Who is
 * then cut off from whom is partition/cut_draw.h's.
 *
 * Errors:    -EINVAL, *why says what is missing or does not fit.
 * Ownership: everything is borrowed.
 * Threads:   pure.
 */
#ifndef NL_PARTITION_PARTITION_H
#define NL_PARTITION_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum { PARTITION_NAME_BYTES_MAX = 32 }; /* with the 0 */

/* How a partition finds out who is cut off from whom: partition/cut_draw.h. */
enum partition_kind {
	PARTITION_SIDES,
	PARTITION_ISOLATE,
	PARTITION_BRIDGE,
	PARTITION_HALVES,
	PARTITION_MINORITY,
	PARTITION_MAJORITY,
	PARTITION_RING,
	PARTITION_RANDOM,
	PARTITION_KINDS,
};

/* A node's part in a partition that is not PARTITION_SIDES. */
enum partition_part { PART_NONE, PART_MEMBER, PART_PICKED };

/* Whoever has no part in it sees everybody. */
struct partition {
	char name[PARTITION_NAME_BYTES_MAX]; /* "": the lab gives it one */
	enum partition_kind kind;
	bool one_way; /* only frames from the first side to the second are cut */
	uint32_t *part_of; /* per node: its side from 1, 0 for none (PARTITION_SIDES);
			    * else an enum partition_part */
	uint32_t side_count; /* PARTITION_SIDES */
	/* PARTITION_RANDOM: how long a draw lasts on average, and at least. */
	uint64_t every_ns, stable_ns;
};

#define PARTITION_EVERY_NS_MIN UINT64_C(1000000)	/* 1 ms */
#define PARTITION_EVERY_NS_MAX UINT64_C(86400000000000) /* a day */

/* "isolate", "majorities-ring", ... */
const char *partition_kind_name(enum partition_kind kind);
/* PARTITION_KINDS: there is none of that name. */
enum partition_kind partition_kind_find(const char *name);
extern const char *const partition_kind_names[PARTITION_KINDS + 1]; /* NULL at the end */

/* May nodes be picked for it, as in "isolate n1"? */
bool partition_kind_picks(enum partition_kind kind);

/* Does it have as many nodes as it needs, and nothing that it has no use for? */
int partition_check(const struct partition *partition, size_t node_count,
		    struct why *why);

#endif
