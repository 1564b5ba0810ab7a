/* SPDX-License-Identifier: MIT */
/* finish.c - domains and ends become interfaces, links and segments
 *
 * Runs only when nothing is wrong, so nothing here can fail; what a machine cannot have
 * shows when all of it is there, and is told at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/stages.h"
#include "plan/names.h"
#include "plan/plan_json.h"

enum {
	INTERFACES_MAX = 51, /* of 64 interrupts one each; older kernels have fewer */
	MACHINE_BASE_BYTES = 24 << 20,
	INTERFACE_BYTES = 768 << 10,
};

static const char *node_name(const struct build *b, const struct end *end)
{
	return b->plan->nodes[end->node].name;
}

static int by_node_and_name(const void *x, const void *y)
{
	const struct end *a = *(struct end *const *)x, *b = *(struct end *const *)y;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return name_order(a->ifname, b->ifname);
}

static void fill_interface(const struct build *b, const struct end *end,
			   struct plan_interface *interface, bool *ipv6)
{
	memcpy(interface->name, end->ifname, sizeof(interface->name));
	memcpy(interface->mac, end->mac, sizeof(interface->mac));
	interface->mtu_bytes = b->domains[end->domain].mtu_bytes;
	interface->addrs = heap_zeroed(FAMILIES, sizeof(*interface->addrs));
	for (int f = 0; f < FAMILIES; f++)
		if (end->addr[f].assigned)
			interface->addrs[interface->addr_count++] =
				ipnet_to_plan(&end->addr[f].net);
	*ipv6 |= end->addr[FAMILY_V6].assigned;
}

/* Each node's interfaces in the order of their names, so that eth0, eth1, ...
 * are the first, second, ... wherever the file says so. */
static void make_interfaces(struct build *b)
{
	struct end **order = arena_alloc(&b->arena, b->end_count * sizeof(*order));

	for (size_t i = 0; i < b->end_count; i++)
		order[i] = &b->ends[i];
	qsort(order, b->end_count, sizeof(*order), by_node_and_name);
	for (size_t i = 0; i < b->end_count;) {
		struct plan_node *node = &b->plan->nodes[order[i]->node];
		size_t count = 1;

		while (i + count < b->end_count &&
		       order[i + count]->node == order[i]->node)
			count++;
		node->interfaces = heap_zeroed(count, sizeof(*node->interfaces));
		for (size_t j = 0; j < count; j++) {
			fill_interface(b, order[i + j], &node->interfaces[j],
				       &node->ipv6);
			order[i + j]->interface = (uint32_t)j;
		}
		node->interface_count = count;
		i += count;
	}
}

static struct plan_link *add_link(struct build *b, struct end *a, char *name)
{
	struct plan_link *link = &b->plan->links[b->plan->link_count];

	link->name = name;
	link->a = (struct plan_endpoint){ a->node, a->interface };
	b->plan->nodes[a->node].interfaces[a->interface].link =
		(uint32_t)b->plan->link_count++;
	link->fault[DIR_AB] = fault_spec_ref(a->out);
	return link;
}

static void make_network(struct build *b, const struct domain *domain)
{
	struct plan_segment *segment = &b->plan->segments[b->plan->segment_count];
	uint32_t *memberships =
		arena_alloc(&b->arena, b->plan->node_count * sizeof(*memberships));

	snprintf(segment->name, sizeof(segment->name), "%s", domain->name);
	segment->ageing_ns = domain->ageing_ns;
	for (size_t i = 0; i < domain->end_count; i++)
		memberships[b->ends[domain->first_end + i].node]++;
	for (size_t i = 0; i < domain->end_count; i++) {
		struct end *end = &b->ends[domain->first_end + i];
		bool twice = memberships[end->node] > 1;
		struct plan_link *link =
			add_link(b, end,
				 heap_printf("%s.%s%s%s", domain->name, node_name(b, end),
					     twice ? ":" : "", twice ? end->ifname : ""));

		link->b_kind = LINK_TO_SEGMENT;
		link->segment = (uint32_t)b->plan->segment_count;
		link->fault[DIR_BA] = fault_spec_ref(end->in);
	}
	b->plan->segment_count++;
}

/* The same for both ways round. */
static const char *pair_name(struct build *b, const struct domain *domain)
{
	const char *x = node_name(b, &b->ends[domain->first_end]);
	const char *y = node_name(b, &b->ends[domain->first_end + 1]);
	bool swap = strcmp(x, y) > 0;

	return arena_printf(&b->arena, "%s.%s--%s", domain->prefix ? domain->prefix : "",
			    swap ? y : x, swap ? x : y);
}

