/* SPDX-License-Identifier: MIT */
/* nodes.c - "nodes", "defaults", "kinds", "groups": which machines there are */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/stages.h"
#include "topology/fields.h"
#include "plan/names.h"
#include "base/suggestion.h"
#include "topology/props.h"
#include "topology/refs.h"

struct groups {
	const struct tree *at; /* the object "groups", or NULL */
	struct strmap by_name;
	struct props *props;
};

struct levels {
	struct props defaults;
	struct props uml; /* the only kind so far */
	struct groups groups;
};

/* The names that one key of "nodes" stands for; 0 if it is wrong. */
static size_t read_key(struct build *b, const struct tree *member, struct range *range,
		       bool *counted)
{
	const struct tree *count = tree_get(member, "count");
	struct why why;
	int64_t number;

	if (range_parse(range, member->key, strlen(member->key), &why)) {
		complain_key(b->diags, member, NULL, "%s", why.text);
		return 0;
	}
	if (!count)
		return range->total;
	if (range->span_count) {
		complain(b->diags, count,
			 "the key is a range and says how many there are already");
		return 0;
	}
	if (!field_integer(b->diags, count, 1, PLAN_NODES_MAX, &number))
		return 0;
	/* "n" with 12 of them is n[1-12], in every respect. */
	range->span_count = 1;
	range->spans[0] = (struct range_span){ 1, (uint32_t)number, 0 };
	range->total = (size_t)number;
	*counted = true;
	return range->total;
}

static void add_name(struct build *b, const struct tree *member, const char *name)
{
	struct plan_node *node = &b->plan->nodes[b->plan->node_count];
	struct why why;
	long old;

	if (name_check(name, &why)) {
		complain_key(b->diags, member, NULL, "%s", why.text);
		return;
	}
	snprintf(node->name, sizeof(node->name), "%s", name);
	old = strmap_add(&b->node_by_name, node->name, b->plan->node_count);
	if (old >= 0) {
		const struct tree *first = b->templates[b->template_of[old]].at;

		complain_key(b->diags, member, NULL,
			     "a second node \"%s\"; the first one is made by \"%.60s\" "
			     "at %u:%u",
			     name, first->key, first->key_at.line, first->key_at.column);
		return;
	}
	b->template_of[b->plan->node_count++] = (uint32_t)b->template_count;
}

static void add_template(struct build *b, const struct tree *member)
{
	struct node_template template = { .at = member,
					  .first = (uint32_t)b->plan->node_count,
					  .forward = -1 };
	char name[PLAN_NAME_BYTES_MAX];
	struct range range;
	size_t names = read_key(b, member, &range, &template.counted);

	if (b->plan->node_count + names > PLAN_NODES_MAX) {
		complain_key(b->diags, member, NULL,
			     "with these, the lab has %zu nodes; it can have %d",
			     b->plan->node_count + names, PLAN_NODES_MAX);
		names = 0;
	}
	b->templates[b->template_count] = template; /* a range may name one twice */
	for (size_t i = 0; i < names; i++) {
		range_name(&range, i, name);
		add_name(b, member, name);
	}
	template.count = (uint32_t)b->plan->node_count - template.first;
	if (template.counted && template.count)
		strmap_add(&b->template_by_key, member->key, b->template_count);
	b->templates[b->template_count++] = template;
}

static void read_names(struct build *b, const struct tree *nodes)
{
	size_t keys = nodes ? nodes->count : 0;

	b->plan->nodes = heap_zeroed(PLAN_NODES_MAX, sizeof(*b->plan->nodes));
	b->template_of = arena_alloc(&b->arena, PLAN_NODES_MAX * sizeof(uint32_t));
	b->seen = arena_alloc(&b->arena, PLAN_NODES_MAX * sizeof(uint32_t));
	b->templates = arena_alloc(&b->arena, keys * sizeof(*b->templates));
	tree_each(member, nodes)
		add_template(b, member);
}

/* Hosts files and resolvers do not tell N1 from n1. */
static int by_lower_name(const void *a, const void *b, void *nodes)
{
	const struct plan_node *n = nodes;

	return strcasecmp(n[*(const uint32_t *)a].name, n[*(const uint32_t *)b].name);
}

static void check_letter_case(struct build *b)
{
	const struct plan *plan = b->plan;
	uint32_t *order = arena_alloc(&b->arena, plan->node_count * sizeof(*order));

	for (uint32_t i = 0; i < plan->node_count; i++)
		order[i] = i;
	qsort_r(order, plan->node_count, sizeof(*order), by_lower_name, plan->nodes);
	for (size_t i = 1; i < plan->node_count; i++) {
		if (strcasecmp(plan->nodes[order[i - 1]].name,
			       plan->nodes[order[i]].name))
			continue;
		complain_key(b->diags, b->templates[b->template_of[order[i]]].at, NULL,
			     "\"%s\" and \"%s\" are the same host name: letter case "
			     "counts for nothing in one",
			     plan->nodes[order[i]].name, plan->nodes[order[i - 1]].name);
	}
}

static void read_levels(struct build *b, struct levels *levels)
{
	const struct tree *kinds = field_object(b->diags, tree_get(b->root, "kinds"));
	struct groups *groups = &levels->groups;
	size_t count = 0;
	struct why why;

	props_read(b, tree_get(b->root, "defaults"), PROPS_DEFAULTS, &levels->defaults);
	props_read(b, NULL, PROPS_KIND, &levels->uml);
	tree_each(member, kinds) {
		if (!strcmp(member->key, "uml"))
			props_read(b, member, PROPS_KIND, &levels->uml);
		else if (!field_is_note(member->key))
			complain_key(b->diags, member, NULL,
				     "no kind \"%.40s\"; there is \"uml\"", member->key);
	}
	groups->at = field_object(b->diags, tree_get(b->root, "groups"));
	groups->props = arena_alloc(&b->arena, (groups->at ? groups->at->count : 0) *
						       sizeof(*groups->props));
	tree_each(group, groups->at) {
		if (name_check(group->key, &why))
			complain_key(b->diags, group, NULL, "%s", why.text);
		props_read(b, group, PROPS_GROUP, &groups->props[count]);
		strmap_add(&groups->by_name, group->key, count++);
	}
}

