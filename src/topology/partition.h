/* SPDX-License-Identifier: MIT */
/* partition.h - the kinds of partitions: their names, and what each needs
 *
 * For both who read one: the compiler (partitions.c) and the lab's control socket.
 *
 * Errors:    -EINVAL, *why says what is missing or does not fit.
 * Ownership: everything is borrowed.
 * Threads:   pure.
 */
#ifndef NL_TOPOLOGY_PARTITION_H
#define NL_TOPOLOGY_PARTITION_H

#include "base/why.h"
#include "topology/plan.h"

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
int partition_check(const struct plan_partition *partition, size_t node_count,
		    struct why *why);

#endif
