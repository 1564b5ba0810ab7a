/* SPDX-License-Identifier: MIT */
#include "plan/ipnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/arena.h"

unsigned ipnet_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

static ipnum host_mask(const struct ipnet *net)
{
	unsigned bits = ipnet_bits(net->family) - net->prefix;

	return bits == 128 ? ~(ipnum)0 : ((ipnum)1 << bits) - 1;
}

ipnum ipnet_size(const struct ipnet *net)
{
	return host_mask(net) + 1;
}

ipnum ipnet_last(const struct ipnet *net)
{
	return net->num | host_mask(net);
}

struct ipnet ipnet_of(const struct ipnet *addr)
{
	struct ipnet net = *addr;

	net.num &= ~host_mask(addr);
	return net;
}

bool ipnet_contains(const struct ipnet *net, ipnum num)
{
	return num >= net->num && num <= ipnet_last(net);
}

/* Both addresses of a point-to-point subnet are for machines (RFC 3021, 6164). */
static bool is_pair(const struct ipnet *net)
{
	return ipnet_bits(net->family) - net->prefix <= 1;
}

ipnum ipnet_host_first(const struct ipnet *net)
{
	return net->num + !is_pair(net);
}

ipnum ipnet_host_last(const struct ipnet *net)
{
	return ipnet_last(net) - (net->family == AF_INET && !is_pair(net));
}

struct plan_addr ipnet_to_plan(const struct ipnet *net)
{
	struct plan_addr addr = { .family = net->family, .prefix = net->prefix };
	ipnum num = net->num;

	if (net->family == AF_INET) {
		addr.ip.v4.s_addr = htonl((uint32_t)num);
		return addr;
	}
	for (int i = 15; i >= 0; i--, num >>= 8)
		addr.ip.v6.s6_addr[i] = (uint8_t)num;
	return addr;
}

struct ipnet ipnet_from_plan(const struct plan_addr *addr)
{
	struct ipnet net = { .family = addr->family, .prefix = addr->prefix };

	if (addr->family == AF_INET) {
		net.num = ntohl(addr->ip.v4.s_addr);
		return net;
	}
	for (int i = 0; i < 16; i++)
		net.num = net.num << 8 | addr->ip.v6.s6_addr[i];
	return net;
}

const char *ipnet_format(const struct ipnet *net, bool with_prefix,
			 char text[IPNET_TEXT_BYTES_MAX])
{
	struct plan_addr addr = ipnet_to_plan(net);
	size_t used;

	inet_ntop(net->family, &addr.ip, text, IPNET_TEXT_BYTES_MAX);
	used = strlen(text);
	if (with_prefix)
		snprintf(text + used, IPNET_TEXT_BYTES_MAX - used, "/%u", net->prefix);
	return text;
}

int ipnet_parse(struct ipnet *net, int family, const char *text, bool *has_prefix,
		struct why *why)
{
	struct plan_addr addr = { .family = family,
				  .prefix = (uint8_t)ipnet_bits(family) };
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	char ip[IPNET_TEXT_BYTES_MAX];
	uint64_t prefix = addr.prefix;

	if (size < sizeof(ip)) {
		memcpy(ip, text, size);
		ip[size] = 0;
	}
	if (size >= sizeof(ip) || inet_pton(family, ip, &addr.ip) != 1)
		return why_set(why, -EINVAL,
			       "\"%.60s\" is not an %s address such as \"%s\"", text,
			       family == AF_INET ? "IPv4" : "IPv6",
			       family == AF_INET ? "10.0.0.1" : "fd00::1");
	if (slash && (units_parse_count(slash + 1, &prefix, NULL) ||
		      prefix > ipnet_bits(family) || strlen(slash + 1) > 3))
		return why_set(why, -EINVAL,
			       "\"%.60s\": the prefix behind the / is a number up to %u",
			       text, ipnet_bits(family));
	addr.prefix = (uint8_t)prefix;
	*net = ipnet_from_plan(&addr);
	*has_prefix = slash != NULL;
	return 0;
}

/* Ranges that mean something else to every kernel. */
static const char *special_use(const struct ipnet *net)
{
	unsigned first = (unsigned)(net->num >> (ipnet_bits(net->family) - 8));

	if (net->family == AF_INET) {
		if (first == 0 || first >= 240)
			return "reserved";
		if (first == 127)
			return "loopback";
		return first >= 224 ? "multicast" : NULL;
	}
	if (first == 0xff)
		return "multicast";
	if ((unsigned)(net->num >> 118) == 0x3fa)
		return "link-local: such addresses are an interface's own and belong to no subnet";
	return first == 0 ? "reserved" : NULL;
}

int ipnet_parse_subnet(struct ipnet *net, int family, const char *text, struct why *why)
{
	char better[IPNET_TEXT_BYTES_MAX];
	unsigned longest = ipnet_bits(family) - 1;
	struct ipnet subnet;
	bool has_prefix;
	int err = ipnet_parse(&subnet, family, text, &has_prefix, why);

	if (err)
		return err;
	if (!has_prefix)
		return why_set(why, -EINVAL,
			       "\"%.60s\" has no prefix: write \"%.60s/%d\"", text, text,
			       family == AF_INET ? 24 : 64);
	*net = ipnet_of(&subnet);
	if (net->num != subnet.num)
		return why_set(
			why, -EINVAL,
			"\"%.60s\" is an address in a subnet; the subnet is \"%s\"", text,
			ipnet_format(net, true, better));
	if (special_use(net))
		return why_set(why, -EINVAL, "\"%.60s\" is %s", text, special_use(net));
	if (net->prefix < 8 || net->prefix > longest)
		return why_set(why, -EINVAL,
			       "\"%.60s\": the prefix is not between 8 and %u", text,
			       longest);
	return 0;
}

void ipset_free(struct ipset *set)
{
	free(set->items);
	*set = (struct ipset){ 0 };
}

const struct ipset_item *ipset_add(struct ipset *set, const struct ipnet *net,
				   size_t owner)
{
	struct ipset_item item = { net->num, ipnet_last(net), owner };
	size_t low = 0, high = set->count;

	/* The first item that ends at or behind our start. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle].last < item.first)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < set->count && set->items[low].first <= item.last)
		return &set->items[low];
	set->items = array_grow(set->items, set->count, sizeof(item));
	memmove(set->items + low + 1, set->items + low,
		(set->count - low) * sizeof(item));
	set->items[low] = item;
	set->count++;
	return NULL;
}
