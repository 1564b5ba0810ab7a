/* SPDX-License-Identifier: MIT */
/* Faults and partitions of the wiring. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fabric/wire_internal.h"

enum { PAIRS_MAX = 65536 };

static int remember_pair(struct wire *wire, const struct fault_at *at, bool set,
			 struct why *why)
{
	struct fault_at *grown;
	size_t i = 0;

	while (i < wire->pair_count && !fault_at_equal(&wire->pairs[i], at))
		i++;
	if (!set) {
		if (i < wire->pair_count)
			wire->pairs[i] = wire->pairs[--wire->pair_count];
		return 0;
	}
	if (i < wire->pair_count)
		return 0;
	if (wire_fault_room(wire, 1, why))
		return -ENOSPC;
	grown = reallocarray(wire->pairs, i + 1, sizeof(*grown));
	if (!grown)
		return why_set(why, -ENOMEM, "fault: out of memory");
	wire->pairs = grown;
	wire->pairs[wire->pair_count++] = *at;
	return 0;
}

static int pair_set(struct wire *wire, const struct fault_at *at, struct fault_spec *spec,
		    struct why *why)
{
	bool set = !fault_spec_is_empty(spec);
	int err = remember_pair(wire, at, set, why);

	if (!err)
		err = sw_pair_set(wire->sw, at->segment, wire_port(wire, at->from),
				  wire_port(wire, at->to), spec,
				  clock_now_ns(wire->clock), why);
	if (err && set &&
	    !sw_pair_get(wire->sw, at->segment, wire_port(wire, at->from),
			 wire_port(wire, at->to)))
		remember_pair(wire, at, false, NULL);
	return err;
}

int wire_fault_check(const struct fault_at *at, const struct fault_spec *spec,
		     struct why *why)
{
	if (at->pair && spec && spec->rule[0].carrier)
		return why_set(why, -EINVAL,
			       "carrier: two members of a network have no cable between "
			       "them; name the network, or a member and the network "
			       "(\"lan->n1\")");
	return 0;
}

int wire_fault_room(const struct wire *wire, size_t pairs, struct why *why)
{
	if (pairs > PAIRS_MAX - wire->pair_count)
		return why_set(why, -ENOSPC,
			       "%zu pairs have a fault of their own already, and no more "
			       "than %d can: clear some",
			       wire->pair_count, PAIRS_MAX);
	return 0;
}

int wire_fault_set(struct wire *wire, const struct fault_at *at, struct fault_spec *spec,
		   struct why *why)
{
	const struct plan_link *link;
	int err;

	if (at->pair) {
		err = pair_set(wire, at, spec, why);
	} else {
		link = &wire->plan->links[at->link];
		err = sw_fault_set(wire->sw, at->link, at->dir, spec,
				   clock_now_ns(wire->clock), why);
		if (at->dir == DIR_BA)
			wire_watch_carrier(&wire->ports[wire_port(wire, link->a)]);
		else if (link->b_kind == LINK_TO_INTERFACE)
			wire_watch_carrier(&wire->ports[wire_port(wire, link->b)]);
	}
	wire_update_lookahead(wire);
	wire_settle(wire);
	return err;
}

/* The least that a frame takes on this direction.  Faults of pairs only add to it. */
static uint64_t least_ns(const struct wire *wire, uint32_t link, int dir)
{
	uint64_t ns = fault_spec_least_delay_ns(sw_fault_get(wire->sw, link, dir));

	return ns > wire_floor_ns(wire) ? ns : wire_floor_ns(wire);
}

/* From any member of the segment to any other. */
static uint64_t segment_least_ns(const struct wire *wire, uint32_t segment)
{
	uint64_t in_ns = UINT64_MAX / 2, out_ns = UINT64_MAX / 2;

	for (uint32_t l = 0; l < wire->plan->link_count; l++) {
		const struct plan_link *link = &wire->plan->links[l];

		if (link->b_kind != LINK_TO_SEGMENT || link->segment != segment)
			continue;
		if (least_ns(wire, l, DIR_AB) < in_ns)
			in_ns = least_ns(wire, l, DIR_AB);
		if (least_ns(wire, l, DIR_BA) < out_ns)
			out_ns = least_ns(wire, l, DIR_BA);
	}
	return in_ns + out_ns;
}

