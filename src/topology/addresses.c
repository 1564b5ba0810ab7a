/* SPDX-License-Identifier: MIT */
/* addresses.c - subnets of domains, addresses of ends
 *
 * Per family, in this order:
 *
 *	1. subnets that the file gives, at the domain or by an address with a
 *	   prefix at one of its ends; none may overlap another
 *	2. patterns with a pool of their own: pieces of it
 *	3. networks: 10.0.0.0/24, 10.0.1.0/24, ... or as much larger as needed
 *	4. links, and patterns without a pool: 10.128.0.0/30, 10.128.0.4/30, ...
 *	   (IPv6, where it is asked for: /64s of fd00:6e6c:0::/48 for networks and
 *	   of fd00:6e6c:1::/48 for links)
 *
 * 2 to 4 step over what is taken.  Then each end, in the order of the file, gets
 * the first address of its subnet that no end of it was given.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "topology/stages.h"
#include "topology/wiring.h"

static const char *const family_names[FAMILIES] = { "IPv4", "IPv6" };
static const char *const subnet_keys[FAMILIES] = { "subnet", "subnet6" };
static const char *const pools[FAMILIES][2] = {
	{ "10.0.0.0/9", "10.128.0.0/9" },
	{ "fd00:6e6c::/48", "fd00:6e6c:1::/48" },
};

/* One family's stage. */
struct stage {
	struct build *b;
	int family;
	struct ipset taken;
};

/* For messages: the domain's name, or what it joins. */
static const char *domain_label(struct build *b, const struct domain *domain)
{
	const struct end *ends = &b->ends[domain->first_end];

	if (domain->name)
		return domain->name;
	if (domain->end_count < 2)
		return "?";
	return arena_printf(&b->arena, "%s--%s", b->plan->nodes[ends[0].node].name,
			    b->plan->nodes[ends[1].node].name);
}

/* An address with a prefix says the subnet, if nothing else does. */
static void learn_subnet(struct stage *s, struct domain *domain)
{
	struct domain_net *net = &domain->net[s->family];
	char text[IPNET_TEXT_BYTES_MAX];
	struct why why;

	for (size_t i = 0; i < domain->end_count && net->want != WANT_GIVEN; i++) {
		struct end_addr *addr =
			&s->b->ends[domain->first_end + i].addr[s->family];
		struct ipnet subnet = ipnet_of(&addr->net);

		if (addr->want != WANT_GIVEN || !addr->has_prefix ||
		    (net->asked && net->want == WANT_NONE))
			continue;
		ipnet_format(&subnet, true, text);
		if (ipnet_parse_subnet(&net->net, family_af(s->family), text, &why)) {
			complain(s->b->diags, addr->at, "%s", why.text);
			addr->want = WANT_NONE;
			continue;
		}
		net->want = WANT_GIVEN;
		net->at = addr->at;
	}
}

/* An address for which there is no subnet. */
static void refuse_homeless(struct stage *s, const struct domain *domain)
{
	const struct domain_net *net = &domain->net[s->family];
	const char *key = subnet_keys[s->family];

	for (size_t i = 0; i < domain->end_count && net->want != WANT_GIVEN; i++) {
		struct end_addr *addr =
			&s->b->ends[domain->first_end + i].addr[s->family];

		if (addr->want != WANT_GIVEN)
			continue;
		if (net->asked && net->want == WANT_NONE)
			complain(s->b->diags, addr->at,
				 "an address, where \"%s\" is \"none\"", key);
		else
			complain(s->b->diags, addr->at,
				 "of which subnet? Give \"%s\", or write the prefix "
				 "behind the address",
				 key);
		addr->want = WANT_NONE;
	}
}

static void take_given(struct stage *s, size_t index)
{
	struct domain *domain = &s->b->domains[index];
	struct domain_net *net = &domain->net[s->family];
	const struct ipset_item *other;
	char mine[IPNET_TEXT_BYTES_MAX], theirs[IPNET_TEXT_BYTES_MAX];

	if (net->want != WANT_GIVEN)
		return;
	other = ipset_add(&s->taken, &net->net, index);
	if (!other) {
		net->assigned = true;
		return;
	}
	complain(s->b->diags, net->at, "%s overlaps %s of %s",
		 ipnet_format(&net->net, true, mine),
		 ipnet_format(&s->b->domains[other->owner].net[s->family].net, true,
			      theirs),
		 domain_label(s->b, &s->b->domains[other->owner]));
}

