/* SPDX-License-Identifier: MIT */
#include "partition/partition.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/units.h"

const char *const partition_kind_names[PARTITION_KINDS + 1] = {
	[PARTITION_SIDES] = "sides",	      [PARTITION_ISOLATE] = "isolate",
	[PARTITION_BRIDGE] = "bridge",	      [PARTITION_HALVES] = "halves",
	[PARTITION_MINORITY] = "minority",    [PARTITION_MAJORITY] = "majority",
	[PARTITION_RING] = "majorities-ring", [PARTITION_RANDOM] = "random",
};

const char *partition_kind_name(enum partition_kind kind)
{
	ASSERT((unsigned)kind < PARTITION_KINDS);
	return partition_kind_names[kind];
}

enum partition_kind partition_kind_find(const char *name)
{
	int kind = 0;

	while (kind < PARTITION_KINDS && strcmp(partition_kind_names[kind], name))
		kind++;
	return (enum partition_kind)kind;
}

bool partition_kind_picks(enum partition_kind kind)
{
	return kind == PARTITION_ISOLATE || kind == PARTITION_BRIDGE;
}

/* Of fewer nodes it could not cut anything, or not what its name says. */
static size_t members_min(enum partition_kind kind)
{
	switch (kind) {
	case PARTITION_BRIDGE:
	case PARTITION_MINORITY:
	case PARTITION_MAJORITY:
	case PARTITION_RING:
		return 3;
	default:
		return 2;
	}
}

static int check_random(const struct partition *p, struct why *why)
{
	char every[UNITS_TEXT_BYTES_MAX], stable[UNITS_TEXT_BYTES_MAX];

	if (p->kind != PARTITION_RANDOM && (p->every_ns || p->stable_ns))
		return why_set(why, -EINVAL,
			       "only a random partition is drawn anew: %s has no use for "
			       "\"every\" and \"min-stable\"",
			       partition_kind_name(p->kind));
	if (p->kind != PARTITION_RANDOM)
		return 0;
	if (p->one_way)
		return why_set(
			why, -EINVAL,
			"a random partition draws for itself if it cuts one way only");
	if (p->every_ns < PARTITION_EVERY_NS_MIN || p->every_ns > PARTITION_EVERY_NS_MAX)
		return why_set(why, -EINVAL,
			       "a random partition needs \"every\", between 1ms and 24h: "
			       "how often it is drawn anew, on average");
	if (p->stable_ns > p->every_ns)
		return why_set(why, -EINVAL,
			       "\"min-stable\" %s is more than \"every\" %s",
			       units_format_ns(stable, p->stable_ns),
			       units_format_ns(every, p->every_ns));
	return 0;
}

int partition_check(const struct partition *p, size_t node_count, struct why *why)
{
	size_t members = 0, picked = 0;

	if (p->kind == PARTITION_SIDES) {
		if (p->one_way && p->side_count != 2)
			return why_set(why, -EINVAL,
				       "a one-way partition has two sides, not %u",
				       p->side_count);
		return check_random(p, why);
	}
	for (size_t n = 0; n < node_count; n++) {
		members += p->part_of[n] != PART_NONE;
		picked += p->part_of[n] == PART_PICKED;
	}
	if (members < members_min(p->kind))
		return why_set(why, -EINVAL, "%s needs at least %zu nodes, not %zu",
			       partition_kind_name(p->kind), members_min(p->kind),
			       members);
	if (p->kind == PARTITION_BRIDGE && members - picked < 2)
		return why_set(
			why, -EINVAL,
			"bridge: two nodes at least must be left to be cut off from "
			"one another");
	if (picked && !partition_kind_picks(p->kind))
		return why_set(why, -EINVAL, "%s draws its nodes; nobody picks them",
			       partition_kind_name(p->kind));
	if (p->kind == PARTITION_RING && p->one_way)
		return why_set(why, -EINVAL,
			       "majorities-ring has no first side: it is "
			       "never one-way");
	return check_random(p, why);
}
