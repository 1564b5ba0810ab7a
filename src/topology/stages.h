/* SPDX-License-Identifier: MIT */
/* stages.h - what the compiler's stages hand to one another
 *
 * The stages run in this order, each on what the ones before it left, and all
 * but the last run even if something was wrong before, so that one pass finds
 * every error:
 *
 *	nodes      names, inheritance, what each node is      -> plan.nodes
 *	wiring     networks, links, patterns                  -> domains, ends
 *	interfaces names and hardware addresses               -> ends
 *	addresses  subnets and addresses                      -> domains, ends
 *	partitions
 *	finish     interfaces, links, segments, routes, hosts -> plan (no errors)
 *
 * A *domain* is what frames cross without a router: a network, or a link.  An
 * *end* is a node's place in one: it becomes an interface.  The ends of a domain
 * follow one another.
 *
 * Errors:    to diags; a stage leaves out what is wrong.
 * Ownership: records are the arena's; the plan owns itself.
 * Threads:   one.
 */
#ifndef NL_TOPOLOGY_STAGES_H
#define NL_TOPOLOGY_STAGES_H

#include "base/arena.h"
#include "faultwords/fault_files.h"
#include "topology/compile.h"
#include "topology/diag.h"
#include "plan/ipnet.h"
#include "plan/plan.h"
#include "topology/strmap.h"
#include "topology/tree.h"

enum { FAMILY_V4, FAMILY_V6, FAMILIES };

static inline int family_af(int family)
{
	return family == FAMILY_V4 ? AF_INET : AF_INET6;
}

/* What the file says about an address or a subnet. */
enum want { WANT_NONE, WANT_AUTO, WANT_GIVEN };

struct end_addr {
	enum want want;
	const struct tree *at; /* where it is given */
	struct ipnet net;      /* WANT_GIVEN; then what was assigned */
	bool has_prefix;
	bool assigned;
};

struct end {
	uint32_t node, domain;
	const struct tree *at;
	char ifname[PLAN_IFNAME_BYTES_MAX]; /* "" until it is assigned */
	uint8_t mac[6];
	bool mac_given;
	struct end_addr addr[FAMILIES];
	struct fault_spec *out, *in; /* from the node; to the node (networks only) */
	uint32_t interface;	     /* index in the node, by finish */
};

enum domain_kind { DOMAIN_NETWORK, DOMAIN_LINK, DOMAIN_PATTERN };

struct domain_net {
	enum want want;
	bool asked;	       /* the file has the key */
	const struct tree *at; /* what to point at */
	struct ipnet net;
	bool assigned;
};

struct domain {
	enum domain_kind kind;
	const char *name;   /* of the network or link; NULL: derived */
	const char *prefix; /* of a pattern's links, or NULL */
	const struct tree *at;
	size_t first_end, end_count;
	struct domain_net net[FAMILIES];
	struct ipnet *pool[FAMILIES]; /* patterns: where to take the subnet from */
	ipnum *pool_next[FAMILIES];
	uint32_t mtu_bytes;
	uint64_t ageing_ns; /* networks */
};

/* A key of "nodes": one node, or several that are alike. */
struct node_template {
	const struct tree *at;
	uint32_t first, count;	    /* in plan.nodes */
	bool counted;		    /* has "count": its key stands for all of them */
	int forward;		    /* -1: as routing needs it */
	const struct tree *depends; /* array of references, or NULL */
};

struct build {
	struct arena arena;
	struct diagnostics *diags;
	const struct topology_options *options;
	const struct tree *root;
	struct plan *plan;

	struct node_template *templates;
	size_t template_count;
	struct strmap template_by_key; /* keys with "count" -> template */
	struct strmap node_by_name;
	uint32_t *template_of; /* per node */
	uint32_t *seen;	       /* per node: in which list it was met last */
	uint32_t seen_stamp;   /* number of that list */

	struct domain *domains; /* heap */
	size_t domain_count;
	struct end *ends; /* heap */
	size_t end_count;
	bool ends_overflow;
	struct fault_files fault_files; /* heap */
	struct fault_spec **specs; /* heap; all that the ends refer to */
	size_t spec_count;
	struct strmap link_names; /* explicit names of networks, links, patterns */

	bool routing;
};

/* The stages. */
void build_nodes(struct build *b);
void build_wiring(struct build *b);
void build_patterns(struct build *b);
void build_interfaces(struct build *b);
void build_addresses(struct build *b);
void build_partitions(struct build *b);
void build_finish(struct build *b);
void build_routes(struct build *b);

#endif
