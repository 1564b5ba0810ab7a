/* SPDX-License-Identifier: MIT */
/* ends.c - "n1:eth2" and its longer forms: members and endpoints */
#include <errno.h>
#include <string.h>

#include "topology/fault_fields.h"
#include "topology/fields.h"
#include "plan/names.h"
#include "topology/refs.h"
#include "topology/wiring.h"

static const char *const member_keys[] = { "node", "interface", "ipv4", "ipv6",
					   "mac",  "in",	NULL };
static const char *const endpoint_keys[] = { "node", "interface", "ipv4",
					     "ipv6", "mac",	  NULL };
static const char *const addr_keys[FAMILIES] = { "ipv4", "ipv6" };

static void read_addr(struct build *b, const struct tree *value, int family,
		      struct end_addr *addr)
{
	const char *text = field_text(b->diags, value);
	struct why why;

	addr->at = value;
	if (!text || !strcmp(text, "auto"))
		return;
	if (!strcmp(text, "none")) {
		addr->want = WANT_NONE;
		return;
	}
	if (ipnet_parse(&addr->net, family_af(family), text, &addr->has_prefix, &why)) {
		complain(b->diags, value, "%s, nor \"none\"", why.text);
		addr->want = WANT_NONE; /* nothing more to say about it */
		return;
	}
	addr->want = WANT_GIVEN;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static int parse_mac(const char *text, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : 0))
			return -EINVAL;
		mac[i] = (uint8_t)(16 * high + low);
	}
	return 0;
}

static void read_mac(struct build *b, const struct tree *value, struct end *end)
{
	static const uint8_t zero[6];
	const char *text = field_string(b->diags, value);

	if (!text)
		return;
	if (parse_mac(text, end->mac))
		complain(b->diags, value,
			 "\"%.40s\" is not a hardware address such as "
			 "\"02:00:00:00:00:01\"",
			 text);
	else if (end->mac[0] & 1)
		complain(b->diags, value,
			 "\"%.40s\" is a group's address: the first byte of a machine's "
			 "is even",
			 text);
	else if (!memcmp(end->mac, zero, sizeof(zero)))
		complain(b->diags, value, "\"%.40s\" is nobody's address", text);
	else
		end->mac_given = true;
}

/* Is the node in the newest domain already, and neither mention says with which
 * interface? */
static bool is_double(const struct build *b, uint32_t node, const char *ifname)
{
	const struct domain *domain = &b->domains[b->domain_count - 1];

	for (size_t i = 0; i < domain->end_count && !*ifname; i++)
		if (b->ends[domain->first_end + i].node == node)
			return true;
	return false;
}

/* The ends for one reference, before any details. */
static size_t add_ends(struct build *b, const struct tree *at, const char *text,
		       size_t size, const char *ifname, bool is_member)
{
	struct refs refs;
	size_t added = 0;

	if (!refs_resolve(b, at, text, size, &refs))
		return 0;
	if (!is_member && refs.count != 1) {
		complain(b->diags, at, "\"%.*s\" is %zu nodes; an endpoint is one",
			 size > 60 ? 60 : (int)size, text, refs.count);
		return 0;
	}
	for (size_t i = 0; i < refs.count; i++) {
		struct end *end;

		if (is_member && is_double(b, refs.nodes[i], ifname)) {
			const char *name = b->plan->nodes[refs.nodes[i]].name;

			complain(b->diags, at,
				 "%s is a member already; for a second interface here, "
				 "name it: \"%s:eth1\"",
				 name, name);
			break;
		}
		end = wiring_add_end(b, at, refs.nodes[i]);
		if (!end)
			break;
		memcpy(end->ifname, ifname, sizeof(end->ifname));
		added++;
	}
	return added;
}

static bool read_ifname(struct build *b, const struct tree *at, const char *name,
			char ifname[PLAN_IFNAME_BYTES_MAX])
{
	struct why why;

	if (ifname_check(name, &why)) {
		complain(b->diags, at, "%s", why.text);
		return false;
	}
	memcpy(ifname, name, strlen(name) + 1);
	return true;
}

/* "n1" or "n[1-3]:eth2". */
static size_t read_short(struct build *b, const struct tree *value, bool is_member)
{
	char ifname[PLAN_IFNAME_BYTES_MAX] = "";
	const char *text = value->text;
	const char *colon = strchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : strlen(text);

	if (colon && !read_ifname(b, value, colon + 1, ifname))
		return 0;
	return add_ends(b, value, text, size, ifname, is_member);
}

/* What can be said about one end only. */
static void read_details(struct build *b, const struct tree *object, size_t added)
{
	static const char *const single[] = { "ipv4", "ipv6", "mac" };
	struct end *end = &b->ends[b->end_count - added];

	for (size_t i = 0; i < 3 && added > 1; i++) {
		const struct tree *value = tree_get(object, single[i]);

		if (value &&
		    (value->type != TREE_STRING ||
		     (strcmp(value->text, "none") && strcmp(value->text, "auto"))))
			complain(b->diags, value, "one %s for %zu nodes", single[i],
				 added);
	}
	for (size_t i = 0; i < added; i++) {
		for (int f = 0; f < FAMILIES; f++)
			read_addr(b, tree_get(object, addr_keys[f]), f, &end[i].addr[f]);
		read_mac(b, tree_get(object, "mac"), &end[i]);
		if (b->diags->total)
			break; /* once is enough */
	}
}

static size_t read_long(struct build *b, const struct tree *object, bool is_member,
			struct fault_spec *out)
{
	const struct tree *node = tree_get(object, "node");
	const struct tree *interface = tree_get(object, "interface");
	const struct tree *in = is_member ? tree_get(object, "in") : NULL;
	struct fault_spec *own = out, *inward = NULL;
	char ifname[PLAN_IFNAME_BYTES_MAX] = "";
	const char *text;
	size_t added;

	field_keys(b->diags, object, is_member ? member_keys : endpoint_keys, is_member);
	if (is_member)
		build_faults(b, object, &own);
	if (field_object(b->diags, in)) {
		static const char *const none[] = { NULL };

		field_keys(b->diags, in, none, true);
		build_faults(b, in, &inward);
	}
	if (!node)
		complain(b->diags, object, "\"node\" is missing");
	text = field_text(b->diags, interface);
	if (text && !read_ifname(b, interface, text, ifname))
		return 0;
	text = field_text(b->diags, node);
	if (!text)
		return 0;
	added = add_ends(b, node, text, strlen(text), ifname, is_member);
	if (added)
		read_details(b, object, added);
	for (size_t i = b->end_count - added; i < b->end_count; i++) {
		b->ends[i].out = own;
		b->ends[i].in = inward;
	}
	return added;
}

size_t wiring_read_ends(struct build *b, const struct tree *value, bool is_member,
			struct fault_spec *out)
{
	size_t added;

	if (value->type == TREE_OBJECT)
		return read_long(b, value, is_member, out);
	if (value->type != TREE_STRING) {
		complain(b->diags, value,
			 "expected a node such as \"n1\" or \"n1:eth1\", or an object "
			 "with \"node\", found %s",
			 tree_type_name(value->type));
		return 0;
	}
	added = read_short(b, value, is_member);
	for (size_t i = b->end_count - added; i < b->end_count; i++)
		b->ends[i].out = out;
	return added;
}
