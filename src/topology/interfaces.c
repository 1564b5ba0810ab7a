/* SPDX-License-Identifier: MIT */
/* interfaces.c - what interfaces are called, inside and on the wire
 *
 * Names that the file gives are taken first, wherever they stand; then every
 * other interface gets the first free of eth0, eth1, ... of its node, networks
 * before links before patterns, each in the order of the file.
 *
 * A derived hardware address is a draw of the lab's name, the node and the
 * interface, not of the seed: the same file has the same addresses in each run.
 */
#include <stdio.h>
#include <string.h>

#include "base/draw.h"
#include "topology/stages.h"
#include "plan/plan_json.h"

static const char *node_name(const struct build *b, const struct end *end)
{
	return b->plan->nodes[end->node].name;
}

static const char *full_name(struct build *b, const struct end *end, const char *ifname)
{
	return arena_printf(&b->arena, "%s:%s", node_name(b, end), ifname);
}

static void take_given_names(struct build *b, struct strmap *taken)
{
	for (size_t i = 0; i < b->end_count; i++) {
		struct end *end = &b->ends[i];
		long old;

		if (!*end->ifname)
			continue;
		old = strmap_add(taken, full_name(b, end, end->ifname), i);
		if (old >= 0)
			complain(b->diags, end->at,
				 "a second interface %s:%s; the first one is at %u:%u",
				 node_name(b, end), end->ifname, b->ends[old].at->at.line,
				 b->ends[old].at->at.column);
	}
}

static void name_the_rest(struct build *b, struct strmap *taken)
{
	unsigned *next = arena_alloc(&b->arena, b->plan->node_count * sizeof(*next));

	for (size_t i = 0; i < b->end_count; i++) {
		struct end *end = &b->ends[i];

		while (!*end->ifname) {
			char ifname[PLAN_IFNAME_BYTES_MAX];

			snprintf(ifname, sizeof(ifname), "eth%u", next[end->node]++);
			if (strmap_add(taken, full_name(b, end, ifname), i) < 0)
				memcpy(end->ifname, ifname, sizeof(ifname));
		}
	}
}

static const char *mac_text(struct build *b, const uint8_t mac[6])
{
	char text[18];

	return arena_strndup(&b->arena, plan_mac_format(mac, text), 17);
}

static void take_given_macs(struct build *b, struct strmap *taken)
{
	for (size_t i = 0; i < b->end_count; i++) {
		const struct end *end = &b->ends[i];
		long old;

		if (!end->mac_given)
			continue;
		old = strmap_add(taken, mac_text(b, end->mac), i);
		if (old >= 0)
			complain(b->diags, end->at,
				 "%s:%s and %s:%s have the same hardware address",
				 node_name(b, end), end->ifname,
				 node_name(b, &b->ends[old]), b->ends[old].ifname);
	}
}

static void derive_mac(struct build *b, struct end *end, size_t index,
		       struct strmap *taken)
{
	char name[128];
	uint64_t key;

	if (end->mac_given)
		return;
	snprintf(name, sizeof(name), "%s/%s/%s", b->plan->name, node_name(b, end),
		 end->ifname);
	key = draw_key(0, name);
	for (uint64_t n = 0;; n++) {
		uint64_t bits = draw_bits(key, n, LANE_MAC);

		for (int i = 0; i < 6; i++)
			end->mac[i] = (uint8_t)(bits >> (8 * i));
		/* Locally administered, one machine's. */
		end->mac[0] = 0x02;
		if (strmap_add(taken, mac_text(b, end->mac), index) < 0)
			return;
	}
}

void build_interfaces(struct build *b)
{
	struct strmap names = { 0 }, macs = { 0 };

	take_given_names(b, &names);
	name_the_rest(b, &names);
	take_given_macs(b, &macs);
	for (size_t i = 0; i < b->end_count; i++)
		derive_mac(b, &b->ends[i], i, &macs);
	strmap_free(&names);
	strmap_free(&macs);
}
