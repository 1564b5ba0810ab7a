/* SPDX-License-Identifier: MIT */
#include "fabric/fault_target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { LINKS_LISTED_MAX = 12 };

/* What stands at one end of an arrow. */
struct end {
	int node;      /* -1: a network */
	int interface; /* -1: any of the node */
	int segment;   /* when node is -1 */
};

/* What the word in front of an arrow restricts it to; -1: nothing. */
struct only {
	int link, segment;
};

static int find_segment(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->segment_count; i++)
		if (strcmp(plan->segments[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool parse_end(struct end *end, const struct plan *plan, const char *text)
{
	char name[FAULT_TARGET_BYTES_MAX];
	const struct plan_node *node;
	char *colon;

	snprintf(name, sizeof(name), "%s", text);
	*end = (struct end){ .node = plan_find_node(plan, name),
			     .interface = -1,
			     .segment = -1 };
	if (end->node >= 0)
		return true;
	end->segment = find_segment(plan, name);
	if (end->segment >= 0)
		return true;
	colon = strrchr(name, ':');
	if (!colon)
		return false;
	*colon = 0;
	end->node = plan_find_node(plan, name);
	if (end->node < 0)
		return false;
	node = &plan->nodes[end->node];
	for (size_t i = 0; i < node->interface_count; i++)
		if (strcmp(node->interfaces[i].name, colon + 1) == 0)
			end->interface = (int)i;
	return end->interface >= 0;
}

bool fault_at_equal(const struct fault_at *a, const struct fault_at *b)
{
	if (a->pair != b->pair)
		return false;
	if (!a->pair)
		return a->link == b->link && a->dir == b->dir;
	return a->segment == b->segment && a->from.node == b->from.node &&
	       a->from.interface == b->from.interface && a->to.node == b->to.node &&
	       a->to.interface == b->to.interface;
}

static int add(struct fault_target *target, struct fault_at at)
{
	struct fault_at *grown;

	for (size_t i = 0; i < target->count; i++)
		if (fault_at_equal(&target->at[i], &at))
			return 0;
	grown = reallocarray(target->at, target->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	target->at = grown;
	target->at[target->count++] = at;
	return 0;
}

static int add_dir(struct fault_target *target, uint32_t link, int dir)
{
	return add(target, (struct fault_at){ .link = link, .dir = dir });
}

static bool end_is(const struct end *end, const struct plan_endpoint *at)
{
	return end->node == (int)at->node &&
	       (end->interface < 0 || end->interface == (int)at->interface);
}

/* The interface i of the sending end: what of its link leads to the other end? */
static int add_from_interface(struct fault_target *target, const struct plan *plan,
			      struct plan_endpoint from, const struct end *to,
			      const struct only *only)
{
	uint32_t index = plan->nodes[from.node].interfaces[from.interface].link;
	const struct plan_link *link = &plan->links[index];
	bool is_a = link->a.node == from.node && link->a.interface == from.interface;
	int err = 0;

	if (only->link >= 0 && only->link != (int)index)
		return 0;
	if (link->b_kind == LINK_TO_INTERFACE) {
		if (only->segment < 0 && end_is(to, is_a ? &link->b : &link->a))
			err = add_dir(target, index, is_a ? DIR_AB : DIR_BA);
		return err;
	}
	if (only->segment >= 0 && only->segment != (int)link->segment)
		return 0;
	if (to->node < 0)
		return to->segment == (int)link->segment ? add_dir(target, index, DIR_AB)
							 : 0;
	/* Only that link was asked for, and a pair is not of one link. */
	if (only->link >= 0)
		return 0;
	for (uint32_t j = 0; !err && j < plan->nodes[to->node].interface_count; j++) {
		struct plan_endpoint other = { .node = (uint32_t)to->node,
					       .interface = j };
		const struct plan_link *far =
			&plan->links[plan->nodes[other.node].interfaces[j].link];

		if (far == link || far->b_kind != LINK_TO_SEGMENT ||
		    far->segment != link->segment || !end_is(to, &other))
			continue;
		err = add(target, (struct fault_at){ .pair = true,
						     .segment = link->segment,
						     .from = from,
						     .to = other });
	}
	return err;
}

static int add_arrow(struct fault_target *target, const struct plan *plan,
		     const struct end *from, const struct end *to,
		     const struct only *only)
{
	const struct end *node_end = from->node >= 0 ? from : to;
	int err = 0;

	if (node_end->node < 0)
		return 0; /* from a network to a network: nothing */
	for (uint32_t i = 0; !err && i < plan->nodes[node_end->node].interface_count;
	     i++) {
		struct plan_endpoint at = { .node = (uint32_t)node_end->node,
					    .interface = i };
		uint32_t index = plan->nodes[at.node].interfaces[i].link;
		const struct plan_link *link = &plan->links[index];

		if (!end_is(node_end, &at))
			continue;
		if (from->node >= 0)
			err = add_from_interface(target, plan, at, to, only);
		else if (link->b_kind == LINK_TO_SEGMENT &&
			 (int)link->segment == from->segment &&
			 (only->link < 0 || only->link == (int)index) &&
			 (only->segment < 0 || only->segment == (int)link->segment))
			err = add_dir(target, index, DIR_BA);
	}
	return err;
}

/* Find an arrow in the text whose two ends exist; names may contain '-'. */
static bool split_arrow(const struct plan *plan, const char *text, struct end *from,
			struct end *to, bool *both)
{
	char left[FAULT_TARGET_BYTES_MAX];

	for (const char *p = text; *p; p++) {
		if (p[0] != '-' || (p[1] != '>' && p[1] != '-'))
			continue;
		snprintf(left, sizeof(left), "%.*s", (int)(p - text), text);
		if (!parse_end(from, plan, left) || !parse_end(to, plan, p + 2))
			continue;
		*both = p[1] == '-';
		return true;
	}
	return false;
}

/* The links and networks that a machine has a card in, each with a blank before it. */
static void links_of(const struct plan *plan, int node, char *list, size_t room)
{
	size_t used = 0;

	*list = 0;
	for (size_t i = 0; i < plan->link_count && used < room; i++) {
		const struct plan_link *link = &plan->links[i];

		if (link->a.node == (uint32_t)node ||
		    (link->b_kind == LINK_TO_INTERFACE && link->b.node == (uint32_t)node))
			used += (size_t)snprintf(list + used, room - used, " %s",
						 link->b_kind == LINK_TO_SEGMENT ?
							 plan->segments[link->segment].name :
							 link->name);
	}
}

static int no_such(const struct plan *plan, const char *text, struct why *why)
{
	char list[600] = "";
	int node = plan_find_node(plan, text);
	size_t used = 0, shown = 0;

	if (node >= 0) {
		links_of(plan, node, list, sizeof(list));
		return why_set(why, -ENOENT,
			       "%s is a machine; its links:%s; what it sends to another one: "
			       "'%s->NODE'",
			       text, *list ? list : " none", text);
	}
	if (*text && text[strlen(text) - 1] == '-')
		return why_set(why, -ENOENT,
			       "no link %s; a shell takes > for itself and has written to a "
			       "file: quote it, as in '%s>NODE'",
			       text, text);
	for (; shown < plan->link_count && shown < LINKS_LISTED_MAX; shown++) {
		int n = snprintf(list + used, sizeof(list) - used, " %s",
				 plan->links[shown].name);

		if (n < 0 || used + (size_t)n >= sizeof(list))
			break;
		used += (size_t)n;
	}
	list[used] = 0;
	return why_set(why, -ENOENT, "no link %s; links here:%s%s", text, list,
		       shown < plan->link_count ? " …" : "");
}

static int resolve_arrow(struct fault_target *target, const struct plan *plan,
			 const char *arrow, const struct only *only, const char *text,
			 struct why *why)
{
	struct end from, to;
	bool both;
	int err;

	if (!split_arrow(plan, arrow, &from, &to, &both))
		return no_such(plan, text, why);
	err = add_arrow(target, plan, &from, &to, only);
	if (!err && both)
		err = add_arrow(target, plan, &to, &from, only);
	if (err)
		return why_errno(why, err, "%s", text);
	if (target->count == 0)
		return why_set(
			why, -ENOENT,
			"%s: both exist, but no link or network joins them directly",
			text);
	return 0;
}

static int resolve_name(struct fault_target *target, const struct plan *plan,
			const char *name)
{
	int link = plan_find_link(plan, name);
	int segment = find_segment(plan, name);
	int err = 0;

	if (link >= 0) {
		err = add_dir(target, (uint32_t)link, DIR_AB);
		return err ? err : add_dir(target, (uint32_t)link, DIR_BA);
	}
	for (uint32_t i = 0; segment >= 0 && !err && i < plan->link_count; i++)
		if (plan->links[i].b_kind == LINK_TO_SEGMENT &&
		    (int)plan->links[i].segment == segment)
			err = add_dir(target, i, DIR_AB);
	target->network = segment >= 0;
	return err;
}

static int resolve(struct fault_target *target, const struct plan *plan, const char *text,
		   struct why *why)
{
	struct only only = { .link = -1, .segment = -1 };
	char name[FAULT_TARGET_BYTES_MAX];
	const char *space = strchr(text, ' ');
	int err = resolve_name(target, plan, text);

	if (err)
		return why_errno(why, err, "%s", text);
	if (target->count)
		return 0;
	if (!space)
		return resolve_arrow(target, plan, text, &only, text, why);
	snprintf(name, sizeof(name), "%.*s", (int)(space - text), text);
	only.link = plan_find_link(plan, name);
	only.segment = only.link < 0 ? find_segment(plan, name) : -1;
	if (only.link < 0 && only.segment < 0)
		return no_such(plan, name, why);
	return resolve_arrow(target, plan, space + 1, &only, text, why);
}

int fault_target_resolve(struct fault_target *out, const struct plan *plan,
			 const char *text, struct why *why)
{
	struct fault_target target = { 0 };
	int err;

	if (strlen(text) >= FAULT_TARGET_BYTES_MAX)
		return why_set(why, -EINVAL, "target: longer than %d characters",
			       FAULT_TARGET_BYTES_MAX - 1);
	err = resolve(&target, plan, text, why);
	if (err) {
		fault_target_free(&target);
		return err;
	}
	*out = target;
	return 0;
}

void fault_target_free(struct fault_target *target)
{
	free(target->at);
	*target = (struct fault_target){ 0 };
}

const char *fault_at_wire(const struct plan *plan, const struct fault_at *at)
{
	return at->pair ? plan->segments[at->segment].name : plan->links[at->link].name;
}

void fault_at_name(char name[FAULT_NAME_BYTES_MAX], const struct plan *plan,
		   const struct fault_at *at)
{
	const struct plan_link *link = at->pair ? NULL : &plan->links[at->link];
	const char *a, *b;

	if (at->pair) {
		a = plan->nodes[at->from.node].name;
		b = plan->nodes[at->to.node].name;
	} else {
		a = plan->nodes[link->a.node].name;
		b = link->b_kind == LINK_TO_SEGMENT ? plan->segments[link->segment].name
						    : plan->nodes[link->b.node].name;
		if (at->dir == DIR_BA) {
			const char *swap = a;

			a = b;
			b = swap;
		}
	}
	snprintf(name, FAULT_NAME_BYTES_MAX, "%s %s->%s", fault_at_wire(plan, at), a, b);
}
