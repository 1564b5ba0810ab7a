/* SPDX-License-Identifier: MIT */
/* routes.c - static routes over the fewest hops
 *
 * For each subnet S, one breadth-first walk from S outwards, over domains and
 * the nodes that may forward between them.  Level 0 is S itself; a node attached
 * to a domain of level L reaches S over L routers, and a domain that such a node
 * is attached to besides, and that was not seen before, is of level L + 1: its
 * *gateway* towards S is that node.  Among several gateways the first in the
 * order of names is taken, and among several domains over which a node could go,
 * again the one with the first gateway.  So a walk costs as much as there are
 * interfaces, and routing a lab subnets times that.
 *
 * A node's routes are then made fewer without changing what they mean: two
 * halves of a larger subnet with one gateway become one route; and a node that
 * forwards nothing and has one gateway for everything gets a default route.  (A
 * node that forwards does not: two of them with default routes to one another
 * would play ball with every packet to nowhere until its time to live is over.)
 *
 * Nodes that somebody's route goes over get their forwarding switched on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "topology/build.h"
#include "topology/names.h"

enum { ROUTES_MAX = 1 << 20, NOT_SEEN = UINT32_MAX };

struct router {
	struct build *b;
	int family;
	uint32_t *rank;	      /* per node, in the order of names */
	uint32_t *node_first; /* per node: its ends are node_ends[first..] */
	uint32_t *node_ends;
	uint32_t *subnets; /* domains with a subnet, in the order of addresses */
	size_t subnet_count;
	struct way *ways; /* room for one a subnet */
	/* Of the walk. */
	uint32_t *level;   /* per domain */
	uint32_t *gateway; /* per domain: end, if level > 0 */
	uint32_t *queue;   /* domains */
	uint32_t *hops;	   /* per node: level at which it was reached */
	/* The result: per node and subnet, the gateway's end + 1; 0: none. */
	uint32_t *next;
};

struct way {
	struct ipnet net;
	uint32_t gateway; /* end + 1 */
};

static bool may_forward(const struct router *r, uint32_t node)
{
	return r->b->templates[r->b->template_of[node]].forward != 0;
}

static bool has_address(const struct router *r, uint32_t end)
{
	return r->b->ends[end].addr[r->family].assigned;
}

static int by_name(const void *x, const void *y, void *nodes)
{
	const struct plan_node *n = nodes;

	return name_order(n[*(const uint32_t *)x].name, n[*(const uint32_t *)y].name);
}

static int by_subnet(const void *x, const void *y, void *router)
{
	const struct router *r = router;
	const struct domain *d = r->b->domains;
	ipnum a = d[*(const uint32_t *)x].net[r->family].net.num;
	ipnum b = d[*(const uint32_t *)y].net[r->family].net.num;

	return a < b ? -1 : a > b;
}

static uint32_t *numbers(struct build *b, size_t count)
{
	return arena_alloc(&b->arena, count * sizeof(uint32_t));
}

static void rank_nodes(struct router *r)
{
	size_t count = r->b->plan->node_count;
	uint32_t *order = numbers(r->b, count);

	r->rank = numbers(r->b, count);
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), by_name, r->b->plan->nodes);
	for (uint32_t i = 0; i < count; i++)
		r->rank[order[i]] = i;
}

/* The ends of each node, in the order of the file. */
static void index_ends(struct router *r)
{
	struct build *b = r->b;
	uint32_t *at = numbers(b, b->plan->node_count + 1);

	r->node_first = numbers(b, b->plan->node_count + 1);
	r->node_ends = numbers(b, b->end_count);
	for (size_t i = 0; i < b->end_count; i++)
		r->node_first[b->ends[i].node + 1]++;
	for (size_t i = 0; i < b->plan->node_count; i++)
		r->node_first[i + 1] += r->node_first[i];
	memcpy(at, r->node_first, (b->plan->node_count + 1) * sizeof(*at));
	for (uint32_t i = 0; i < b->end_count; i++)
		r->node_ends[at[b->ends[i].node]++] = i;
}

/* This node, reached at level L over end `from`, leads on to its other domains. */
static void go_on(struct router *r, uint32_t node, uint32_t level, size_t *queued)
{
	for (uint32_t i = r->node_first[node]; i < r->node_first[node + 1]; i++) {
		uint32_t end = r->node_ends[i];
		uint32_t domain = r->b->ends[end].domain;

		if (!has_address(r, end))
			continue;
		if (r->level[domain] == NOT_SEEN) {
			r->level[domain] = level + 1;
			r->gateway[domain] = end;
			r->queue[(*queued)++] = domain;
		} else if (r->level[domain] == level + 1 &&
			   r->rank[node] <
				   r->rank[r->b->ends[r->gateway[domain]].node]) {
			r->gateway[domain] = end;
		}
	}
}