void wire_update_lookahead(struct wire *wire)
{
	const struct plan *plan = wire->plan;
	uint64_t least = WIRE_LOOKAHEAD_NS_MAX, ns;

	if (!wire->vtime)
		return;
	for (uint32_t s = 0; s < plan->segment_count; s++) {
		ns = segment_least_ns(wire, s);
		least = ns < least ? ns : least;
	}
	for (uint32_t l = 0; l < plan->link_count; l++)
		for (int dir = 0; dir < DIRS; dir++) {
			if (plan->links[l].b_kind == LINK_TO_SEGMENT)
				continue;
			ns = least_ns(wire, l, dir);
			least = ns < least ? ns : least;
		}
	vtime_set_lookahead(wire->vtime, least);
}

struct fault_spec *wire_fault_get(const struct wire *wire, const struct fault_at *at)
{
	if (!at->pair)
		return sw_fault_get(wire->sw, at->link, at->dir);
	return sw_pair_get(wire->sw, at->segment, wire_port(wire, at->from),
			   wire_port(wire, at->to));
}

const struct fault_state *wire_fault_state(const struct wire *wire,
					   const struct fault_at *at)
{
	if (!at->pair)
		return sw_fault_state(wire->sw, at->link, at->dir);
	return sw_pair_state(wire->sw, at->segment, wire_port(wire, at->from),
			     wire_port(wire, at->to));
}

const struct sw_count *wire_fault_count(const struct wire *wire,
					const struct fault_at *at)
{
	if (!at->pair)
		return sw_link_count(wire->sw, at->link, at->dir);
	return sw_pair_count(wire->sw, at->segment, wire_port(wire, at->from),
			     wire_port(wire, at->to));
}

uint64_t wire_pool_lost(const struct wire *wire)
{
	uint64_t lost = 0;

	for (uint32_t link = 0; link < wire->plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			lost += sw_link_count(wire->sw, link, dir)
					->dropped[SW_DROP_POOL];
	for (size_t i = 0; i < wire->pair_count; i++)
		lost += wire_fault_count(wire, &wire->pairs[i])->dropped[SW_DROP_POOL];
	for (uint32_t port = 0; port < wire->port_count; port++)
		lost += wire_port_count_out(wire, port)->dropped[SW_DROP_POOL];
	return lost;
}

const struct sw_timing *wire_fault_timing(const struct wire *wire,
					  const struct fault_at *at)
{
	if (!at->pair)
		return sw_link_timing(wire->sw, at->link, at->dir);
	return sw_pair_timing(wire->sw, at->segment, wire_port(wire, at->from),
			      wire_port(wire, at->to));
}

void wire_fault_name(const struct wire *wire, const struct fault_at *at,
		     char name[FAULT_NAME_BYTES_MAX])
{
	if (at->pair)
		snprintf(name, FAULT_NAME_BYTES_MAX, "%s %s->%s",
			 wire->plan->segments[at->segment].name,
			 wire->ports[wire_port(wire, at->from)].name,
			 wire->ports[wire_port(wire, at->to)].name);
	else
		snprintf(name, FAULT_NAME_BYTES_MAX, "%s",
			 sw_link_direction_name(wire->sw, at->link, at->dir));
}

const struct fault_at *wire_pairs(const struct wire *wire, size_t *count)
{
	*count = wire->pair_count;
	return wire->pairs;
}

void wire_catch_up(struct wire *wire)
{
	sw_advance(wire->sw, clock_now_ns(wire->clock));
	wire_settle(wire);
}

uint64_t wire_switch_ns(const struct wire *wire)
{
	return sw_now_ns(wire->sw);
}

void wire_cut(struct wire *wire, uint32_t from_node, uint32_t to_node, bool cut)
{
	sw_cut(wire->sw, from_node, to_node, cut);
}

bool wire_is_cut(const struct wire *wire, uint32_t from_node, uint32_t to_node)
{
	return sw_is_cut(wire->sw, from_node, to_node);
}
