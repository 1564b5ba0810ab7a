/* SPDX-License-Identifier: MIT */
/* ipnet.h - arithmetic with addresses and subnets
 *
 * Both families are numbers of 128 bits; IPv4 uses the low 32.  A set of subnets
 * that do not overlap finds out fast whether another would.
 *
 * Errors:    -EINVAL and the reason.
 * Ownership: ipset_free() frees a set.
 * Threads:   pure.
 */
#ifndef NL_PLAN_IPNET_H
#define NL_PLAN_IPNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

typedef unsigned __int128 ipnum;

/* An address with a prefix, or a subnet: then the host bits are 0. */
struct ipnet {
	int family;
	uint8_t prefix;
	ipnum num;
};

enum { IPNET_TEXT_BYTES_MAX = 64 };

/* "10.0.0.1", prefix = all bits and *has_prefix = false, or "10.0.0.1/24". */
int ipnet_parse(struct ipnet *net, int family, const char *text, bool *has_prefix,
		struct why *why);

/* "10.0.0.0/24", without host bits, and fit for machines to live in. */
int ipnet_parse_subnet(struct ipnet *net, int family, const char *text, struct why *why);

/* "10.0.0.0/24", or without the prefix.  Returns text. */
const char *ipnet_format(const struct ipnet *net, bool with_prefix,
			 char text[IPNET_TEXT_BYTES_MAX]);

unsigned ipnet_bits(int family);		 /* 32 or 128 */
ipnum ipnet_size(const struct ipnet *net);	 /* addresses in it, 0 for 2^128 */
ipnum ipnet_last(const struct ipnet *net);	 /* address */
struct ipnet ipnet_of(const struct ipnet *addr); /* the subnet it lives in */
bool ipnet_contains(const struct ipnet *net, ipnum num);

/* The addresses that machines can have: without network and broadcast address
 * (IPv6: without the routers' anycast address), but for /31 and /127. */
ipnum ipnet_host_first(const struct ipnet *net);
ipnum ipnet_host_last(const struct ipnet *net);

struct plan_addr ipnet_to_plan(const struct ipnet *net);
struct ipnet ipnet_from_plan(const struct plan_addr *addr);

/* Disjoint subnets of one family, each with an owner's number. */
struct ipset {
	struct ipset_item {
		ipnum first, last;
		size_t owner;
	} * items;
	size_t count;
};

void ipset_free(struct ipset *set);

/* Add; if it overlaps one that is there, nothing changes and that one comes
 * back, else NULL. */
const struct ipset_item *ipset_add(struct ipset *set, const struct ipnet *net,
				   size_t owner);

#endif
