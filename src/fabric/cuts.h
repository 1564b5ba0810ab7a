/* SPDX-License-Identifier: MIT */
/* cuts.h - the partitions that are in force
 *
 * Each has a name of its own.  A way from one machine to another is cut while at
 * least one partition demands it: healing one partition does not undo another's cuts.
 *
 *   cuts_begin() ──► in force ──cuts_heal(), its time is over──► gone
 *                      └─(random)─ drawn anew when its round is over
 *
 * What a partition draws is a function of the lab's seed, its name and its round
 * (partition/cut_draw.h).  Each beginning, round and end is in the journal.
 *
 * A change is atomic: no frame sees half of it, and what was due before it arrives as
 * things were before.
 *
 * Errors:    0 or -errno with *why; nothing has changed then.
 * Ownership: cuts_begin() takes the partition's part_of over when it succeeds.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_CUTS_H
#define NL_FABRIC_CUTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "clock/clock.h"
#include "run/journal.h"
#include "fabric/wire.h"
#include "plan/plan.h"

enum {
	CUTS_PARTITIONS_MAX = 64, /* in force at once */
	CUTS_LISTED_MAX = 4096,	  /* in an answer or entry; the count says how many */
};

struct cuts;

int cuts_create(struct cuts **out, const struct plan *plan, uint64_t seed,
		struct clock *clock, struct wire *wire, struct journal *journal,
		struct why *why);
void cuts_destroy(struct cuts *cuts); /* NULL does nothing */

/* The partitions of the topology file. */
int cuts_begin_plan(struct cuts *cuts, struct why *why);
/* A name "" becomes "p1", "p2", ...; partition->name is then the one that it got.
 * for_ns 0: until it is healed. */
int cuts_begin(struct cuts *cuts, struct partition *partition, uint64_t for_ns,
	       struct why *why);
/* -ENOENT: there is none of that name. */
int cuts_heal(struct cuts *cuts, const char *name, struct why *why);
void cuts_heal_all(struct cuts *cuts);
bool cuts_has(const struct cuts *cuts, const char *name);

/* The first partition that cuts this way; NULL: none does. */
const char *cuts_who(const struct cuts *cuts, uint32_t from_node, uint32_t to_node);

/* Each partition, as `partition-ls` answers. */
json_t *cuts_partitions_json(const struct cuts *cuts);
/* That of this name, which is in force. */
json_t *cuts_partition_json(const struct cuts *cuts, const char *name);
/* Every way that is cut as [from, to], the first CUTS_LISTED_MAX; *count: all. */
json_t *cuts_json(const struct cuts *cuts, size_t *count);

#endif
