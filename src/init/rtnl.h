/* SPDX-License-Identifier: MIT */
/* rtnl.h - the few requests to the kernel's routing socket that a machine needs
 *
 * Written out here rather than taken from libnl-route: linked statically, that
 * library makes the agent, which every machine holds in memory, half as large
 * again, and it brings in the resolver, which a static program cannot use.
 *
 * Errors:    0 or -errno; *why has the kernel's own words where it gives some.
 * Ownership: rtnl_open() gives a descriptor; the caller closes it.
 * Threads:   one socket, one thread.
 */
#ifndef NL_INIT_RTNL_H
#define NL_INIT_RTNL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

struct rtnl_link {
	int index;
	char name[PLAN_IFNAME_BYTES_MAX];
	uint8_t mac[6];
	bool ethernet; /* has such an address at all */
	bool up;
};

int rtnl_open(struct why *why);

/* All interfaces; the caller frees *links. */
int rtnl_links(int fd, struct rtnl_link **links, size_t *count, struct why *why);

/* The kernel tells of a carrier up to a second late, unless the link is asked about
 * (from 6.8 on).  *operational: frames and neighbours work on it. */
int rtnl_ask_link(int fd, int index, bool *operational, struct why *why);

int rtnl_set_name(int fd, int index, const char *name, struct why *why);
int rtnl_set_mtu(int fd, int index, uint32_t mtu_bytes, struct why *why);
int rtnl_set_up(int fd, int index, bool up, struct why *why);
int rtnl_add_addr(int fd, int index, const struct plan_addr *addr, struct why *why);
int rtnl_add_route(int fd, const struct plan_route *route, struct why *why);

#endif
