/* SPDX-License-Identifier: MIT */
/* wiring.c - "networks" and "links" */
#include "topology/wiring.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "topology/fault_fields.h"
#include "topology/fields.h"
#include "plan/names.h"
#include "base/suggestion.h"

#define AGEING_NS_DEFAULT UINT64_C(300000000000)
#define AGEING_NS_MIN	  UINT64_C(1000000)
#define AGEING_NS_MAX	  UINT64_C(86400000000000)

static const char *const network_keys[] = { "subnet", "subnet6", "members",
					    "mtu",    "ageing",	 NULL };
static const char *const link_keys[] = { "name",    "endpoints", "subnet",
					 "subnet6", "mtu",	 NULL };
static const char *const subnet_keys[FAMILIES] = { "subnet", "subnet6" };

struct domain *wiring_add_domain(struct build *b, enum domain_kind kind,
				 const struct tree *at)
{
	struct domain *domain;

	b->domains = array_grow(b->domains, b->domain_count, sizeof(*b->domains));
	domain = &b->domains[b->domain_count++];
	*domain = (struct domain){ .kind = kind,
				   .at = at,
				   .first_end = b->end_count,
				   .mtu_bytes = WIRING_MTU_DEFAULT,
				   .ageing_ns = AGEING_NS_DEFAULT };
	domain->net[FAMILY_V4] = (struct domain_net){ .want = WANT_AUTO, .at = at };
	domain->net[FAMILY_V6] = (struct domain_net){ .want = WANT_NONE, .at = at };
	return domain;
}

struct end *wiring_add_end(struct build *b, const struct tree *at, uint32_t node)
{
	struct end *end;

	if (b->end_count == PLAN_INTERFACES_MAX) {
		if (!b->ends_overflow)
			complain(b->diags, at, "more than %d interfaces in one lab",
				 PLAN_INTERFACES_MAX);
		b->ends_overflow = true;
		return NULL;
	}
	b->ends = array_grow(b->ends, b->end_count, sizeof(*b->ends));
	end = &b->ends[b->end_count++];
	*end = (struct end){ .node = node,
			     .domain = (uint32_t)(b->domain_count - 1),
			     .at = at };
	for (int f = 0; f < FAMILIES; f++)
		end->addr[f] = (struct end_addr){ .want = WANT_AUTO, .at = at };
	b->domains[b->domain_count - 1].end_count++;
	return end;
}

const char *wiring_name(struct build *b, const struct tree *at, const char *name,
			bool is_key)
{
	struct why why = { "" };

	if (!name)
		return NULL;
	if (!name_check(name, &why)) {
		if (strmap_add(&b->link_names, name, 1) == STRMAP_NONE)
			return name;
		snprintf(why.text, sizeof(why.text),
			 "there is a network, link or pattern \"%s\" already", name);
	}
	if (is_key)
		complain_key(b->diags, at, NULL, "%s", why.text);
	else
		complain(b->diags, at, "%s", why.text);
	return NULL;
}

static void read_subnet(struct build *b, const struct tree *value, int family,
			struct domain_net *net)
{
	const char *text = field_text(b->diags, value);
	struct why why;

	if (!text)
		return;
	net->asked = true;
	net->at = value;
	net->want = !strcmp(text, "none") ? WANT_NONE : WANT_AUTO;
	if (!strcmp(text, "none") || !strcmp(text, "auto"))
		return;
	if (!ipnet_parse_subnet(&net->net, family_af(family), text, &why))
		net->want = WANT_GIVEN;
	else
		complain(b->diags, value, "%s", why.text);
}

void wiring_read_mtu(struct build *b, const struct tree *object, struct domain *domain)
{
	int64_t mtu;

	if (field_integer(b->diags, tree_get(object, "mtu"), WIRING_MTU_MIN,
			  WIRING_MTU_MAX, &mtu))
		domain->mtu_bytes = (uint32_t)mtu;
}

void wiring_read_common(struct build *b, const struct tree *object, struct domain *domain)
{
	wiring_read_mtu(b, object, domain);
	for (int f = 0; f < FAMILIES; f++)
		read_subnet(b, tree_get(object, subnet_keys[f]), f, &domain->net[f]);
}

static void read_network(struct build *b, const struct tree *object)
{
	struct domain *domain = wiring_add_domain(b, DOMAIN_NETWORK, object);
	const struct tree *members = tree_get(object, "members");
	struct fault_spec *fault = NULL;

	domain->name = wiring_name(b, object, object->key, true);
	if (!field_object(b->diags, object))
		return;
	field_keys(b->diags, object, network_keys, true);
	wiring_read_common(b, object, domain);
	field_quantity(b->diags, tree_get(object, "ageing"), units_parse_ns, "300s",
		       AGEING_NS_MIN, AGEING_NS_MAX, "1ms and 24h", &domain->ageing_ns);
	build_faults(b, object, &fault);
	if (!members || (members->type == TREE_ARRAY && !members->count))
		complain(b->diags, members ? members : object,
			 "\"members\" %s: a network needs at least one node",
			 members ? "is empty" : "is missing");
	if (!field_array(b->diags, members))
		return;
	tree_each(member, members) {
		if (diagnostics_enough(b->diags))
			break;
		wiring_read_ends(b, member, true, fault);
	}
}