static void make_link(struct build *b, const struct domain *domain, bool several)
{
	struct end *ends = &b->ends[domain->first_end];
	struct plan_link *link;
	char *name;

	if (domain->name)
		name = heap_strdup(domain->name);
	else
		name = heap_printf("%s%s%s%s%s--%s%s%s",
				   domain->prefix ? domain->prefix : "",
				   domain->prefix ? "." : "", node_name(b, &ends[0]),
				   several ? ":" : "", several ? ends[0].ifname : "",
				   node_name(b, &ends[1]), several ? ":" : "",
				   several ? ends[1].ifname : "");
	link = add_link(b, &ends[0], name);
	link->b_kind = LINK_TO_INTERFACE;
	link->b = (struct plan_endpoint){ ends[1].node, ends[1].interface };
	link->fault[DIR_BA] = fault_spec_ref(ends[1].out);
	b->plan->nodes[ends[1].node].interfaces[ends[1].interface].link =
		(uint32_t)b->plan->link_count - 1;
}

static void make_links(struct build *b)
{
	struct strmap pairs = { 0 };
	uint32_t *count = arena_alloc(&b->arena, (b->domain_count + 1) * sizeof(*count));

	for (size_t i = 0; i < b->domain_count; i++) {
		const struct domain *domain = &b->domains[i];
		long first;

		if (domain->kind == DOMAIN_NETWORK || domain->name)
			continue;
		first = strmap_add(&pairs, pair_name(b, domain), i);
		count[first < 0 ? (long)i : first]++;
	}
	b->plan->links = heap_zeroed(b->end_count, sizeof(*b->plan->links));
	b->plan->segments = heap_zeroed(b->domain_count, sizeof(*b->plan->segments));
	for (size_t i = 0; i < b->domain_count; i++) {
		const struct domain *domain = &b->domains[i];

		if (domain->kind == DOMAIN_NETWORK) {
			make_network(b, domain);
			continue;
		}
		make_link(b, domain,
			  !domain->name &&
				  count[strmap_get(&pairs, pair_name(b, domain))] > 1);
	}
	strmap_free(&pairs);
}

/* A line of the hosts file: the interface's own name, and the node's name for
 * its first address of the family. */
static void add_host(struct build *b, const struct plan_node *node,
		     const struct plan_interface *interface, const struct plan_addr *addr,
		     bool first)
{
	char *own = heap_printf("%s-%s", node->name, interface->name);
	bool taken = strmap_get(&b->node_by_name, own) >= 0;
	struct plan_host host = { .addr = *addr };

	if (first)
		host.names = heap_printf("%s%s%s", node->name, taken ? "" : " ",
					 taken ? "" : own);
	else if (!taken)
		host.names = heap_strdup(own);
	free(own);
	if (!host.names)
		return;
	b->plan->hosts = array_grow(b->plan->hosts, b->plan->host_count, sizeof(host));
	b->plan->hosts[b->plan->host_count++] = host;
}

static void make_hosts(struct build *b)
{
	for (size_t n = 0; n < b->plan->node_count; n++) {
		const struct plan_node *node = &b->plan->nodes[n];
		bool seen[FAMILIES] = { false };

		for (size_t i = 0; i < node->interface_count; i++) {
			const struct plan_interface *interface = &node->interfaces[i];

			for (size_t a = 0; a < interface->addr_count; a++) {
				const struct plan_addr *addr = &interface->addrs[a];
				bool *had = &seen[addr->family == AF_INET6];

				add_host(b, node, interface, addr, !*had);
				*had = true;
			}
		}
	}
}

/* A card's receive ring is filled with buffers from the machine's own memory; the kernel,
 * the agent and a shell need the rest (seen with 32M and 48M on netlab's own kernel). */
static uint64_t memory_needed(size_t interfaces)
{
	return MACHINE_BASE_BYTES + interfaces * INTERFACE_BYTES;
}

static void check_node(struct build *b, const struct plan_node *node,
		       const struct tree *where)
{
	size_t count = node->interface_count;

	if (count > INTERFACES_MAX)
		complain(b->diags, where,
			 "%s has %zu interfaces, and a machine can have at most %d", node->name,
			 count, INTERFACES_MAX);
	else if (memory_needed(count) > node->memory_bytes)
		complain(b->diags, where,
			 "%s has %zu interfaces, for which its memory is too small: they need "
			 "%" PRIu64 "M",
			 node->name, count, (memory_needed(count) + (1 << 20) - 1) >> 20);
}

void build_finish(struct build *b)
{
	make_interfaces(b);
	make_links(b);
	make_hosts(b);
	for (size_t i = 0; i < b->plan->node_count; i++)
		b->plan->nodes[i].forward = b->templates[b->template_of[i]].forward == 1;
	for (size_t i = 0; i < b->plan->node_count; i++)
		check_node(b, &b->plan->nodes[i], b->templates[b->template_of[i]].at);
}