/* Every node of the domain now knows a way, and perhaps a better one. */
static void reach_nodes(struct router *r, uint32_t domain, size_t subnet, size_t *queued)
{
	const struct domain *d = &r->b->domains[domain];
	uint32_t level = r->level[domain];

	for (size_t i = 0; i < d->end_count; i++) {
		uint32_t node = r->b->ends[d->first_end + i].node;
		uint32_t *next = &r->next[node * r->subnet_count + subnet];
		uint32_t gateway = r->gateway[domain];

		if (!has_address(r, (uint32_t)(d->first_end + i)))
			continue;
		if (r->hops[node] == NOT_SEEN) {
			r->hops[node] = level;
			if (level)
				*next = gateway + 1;
			if (may_forward(r, node))
				go_on(r, node, level, queued);
		} else if (level && r->hops[node] == level &&
			   r->rank[r->b->ends[gateway].node] <
				   r->rank[r->b->ends[*next - 1].node]) {
			*next = gateway + 1;
		}
	}
}

/* All domains of a level stand in the queue before any of the next, and get
 * their final gateway before they are looked at. */
static void walk(struct router *r, size_t subnet)
{
	size_t queued = 0;

	memset(r->level, 0xff, r->b->domain_count * sizeof(*r->level));
	memset(r->hops, 0xff, r->b->plan->node_count * sizeof(*r->hops));
	r->level[r->subnets[subnet]] = 0;
	r->queue[queued++] = r->subnets[subnet];
	for (size_t i = 0; i < queued; i++)
		reach_nodes(r, r->queue[i], subnet, &queued);
}

static void mark_forwarding(struct router *r)
{
	size_t cells = r->b->plan->node_count * r->subnet_count;

	for (size_t i = 0; i < cells; i++)
		if (r->next[i])
			r->b->plan->nodes[r->b->ends[r->next[i] - 1].node].forward = true;
}

/* Two neighbours that are the halves of one subnet. */
static bool are_halves(const struct way *a, const struct way *b)
{
	ipnum size = ipnet_size(&a->net);

	return a->gateway == b->gateway && a->net.prefix == b->net.prefix &&
	       a->net.prefix > 1 && (a->net.num & size) == 0 &&
	       a->net.num + size == b->net.num;
}

/* This node's ways, as few as say the same.  Returns how many. */
static size_t collect_ways(struct router *r, uint32_t node)
{
	const uint32_t *next = &r->next[node * r->subnet_count];
	bool one = !r->b->plan->nodes[node].forward;
	struct way *ways = r->ways;
	size_t count = 0;

	for (size_t s = 0; s < r->subnet_count; s++) {
		if (!next[s])
			continue;
		ways[count].net = r->b->domains[r->subnets[s]].net[r->family].net;
		ways[count++].gateway = next[s];
		one &= ways[0].gateway == next[s];
		while (count > 1 && are_halves(&ways[count - 2], &ways[count - 1]))
			ways[--count - 1].net.prefix--;
	}
	if (count && one) {
		ways[0].net.prefix = 0;
		ways[0].net.num = 0;
		return 1;
	}
	return count;
}

static void add_routes(struct router *r, uint32_t node, size_t count)
{
	struct plan_node *n = &r->b->plan->nodes[node];

	if (!count)
		return;
	n->routes = reallocarray(n->routes, n->route_count + count, sizeof(*n->routes));
	ASSERT(n->routes);
	for (size_t i = 0; i < count; i++)
		n->routes[n->route_count++] = (struct plan_route){
			.to = ipnet_to_plan(&r->ways[i].net),
			.via = ipnet_to_plan(
				&r->b->ends[r->ways[i].gateway - 1].addr[r->family].net),
		};
}

/* Find every way of one family. */
static void walk_family(struct router *r)
{
	struct build *b = r->b;

	r->subnets = numbers(b, b->domain_count);
	for (uint32_t i = 0; i < b->domain_count; i++)
		if (b->domains[i].net[r->family].assigned)
			r->subnets[r->subnet_count++] = i;
	if (r->subnet_count < 2)
		r->subnet_count = 0; /* nowhere to go */
	qsort_r(r->subnets, r->subnet_count, sizeof(*r->subnets), by_subnet, r);
	r->next = heap_zeroed(b->plan->node_count * r->subnet_count, sizeof(*r->next));
	r->ways = arena_alloc(&b->arena, r->subnet_count * sizeof(*r->ways));
	for (size_t s = 0; s < r->subnet_count; s++)
		walk(r, s);
	mark_forwarding(r);
}

void build_routes(struct build *b)
{
	struct router base = { .b = b }, r[FAMILIES];
	size_t total = 0;

	rank_nodes(&base);
	index_ends(&base);
	base.level = numbers(b, b->domain_count);
	base.gateway = numbers(b, b->domain_count);
	base.queue = numbers(b, b->domain_count);
	base.hops = numbers(b, b->plan->node_count);
	/* Who forwards is known only when both families have been walked. */
	for (int f = 0; f < FAMILIES; f++) {
		r[f] = base;
		r[f].family = f;
		walk_family(&r[f]);
	}
	for (uint32_t node = 0; node < b->plan->node_count; node++) {
		for (int f = 0; f < FAMILIES; f++) {
			size_t count = collect_ways(&r[f], node);

			total += count;
			if (total <= ROUTES_MAX)
				add_routes(&r[f], node, count);
		}
	}
	for (int f = 0; f < FAMILIES; f++)
		free(r[f].next);
	if (total > ROUTES_MAX)
		complain(b->diags, b->root,
			 "the routes of this lab would be %zu; at most %d can be set. Use "
			 "subnets that follow one another, or \"routing\": \"none\"",
			 total, ROUTES_MAX);
}
