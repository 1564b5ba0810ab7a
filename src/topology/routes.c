/* SPDX-License-Identifier: MIT */
/* routes.c - static routes over the fewest hops
 *
 * Every node gets a route to every subnet that it is not attached to and that
 * can be reached.  Three refinements:
 *
 *  - A node's name stands for its first address, which lies in one subnet; but
 *    the shortest way to that subnet may end at another router of it, while the
 *    node itself has a link that is nearer (in a triangle, each node's opposite
 *    side can be reached over both other nodes).  Where that is so, there is a
 *    host route for the address: a name is always reached over the fewest links.
 *    (No loops come of it: with each hop, the smaller of "links to the node" and
 *    "routers to the subnet + 1" falls by one.)
 *
 *  - Two halves of a larger subnet with one gateway become one route.
 *
 *  - A node that forwards nothing, and has one gateway for all subnets, gets a
 *    default route.  One that forwards does not: two of them with default routes
 *    to one another would play ball with every packet to nowhere until its time
 *    to live is over.
 *
 * Nodes that somebody's route goes over get their forwarding switched on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "topology/stages.h"
#include "topology/hops.h"

/* Of all nodes together: what fits into memory with some ease. */
enum { ROUTES_MAX = 1 << 22 };

struct way {
	struct ipnet net;
	uint32_t gateway; /* end + 1 */
};

/* A host route, to be. */
struct detour {
	uint32_t node, end; /* this node, to the address of this end */
	uint32_t gateway;   /* end + 1 */
};

struct router {
	struct build *b;
	int family;
	struct hops hops;
	uint32_t *subnets; /* domains with a subnet, in the order of addresses */
	size_t subnet_count;
	uint32_t *gateways; /* [subnet][node]: end + 1; 0: none */
	struct detour *detours;
	size_t detour_count, detour_next;
	struct way *ways; /* room for one a subnet, and one a node */
};

static int by_subnet(const void *x, const void *y, void *router)
{
	const struct router *r = router;
	const struct domain *d = r->b->domains;
	ipnum a = d[*(const uint32_t *)x].net[r->family].net.num;
	ipnum b = d[*(const uint32_t *)y].net[r->family].net.num;

	return a < b ? -1 : a > b;
}

/* The end that a node's name stands for; -1 if it has no address. */
static long named_end(const struct router *r, uint32_t node)
{
	uint32_t first = UINT32_MAX;
	long best = -1;

	for (uint32_t i = r->hops.node_first[node]; i < r->hops.node_first[node + 1];
	     i++) {
		uint32_t end = r->hops.node_ends[i];

		if (!r->hops.hop[end].has_address || r->b->ends[end].interface >= first)
			continue;
		first = r->b->ends[end].interface;
		best = end;
	}
	return best;
}

static void add_detours(struct router *r, uint32_t to, uint32_t end, size_t subnet,
			const uint32_t *to_subnet, const uint32_t *to_node,
			const uint32_t *gateway_of)
{
	size_t nodes = r->b->plan->node_count;

	for (uint32_t node = 0; node < nodes; node++) {
		struct detour detour = { node, end, gateway_of[node] };
		uint32_t gateway = r->gateways[subnet * nodes + node];
		/* No way to the subnet at all: there may be one to the node. */
		bool none = to_subnet[node] == HOPS_NEVER;

		if (node == to || to_node[node] == HOPS_NEVER || !to_subnet[node])
			continue;
		if (!none &&
		    (to_node[node] > to_subnet[node] || gateway == detour.gateway))
			continue;
		r->detours = array_grow(r->detours, r->detour_count, sizeof(detour));
		r->detours[r->detour_count++] = detour;
	}
}

