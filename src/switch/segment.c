/* SPDX-License-Identifier: MIT */
#include "switch/segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/draw.h"
#include "switch/direction.h"

void segment_init(struct segment *segment, uint64_t seed, char *name, uint64_t ageing_ns)
{
	*segment = (struct segment){ .name = name };
	mac_table_init(&segment->macs, draw_key(seed, name), ageing_ns);
}

void segment_destroy(struct sw *sw, struct segment *segment)
{
	for (size_t i = 0; i < segment->pairs.room; i++) {
		struct pair *pair = segment->pairs.slots[i].pair;

		if (pair) {
			direction_destroy(sw, &pair->direction);
			free(pair);
		}
	}
	pair_map_destroy(&segment->pairs);
	mac_table_destroy(&segment->macs);
	free(segment->members);
	free(segment->name);
}

int segment_add_member(struct segment *segment, struct port *port,
		       struct direction *direction)
{
	size_t count = (size_t)segment->member_count + 1;
	struct member *members = realloc(segment->members, count * sizeof(*members));

	if (!members)
		return -ENOMEM;
	segment->members = members;
	if (mac_table_add_member(&segment->macs) < 0)
		return -ENOMEM;
	port->segment = segment;
	port->member = segment->member_count;
	segment->members[segment->member_count++] = (struct member){ port, direction };
	return 0;
}

static void forward_to(struct sw *sw, struct segment *segment, struct transit *transit,
		       uint32_t to)
{
	struct direction *next = segment->members[to].direction;

	if (segment->pairs_in_force) {
		struct pair *pair =
			pair_map_get(&segment->pairs, transit->from->member, to);

		if (pair && pair->in_force)
			next = &pair->direction;
	}
	direction_offer(sw, next, transit);
}

void segment_forward(struct sw *sw, struct segment *segment, struct transit *transit)
{
	uint64_t to_mac = mac_load(transit->frame.bytes);
	uint64_t from_mac = mac_load(transit->frame.bytes + 6);
	uint32_t from = transit->from->member;
	struct trail_mark here;

	if (!(from_mac & MAC_GROUP_BIT) && transit->from->up)
		mac_table_learn(&segment->macs, from_mac, from, transit->at_ns);
	if (!(to_mac & MAC_GROUP_BIT)) {
		uint32_t to = mac_table_find(&segment->macs, to_mac, transit->at_ns);

		if (to == from)
			return; /* the receiver has heard it already */
		if (to != MAC_TABLE_UNKNOWN) {
			forward_to(sw, segment, transit, to);
			return;
		}
	}
	here = trail_mark(transit->trail);
	for (uint32_t to = 0; to < segment->member_count; to++) {
		struct transit copy = *transit;

		if (to == from)
			continue;
		trail_back_to(transit->trail, here);
		forward_to(sw, segment, &copy, to);
	}
}

void segment_forget(struct segment *segment, uint32_t member)
{
	mac_table_forget(&segment->macs, member);
}

struct pair *segment_pair(const struct segment *segment, const struct port *from,
			  const struct port *to)
{
	if (from->segment != segment || to->segment != segment)
		return NULL;
	return pair_map_get(&segment->pairs, from->member, to->member);
}

static struct pair *pair_create(struct sw *sw, struct segment *segment, struct port *from,
				struct port *to)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	char *name;

	if (!pair)
		return NULL;
	if (asprintf(&name, "%s %s->%s", segment->name, from->name, to->name) < 0) {
		free(pair);
		return NULL;
	}
	direction_init(&pair->direction, sw->config.seed, name);
	pair->direction.to = TO_MEMBER;
	pair->direction.port = to;
	pair->direction.next = segment->members[to->member].direction;
	if (pair_map_add(&segment->pairs, from->member, to->member, pair) < 0) {
		direction_destroy(sw, &pair->direction);
		free(pair);
		return NULL;
	}
	return pair;
}

struct pair *segment_pair_there(struct sw *sw, struct segment *segment, uint32_t from,
				uint32_t to)
{
	struct pair *pair = pair_map_get(&segment->pairs, from, to);

	return pair ? pair
		    : pair_create(sw, segment, segment->members[from].port,
				  segment->members[to].port);
}

int segment_pair_set(struct sw *sw, struct segment *segment, struct port *from,
		     struct port *to, struct fault_spec *spec, uint64_t now_ns,
		     struct why *why)
{
	bool in_force = !fault_spec_is_perfect(spec);
	struct pair *pair = segment_pair(segment, from, to);

	if (from == to)
		return why_set(why, -EINVAL, "%s: a frame from %s never comes back to it",
			       segment->name, from->name);
	if (from->segment != segment || to->segment != segment)
		return why_set(why, -EINVAL, "%s is not a member of the network %s",
			       from->segment != segment ? from->name : to->name,
			       segment->name);
	if (!pair) {
		if (!in_force)
			return 0;
		pair = pair_create(sw, segment, from, to);
	}
	if (!pair || direction_fault_set(sw, &pair->direction, spec, now_ns))
		return why_set(why, -ENOMEM, "%s: out of memory for a pair",
			       segment->name);
	segment->pairs_in_force += (uint32_t)in_force - (uint32_t)pair->in_force;
	pair->in_force = in_force;
	return 0;
}
