/* SPDX-License-Identifier: MIT */
/* hops.c - the walk
 *
 * Domains have levels.  A node that is attached to a domain of level L, and was
 * not reached before, is L away, over that domain's gateway; the other domains
 * it is attached to are of level L + 1, with this node as a gateway.  All domains
 * of one level are queued before any of the next, so each has its final gateway
 * by the time it is looked at.
 */
#include "topology/hops.h"

#include <stdlib.h>
#include <string.h>

#include "plan/names.h"

static int by_name(const void *x, const void *y, void *nodes)
{
	const struct plan_node *n = nodes;

	return name_order(n[*(const uint32_t *)x].name, n[*(const uint32_t *)y].name);
}

static uint32_t *numbers(struct build *b, size_t count)
{
	return arena_alloc(&b->arena, count * sizeof(uint32_t));
}

static void rank_nodes(struct hops *h, struct build *b)
{
	size_t count = b->plan->node_count;
	uint32_t *order = numbers(b, count);

	h->rank = numbers(b, count);
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), by_name, b->plan->nodes);
	for (uint32_t i = 0; i < count; i++)
		h->rank[order[i]] = i;
}

/* The ends of each node, in the order of the file. */
static void index_ends(struct hops *h, struct build *b)
{
	uint32_t *at = numbers(b, b->plan->node_count + 1);

	h->node_first = numbers(b, b->plan->node_count + 1);
	h->node_ends = numbers(b, b->end_count);
	for (size_t i = 0; i < b->end_count; i++)
		h->node_first[b->ends[i].node + 1]++;
	for (size_t i = 0; i < b->plan->node_count; i++)
		h->node_first[i + 1] += h->node_first[i];
	memcpy(at, h->node_first, (b->plan->node_count + 1) * sizeof(*at));
	for (uint32_t i = 0; i < b->end_count; i++)
		h->node_ends[at[b->ends[i].node]++] = i;
}

void hops_init(struct hops *h, struct build *b, int family)
{
	*h = (struct hops){ .b = b };
	rank_nodes(h, b);
	index_ends(h, b);
	h->hop = arena_alloc(&b->arena, b->end_count * sizeof(*h->hop));
	for (size_t i = 0; i < b->end_count; i++)
		h->hop[i] = (struct hop){ b->ends[i].node, b->ends[i].domain,
					  b->ends[i].addr[family].assigned };
	h->may_forward = arena_alloc(&b->arena, b->plan->node_count);
	for (size_t i = 0; i < b->plan->node_count; i++)
		h->may_forward[i] = b->templates[b->template_of[i]].forward != 0;
	h->level = numbers(b, b->domain_count);
	h->gateway = numbers(b, b->domain_count);
	h->queue = numbers(b, b->domain_count);
}

/* This node leads to its domains: those not seen yet get the level, and those of
 * that level perhaps a better gateway. */
static void lead_on(struct hops *h, uint32_t node, uint32_t level)
{
	for (uint32_t i = h->node_first[node]; i < h->node_first[node + 1]; i++) {
		uint32_t end = h->node_ends[i];
		uint32_t domain = h->hop[end].domain;

		if (!h->hop[end].has_address)
			continue;
		if (h->level[domain] == HOPS_NEVER) {
			h->level[domain] = level;
			h->gateway[domain] = end;
			h->queue[h->queued++] = domain;
		} else if (h->level[domain] == level &&
			   h->rank[node] < h->rank[h->hop[h->gateway[domain]].node]) {
			h->gateway[domain] = end;
		}
	}
}

/* Every node of the domain now knows a way, and perhaps a better one. */
static void reach_nodes(struct hops *h, uint32_t domain, uint32_t *distance,
			uint32_t *gateway_of)
{
	size_t first = h->b->domains[domain].first_end;
	size_t end = first + h->b->domains[domain].end_count;
	uint32_t level = h->level[domain], gateway = h->gateway[domain];

	for (size_t i = first; i < end; i++) {
		uint32_t node = h->hop[i].node;

		if (!h->hop[i].has_address)
			continue;
		if (distance[node] == HOPS_NEVER) {
			distance[node] = level;
			gateway_of[node] = level ? gateway + 1 : 0;
			if (h->may_forward[node])
				lead_on(h, node, level + 1);
		} else if (level && distance[node] == level &&
			   h->rank[h->hop[gateway].node] <
				   h->rank[h->hop[gateway_of[node] - 1].node]) {
			gateway_of[node] = gateway + 1;
		}
	}
}

static void start(struct hops *h, uint32_t *distance, uint32_t *gateway_of)
{
	size_t nodes = h->b->plan->node_count;

	memset(h->level, 0xff, h->b->domain_count * sizeof(*h->level));
	memset(distance, 0xff, nodes * sizeof(*distance));
	memset(gateway_of, 0, nodes * sizeof(*gateway_of));
	h->queued = 0;
}

void hops_to_domain(struct hops *h, uint32_t domain, uint32_t *distance,
		    uint32_t *gateway_of)
{
	start(h, distance, gateway_of);
	h->level[domain] = 0;
	h->queue[h->queued++] = domain;
	for (size_t i = 0; i < h->queued; i++)
		reach_nodes(h, h->queue[i], distance, gateway_of);
}

void hops_to_node(struct hops *h, uint32_t node, uint32_t *distance, uint32_t *gateway_of)
{
	start(h, distance, gateway_of);
	distance[node] = 0;
	lead_on(h, node, 1);
	for (size_t i = 0; i < h->queued; i++)
		reach_nodes(h, h->queue[i], distance, gateway_of);
}