static int by_node(const void *x, const void *y)
{
	const struct detour *a = x, *b = y;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

static void walk_all(struct router *r)
{
	size_t nodes = r->b->plan->node_count;
	uint32_t *to_subnet = arena_alloc(&r->b->arena, nodes * sizeof(*to_subnet));
	uint32_t *to_node = arena_alloc(&r->b->arena, nodes * sizeof(*to_node));
	uint32_t *gateway_of = arena_alloc(&r->b->arena, nodes * sizeof(*gateway_of));
	long *named = arena_alloc(&r->b->arena, nodes * sizeof(*named));

	for (uint32_t node = 0; node < nodes; node++)
		named[node] = named_end(r, node);
	for (size_t s = 0; s < r->subnet_count; s++) {
		const struct domain *domain = &r->b->domains[r->subnets[s]];

		hops_to_domain(&r->hops, r->subnets[s], to_subnet,
			       &r->gateways[s * nodes]);
		for (size_t i = 0; i < domain->end_count; i++) {
			uint32_t end = (uint32_t)(domain->first_end + i);
			uint32_t node = r->b->ends[end].node;

			/* With one interface, there is no other way in. */
			if (named[node] != (long)end ||
			    r->b->plan->nodes[node].interface_count == 1)
				continue;
			hops_to_node(&r->hops, node, to_node, gateway_of);
			add_detours(r, node, end, s, to_subnet, to_node, gateway_of);
		}
	}
	if (r->detour_count)
		qsort(r->detours, r->detour_count, sizeof(*r->detours), by_node);
}

static void mark_forwarding(struct router *r)
{
	size_t cells = r->b->plan->node_count * r->subnet_count;
	struct plan_node *nodes = r->b->plan->nodes;

	for (size_t i = 0; i < cells; i++)
		if (r->gateways[i])
			nodes[r->hops.hop[r->gateways[i] - 1].node].forward = true;
	for (size_t i = 0; i < r->detour_count; i++) {
		uint32_t node = r->hops.hop[r->detours[i].gateway - 1].node;

		if (node != r->hops.hop[r->detours[i].end].node)
			nodes[node].forward = true;
	}
}

/* Two neighbours that are the halves of one subnet. */
static bool are_halves(const struct way *a, const struct way *b)
{
	ipnum size = ipnet_size(&a->net);

	return a->gateway == b->gateway && a->net.prefix == b->net.prefix &&
	       a->net.prefix > 1 && (a->net.num & size) == 0 &&
	       a->net.num + size == b->net.num;
}

/* This node's ways to subnets, as few as say the same.  Returns how many. */
static size_t collect_ways(struct router *r, uint32_t node)
{
	bool one = !r->b->plan->nodes[node].forward;
	struct way *ways = r->ways;
	size_t count = 0;

	for (size_t s = 0; s < r->subnet_count; s++) {
		uint32_t gateway = r->gateways[s * r->b->plan->node_count + node];

		if (!gateway)
			continue;
		ways[count].net = r->b->domains[r->subnets[s]].net[r->family].net;
		ways[count++].gateway = gateway;
		one &= ways[0].gateway == gateway;
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

/* Nodes are asked for in their order, as detours are sorted. */
static size_t collect_detours(struct router *r, uint32_t node, size_t count)
{
	for (; r->detour_next < r->detour_count; r->detour_next++) {
		const struct detour *detour = &r->detours[r->detour_next];

		if (detour->node != node)
			break;
		r->ways[count].net = r->b->ends[detour->end].addr[r->family].net;
		r->ways[count].net.prefix = (uint8_t)ipnet_bits(family_af(r->family));
		r->ways[count++].gateway = detour->gateway;
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
static void route_family(struct router *r, struct build *b, int family)
{
	size_t nodes = b->plan->node_count;

	*r = (struct router){ .b = b, .family = family };
	hops_init(&r->hops, b, family);
	r->subnets = arena_alloc(&b->arena, b->domain_count * sizeof(*r->subnets));
	for (uint32_t i = 0; i < b->domain_count; i++)
		if (b->domains[i].net[family].assigned)
			r->subnets[r->subnet_count++] = i;
	if (r->subnet_count < 2)
		r->subnet_count = 0; /* nowhere to go */
	qsort_r(r->subnets, r->subnet_count, sizeof(*r->subnets), by_subnet, r);
	r->gateways = heap_zeroed(nodes * r->subnet_count, sizeof(*r->gateways));
	r->ways = arena_alloc(&b->arena, (r->subnet_count + nodes) * sizeof(*r->ways));
	walk_all(r);
	mark_forwarding(r);
}

void build_routes(struct build *b)
{
	struct router routers[FAMILIES];
	size_t total = 0;

	/* Who forwards is known only when both families have been walked. */
	for (int f = 0; f < FAMILIES; f++)
		route_family(&routers[f], b, f);
	for (uint32_t node = 0; node < b->plan->node_count; node++) {
		for (int f = 0; f < FAMILIES; f++) {
			size_t count = collect_ways(&routers[f], node);

			count = collect_detours(&routers[f], node, count);
			total += count;
			if (total <= ROUTES_MAX)
				add_routes(&routers[f], node, count);
		}
	}
	for (int f = 0; f < FAMILIES; f++) {
		free(routers[f].gateways);
		free(routers[f].detours);
	}
	if (total > ROUTES_MAX)
		complain(b->diags, b->root,
			 "the routes of this lab would be %zu; at most %d can be set. "
			 "Use subnets that follow one another, or \"routing\": \"none\"",
			 total, ROUTES_MAX);
}
