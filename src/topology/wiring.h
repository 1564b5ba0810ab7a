/* SPDX-License-Identifier: MIT */
/* wiring.h - making domains and ends, for networks, links and patterns
 *
 * Errors:    to diags.
 * Ownership: domains and ends are the build's; a pointer to one holds only until
 *            the next is made.
 */
#ifndef NL_TOPOLOGY_WIRING_H
#define NL_TOPOLOGY_WIRING_H

#include "topology/stages.h"

enum {
	WIRING_MTU_DEFAULT = 1500,
	WIRING_MTU_MIN = 576,  /* what every IPv4 host has to take */
	WIRING_MTU_MAX = 9216, /* the switch's largest frame */
	WIRING_MTU_MIN_V6 = 1280,
};

struct domain *wiring_add_domain(struct build *b, enum domain_kind kind,
				 const struct tree *at);

/* An end in the newest domain.  NULL, with one complaint, when the lab has no
 * room for more interfaces. */
struct end *wiring_add_end(struct build *b, const struct tree *at, uint32_t node);

/* A name of a network, link or pattern: complain unless it is good and new. */
const char *wiring_name(struct build *b, const struct tree *at, const char *name,
			bool is_key);

/* "mtu", "subnet" and "subnet6" of a network or link. */
void wiring_read_common(struct build *b, const struct tree *object,
			struct domain *domain);
void wiring_read_mtu(struct build *b, const struct tree *object, struct domain *domain);

/* ends.c: from the file's words to ends of the newest domain. */

/* A member or endpoint: "n1", "n1:eth2", or an object with node, interface, ipv4,
 * ipv6, mac; members may be ranges, and only members have "in".  Returns how many
 * ends were added. */
size_t wiring_read_ends(struct build *b, const struct tree *value, bool is_member,
			struct fault_spec *out);

#endif