static void overlay_group(struct build *b, const struct groups *groups,
			  const struct tree *value, struct props *sum)
{
	const char *name = field_text(b->diags, value);
	struct suggestion near;
	long index;

	if (!name)
		return;
	index = strmap_get(&groups->by_name, name);
	if (index >= 0) {
		props_overlay(b, sum, &groups->props[index]);
		return;
	}
	suggestion_start(&near, name);
	tree_each(group, b->diags->total < DIAGNOSTICS_MAX ? groups->at : NULL)
		suggestion_offer(&near, group->key);
	complain_near(b->diags, value, near.best, "there is no group \"%.60s\"", name);
}

enum { NODE_GROUPS_MAX = 16 };

static void read_template(struct build *b, const struct levels *levels,
			  struct node_template *template)
{
	const struct tree *group;
	struct props own, sum = levels->defaults;

	props_read(b, template->at, PROPS_NODE, &own);
	props_overlay(b, &sum, &levels->uml);
	group = own.groups;
	if (group && group->type == TREE_ARRAY && group->count > NODE_GROUPS_MAX) {
		complain(b->diags, group, "more than %d groups", NODE_GROUPS_MAX);
	} else if (group && group->type == TREE_ARRAY) {
		tree_each(item, group)
			overlay_group(b, &levels->groups, item, &sum);
	} else if (group) {
		overlay_group(b, &levels->groups, group, &sum);
	}
	props_overlay(b, &sum, &own);
	template->forward = sum.forward;
	template->depends = sum.depends;
	if (props_text_bytes(&sum) > PROPS_TEXT_BYTES_MAX) {
		complain_key(b->diags, template->at, NULL,
			     "env, sysctl, files and run together are larger than %d "
			     "KiB; what is large can stand in the topology's folder, "
			     "which machines see as /lab",
			     PROPS_TEXT_BYTES_MAX >> 10);
		return;
	}
	for (uint32_t i = 0; i < template->count; i++)
		props_to_node(&sum, &b->plan->nodes[template->first + i]);
}

static void read_depends(struct build *b, const struct node_template *template)
{
	struct refs refs;

	if (!template->depends || !refs_resolve_list(b, template->depends, &refs))
		return;
	for (uint32_t i = 0; i < template->count; i++) {
		struct plan_node *node = &b->plan->nodes[template->first + i];

		node->depends = heap_zeroed(refs.count, sizeof(*node->depends));
		if (refs.count)
			memcpy(node->depends, refs.nodes,
			       refs.count * sizeof(*node->depends));
		node->depend_count = refs.count;
	}
}

/* Depth-first search for a way that comes back. */
struct walk {
	struct build *b;
	uint8_t *state; /* 0 new, 1 on the way, 2 done */
	uint32_t way[PLAN_NODES_MAX];
	size_t length;
};

static void complain_cycle(struct walk *walk, uint32_t node)
{
	const struct plan_node *nodes = walk->b->plan->nodes;
	char text[400] = "";
	size_t from = 0, used = 0;

	while (walk->way[from] != node)
		from++;
	for (size_t i = from; i < walk->length && used < 300; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s -> ",
					 nodes[walk->way[i]].name);
	complain(walk->b->diags, walk->b->templates[walk->b->template_of[node]].depends,
		 "a circle of nodes that wait for one another: %s%s%s", text,
		 used < 300 ? "" : "... -> ", nodes[node].name);
}

static void visit(struct walk *walk, uint32_t node)
{
	const struct plan_node *n = &walk->b->plan->nodes[node];

	if (walk->state[node] == 1)
		complain_cycle(walk, node);
	if (walk->state[node])
		return;
	walk->state[node] = 1;
	walk->way[walk->length++] = node;
	for (size_t i = 0; i < n->depend_count; i++)
		visit(walk, n->depends[i]);
	walk->length--;
	walk->state[node] = 2;
}

static void check_cycles(struct build *b)
{
	struct walk *walk = arena_alloc(&b->arena, sizeof(*walk));

	walk->b = b;
	walk->state = arena_alloc(&b->arena, b->plan->node_count);
	for (uint32_t i = 0; i < b->plan->node_count; i++)
		visit(walk, i);
}

void build_nodes(struct build *b)
{
	const struct tree *value = tree_get(b->root, "nodes");
	const struct tree *nodes = field_object(b->diags, value);
	struct levels levels = { 0 };

	if (!value || (nodes && !nodes->count))
		complain(b->diags, value ? value : b->root,
			 "\"nodes\" %s: a lab needs at least one",
			 value ? "is empty" : "is missing");
	read_names(b, nodes);
	check_letter_case(b);
	read_levels(b, &levels);
	for (size_t i = 0; i < b->template_count; i++)
		read_template(b, &levels, &b->templates[i]);
	for (size_t i = 0; b->options->cost && i < b->plan->node_count; i++)
		b->plan->nodes[i].cost = *b->options->cost;
	for (size_t i = 0; i < b->template_count; i++)
		read_depends(b, &b->templates[i]);
	check_cycles(b);
	strmap_free(&levels.groups.by_name);
}