/* Which end of the link a direction's "n1" or "n1:eth1" means; -1: none. */
static int which_end(const struct build *b, const struct domain *domain, const char *text,
		     size_t size)
{
	const char *colon = memchr(text, ':', size);
	size_t name = colon ? (size_t)(colon - text) : size;

	for (int i = 0; i < 2; i++) {
		const struct end *end = &b->ends[domain->first_end + (size_t)i];
		const char *node = b->plan->nodes[end->node].name;

		if (strlen(node) != name || memcmp(node, text, name))
			continue;
		if (!colon || (strlen(end->ifname) == size - name - 1 &&
			       !memcmp(end->ifname, colon + 1, size - name - 1)))
			return i;
	}
	return -1;
}

/* "n1->n2": {"loss": "1%"} */
static void read_direction(struct build *b, const struct tree *member,
			   const struct domain *domain, const struct tree *seen[2])
{
	static const char *const none[] = { NULL };
	const char *arrow = strstr(member->key, "->");
	struct end *ends = &b->ends[domain->first_end];
	int from = which_end(b, domain, member->key, (size_t)(arrow - member->key));
	int to = which_end(b, domain, arrow + 2, strlen(arrow + 2));

	if (from < 0 || to < 0 || from == to) {
		const char *x = b->plan->nodes[ends[0].node].name;
		const char *y = b->plan->nodes[ends[1].node].name;

		complain_key(b->diags, member, NULL,
			     "not a direction of this link: there are \"%s->%s\" and "
			     "\"%s->%s\"",
			     x, y, y, x);
		return;
	}
	if (seen[from])
		complain_key(b->diags, member, NULL,
			     "this direction is there already, at %u:%u",
			     seen[from]->key_at.line, seen[from]->key_at.column);
	seen[from] = member;
	if (!field_object(b->diags, member))
		return;
	field_keys(b->diags, member, none, true);
	build_faults(b, member, &ends[from].out);
}

static bool is_direction(const char *key)
{
	return strstr(key, "->") != NULL && !field_is_note(key);
}

/* Unknown keys, where "a->b" is not one. */
static void check_link_keys(struct build *b, const struct tree *object)
{
	tree_each(member, object) {
		struct tree alone = { .type = TREE_OBJECT };
		struct tree copy = *member;

		if (is_direction(member->key))
			continue;
		/* Its parent stays the true one, for the path. */
		copy.next = NULL;
		alone.first = &copy;
		field_keys(b->diags, &alone, link_keys, true);
	}
}

/* Both ends, in the newest domain; false if they are not two. */
static bool read_endpoints(struct build *b, const struct tree *object,
			   struct fault_spec *fault)
{
	const struct tree *endpoints = tree_get(object, "endpoints");
	size_t added = 0;

	if (!endpoints)
		complain(b->diags, object,
			 "\"endpoints\" is missing: the two ends, such as [\"n1\", "
			 "\"n2\"]");
	if (!field_array(b->diags, endpoints))
		return false;
	if (endpoints->count != 2) {
		complain(b->diags, endpoints, "a link has two endpoints, not %zu",
			 endpoints->count);
		return false;
	}
	tree_each(endpoint, endpoints)
		added += wiring_read_ends(b, endpoint, false, fault);
	if (added != 2)
		return false;
	if (b->ends[b->end_count - 1].node != b->ends[b->end_count - 2].node)
		return true;
	complain(b->diags, endpoints, "both ends are at %s: a link joins two nodes",
		 b->plan->nodes[b->ends[b->end_count - 1].node].name);
	return false;
}

static void read_link(struct build *b, const struct tree *object)
{
	const struct tree *seen[2] = { NULL };
	struct fault_spec *fault = NULL;
	struct domain *domain;
	const struct tree *name;

	if (!field_object(b->diags, object))
		return;
	domain = wiring_add_domain(b, DOMAIN_LINK, object);
	check_link_keys(b, object);
	name = tree_get(object, "name");
	domain->name = wiring_name(b, name, field_text(b->diags, name), false);
	wiring_read_common(b, object, domain);
	build_faults(b, object, &fault);
	if (!read_endpoints(b, object, fault)) {
		/* Half a link would only make more errors. */
		b->end_count = domain->first_end;
		b->domain_count--;
		return;
	}
	tree_each(member, object)
		if (is_direction(member->key))
			read_direction(b, member, domain, seen);
}

void build_wiring(struct build *b)
{
	tree_each(network, field_object(b->diags, tree_get(b->root, "networks"))) {
		if (diagnostics_enough(b->diags))
			break;
		read_network(b, network);
	}
	tree_each(link, field_array(b->diags, tree_get(b->root, "links"))) {
		if (diagnostics_enough(b->diags))
			break;
		read_link(b, link);
	}
}