static size_t wanted(const struct stage *s, const struct domain *domain)
{
	size_t count = 0;

	for (size_t i = 0; i < domain->end_count; i++)
		count += s->b->ends[domain->first_end + i].addr[s->family].want !=
			 WANT_NONE;
	return count;
}

/* The next free piece of the pool. */
static bool carve(struct stage *s, const struct ipnet *pool, ipnum *next, uint8_t prefix,
		  size_t owner)
{
	struct domain_net *net = &s->b->domains[owner].net[s->family];
	const struct ipset_item *other;

	net->net.family = pool->family;
	net->net.prefix = prefix;
	do {
		ipnum size = ipnet_size(&net->net);

		*next = (*next + size - 1) / size * size;
		net->net.num = *next;
		if (*next < pool->num || ipnet_last(&net->net) > ipnet_last(pool))
			return false;
		other = ipset_add(&s->taken, &net->net, owner);
		*next = other ? other->last + 1 : *next + size;
	} while (other);
	net->assigned = true;
	return true;
}

static uint8_t network_prefix(const struct stage *s, const struct domain *domain)
{
	uint8_t prefix = 24;

	if (s->family == FAMILY_V6)
		return 64;
	while (((size_t)1 << (32 - prefix)) - 2 < domain->end_count)
		prefix--;
	return prefix;
}

static bool is_auto(const struct stage *s, const struct domain *domain)
{
	return domain->net[s->family].want == WANT_AUTO;
}

static void take_from_pools(struct stage *s)
{
	const struct tree *full = NULL;

	for (size_t i = 0; i < s->b->domain_count; i++) {
		struct domain *domain = &s->b->domains[i];
		struct ipnet *pool = domain->pool[s->family];
		char text[IPNET_TEXT_BYTES_MAX];

		if (!pool || !is_auto(s, domain))
			continue;
		if (carve(s, pool, domain->pool_next[s->family],
			  s->family == FAMILY_V4 ? 30 : 64, i))
			continue;
		/* Once per pattern. */
		if (full != domain->net[s->family].at)
			complain(s->b->diags, domain->net[s->family].at,
				 "%s has no room for all links of this pattern",
				 ipnet_format(pool, true, text));
		full = domain->net[s->family].at;
	}
}

static void take_defaults(struct stage *s, bool networks)
{
	struct ipnet pool;
	ipnum next;

	ipnet_parse_subnet(&pool, family_af(s->family), pools[s->family][!networks],
			   NULL);
	next = pool.num;
	for (size_t i = 0; i < s->b->domain_count; i++) {
		struct domain *domain = &s->b->domains[i];
		uint8_t prefix = s->family == FAMILY_V4 ? 30 : 64;

		if (!is_auto(s, domain) || domain->pool[s->family] ||
		    (domain->kind == DOMAIN_NETWORK) != networks)
			continue;
		if (networks)
			prefix = network_prefix(s, domain);
		if (carve(s, &pool, &next, prefix, i))
			continue;
		complain(s->b->diags, domain->at,
			 "no free subnet is left in %s: give some networks or links a "
			 "\"%s\"",
			 pools[s->family][!networks], subnet_keys[s->family]);
		return;
	}
}

/* An address that the file gives: does it fit? */
static bool check_given(struct stage *s, const struct domain *domain,
			struct end_addr *addr)
{
	const struct ipnet *net = &domain->net[s->family].net;
	char text[IPNET_TEXT_BYTES_MAX], subnet[IPNET_TEXT_BYTES_MAX];

	ipnet_format(&addr->net, false, text);
	ipnet_format(net, true, subnet);
	if (!ipnet_contains(net, addr->net.num)) {
		complain(s->b->diags, addr->at, "%s is not in the subnet %s of %s", text,
			 subnet, domain_label(s->b, domain));
		return false;
	}
	if (addr->has_prefix && addr->net.prefix != net->prefix) {
		complain(s->b->diags, addr->at,
			 "the prefix /%u is not that of the subnet %s", addr->net.prefix,
			 subnet);
		return false;
	}
	if (addr->net.num >= ipnet_host_first(net) &&
	    addr->net.num <= ipnet_host_last(net))
		return true;
	complain(s->b->diags, addr->at,
		 "%s is the %s address of %s, not one for a machine", text,
		 addr->net.num > net->num ? "broadcast"
		 : s->family == FAMILY_V4 ? "network"
					  : "routers' anycast",
		 subnet);
	return false;
}

static int by_address(const void *a, const void *b)
{
	const struct end_addr *x = *(struct end_addr *const *)a;
	const struct end_addr *y = *(struct end_addr *const *)b;

	if (x->net.num != y->net.num)
		return x->net.num < y->net.num ? -1 : 1;
	return x < y ? -1 : x > y; /* in the order of the file */
}

/* Sorts the given addresses, and complains about those that are there twice.
 * Returns how many there are. */
static size_t collect_given(struct stage *s, const struct domain *domain,
			    struct end_addr **given)
{
	size_t count = 0;
	char text[IPNET_TEXT_BYTES_MAX];

	for (size_t i = 0; i < domain->end_count; i++) {
		struct end_addr *addr =
			&s->b->ends[domain->first_end + i].addr[s->family];

		if (addr->want != WANT_GIVEN || !check_given(s, domain, addr))
			continue;
		addr->net.prefix = domain->net[s->family].net.prefix;
		addr->assigned = true;
		given[count++] = addr;
	}
	qsort(given, count, sizeof(*given), by_address);
	for (size_t i = 1; i < count; i++)
		if (given[i]->net.num == given[i - 1]->net.num)
			complain(s->b->diags, given[i]->at,
				 "%s is given twice; the first time at %u:%u",
				 ipnet_format(&given[i]->net, false, text),
				 given[i - 1]->at->at.line, given[i - 1]->at->at.column);
	return count;
}

static void assign(struct stage *s, const struct domain *domain)
{
	const struct ipnet *net = &domain->net[s->family].net;
	struct end_addr **given =
		arena_alloc(&s->b->arena, domain->end_count * sizeof(*given));
	ipnum next = ipnet_host_first(net);
	ipnum room = ipnet_host_last(net) - next + 1;
	size_t count = collect_given(s, domain, given), at = 0;
	char text[IPNET_TEXT_BYTES_MAX];

	if (wanted(s, domain) > room) {
		complain(s->b->diags, domain->net[s->family].at,
			 "%s has room for %" PRIu64 " machines, and %s has %zu",
			 ipnet_format(net, true, text), (uint64_t)room,
			 domain_label(s->b, domain), wanted(s, domain));
		return;
	}
	for (size_t i = 0; i < domain->end_count; i++) {
		struct end_addr *addr =
			&s->b->ends[domain->first_end + i].addr[s->family];

		if (addr->want != WANT_AUTO)
			continue;
		for (; at < count && given[at]->net.num <= next; at++)
			next += given[at]->net.num == next;
		addr->net = *net;
		addr->net.num = next++;
		addr->assigned = true;
	}
}

static void check_mtu(struct stage *s, const struct domain *domain)
{
	if (s->family == FAMILY_V6 && domain->mtu_bytes < WIRING_MTU_MIN_V6)
		complain(s->b->diags, domain->at,
			 "%s needs an \"mtu\" of at least %d, which is %u here",
			 family_names[s->family], WIRING_MTU_MIN_V6, domain->mtu_bytes);
}

void build_addresses(struct build *b)
{
	for (int family = 0; family < FAMILIES; family++) {
		struct stage s = { .b = b, .family = family };

		for (size_t i = 0; i < b->domain_count; i++) {
			learn_subnet(&s, &b->domains[i]);
			refuse_homeless(&s, &b->domains[i]);
			take_given(&s, i);
		}
		take_from_pools(&s);
		take_defaults(&s, true);
		take_defaults(&s, false);
		for (size_t i = 0; i < b->domain_count; i++) {
			if (!b->domains[i].net[family].assigned)
				continue;
			assign(&s, &b->domains[i]);
			check_mtu(&s, &b->domains[i]);
		}
		ipset_free(&s.taken);
	}
}
