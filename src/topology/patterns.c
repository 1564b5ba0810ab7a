/* SPDX-License-Identifier: MIT */
/* patterns.c - links by the dozen: line, ring, star, mesh, tree, random
 *
 * A pattern first says how many links it is going to make, so that one which is
 * too large is refused before it takes memory; then it makes them, each between
 * two places in its list of nodes.
 *
 * random: node i of the list (from the second on) is first linked to one of the
 * nodes before it, so that all hang together.  Then, with "edges", further pairs
 * are drawn until there are that many; with "probability", each of the other
 * pairs is linked or not.  All draws are keyed by the lab's seed and the
 * pattern's name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/draw.h"
#include "base/units.h"
#include "topology/fault_fields.h"
#include "topology/fields.h"
#include "base/suggestion.h"
#include "topology/refs.h"
#include "topology/wiring.h"

enum { PATTERN_ARITY_DEFAULT = 2 };

struct pattern {
	const struct tree *at;
	const struct pattern_kind *kind;
	const char *name;
	struct refs nodes;
	struct fault_spec *fault;
	uint32_t center;    /* star: place in nodes */
	int64_t arity;	    /* tree */
	int64_t edges;	    /* random; -1: by probability */
	uint64_t ppm;	    /* random */
	uint64_t key;	    /* of its draws */
	struct domain like; /* mtu, subnets */
	const struct tree *pool_at[FAMILIES];
};

struct pattern_kind {
	const char *name;
	const char *own_keys[3]; /* besides the common ones */
	size_t nodes_min;
	uint64_t (*count)(const struct pattern *p); /* most links there can be */
	void (*make)(struct build *b, const struct pattern *p);
};

static const char *const common_keys[] = { "pattern", "nodes", "name", "pool",
					   "pool6",   "mtu",   NULL };

static void add_link(struct build *b, const struct pattern *p, size_t from, size_t to)
{
	struct domain *domain = wiring_add_domain(b, DOMAIN_PATTERN, p->at);
	size_t places[2] = { from, to };

	domain->prefix = p->name;
	domain->mtu_bytes = p->like.mtu_bytes;
	for (int f = 0; f < FAMILIES; f++) {
		domain->net[f] = p->like.net[f];
		domain->pool[f] = p->like.pool[f];
		domain->pool_next[f] = p->like.pool_next[f];
	}
	for (int i = 0; i < 2; i++) {
		struct end *end = wiring_add_end(b, p->at, p->nodes.nodes[places[i]]);

		end->out = p->fault;
	}
}

static uint64_t count_line(const struct pattern *p)
{
	return p->nodes.count - 1;
}

static void make_line(struct build *b, const struct pattern *p)
{
	for (size_t i = 0; i + 1 < p->nodes.count; i++)
		add_link(b, p, i, i + 1);
}

static uint64_t count_ring(const struct pattern *p)
{
	return p->nodes.count;
}

static void make_ring(struct build *b, const struct pattern *p)
{
	make_line(b, p);
	add_link(b, p, p->nodes.count - 1, 0);
}

static void make_star(struct build *b, const struct pattern *p)
{
	for (size_t i = 0; i < p->nodes.count; i++)
		if (i != p->center)
			add_link(b, p, p->center, i);
}

static uint64_t count_mesh(const struct pattern *p)
{
	return (uint64_t)p->nodes.count * (p->nodes.count - 1) / 2;
}

static void make_mesh(struct build *b, const struct pattern *p)
{
	for (size_t i = 0; i < p->nodes.count; i++)
		for (size_t j = i + 1; j < p->nodes.count; j++)
			add_link(b, p, i, j);
}

static void make_tree(struct build *b, const struct pattern *p)
{
	for (size_t i = 1; i < p->nodes.count; i++)
		add_link(b, p, (i - 1) / (size_t)p->arity, i);
}

/* Is the pair linked, among links made since `first`?  By a bit a pair. */
static bool mark_pair(uint8_t *marks, size_t i, size_t j)
{
	size_t bit = j * (j - 1) / 2 + i; /* i < j */
	bool was = marks[bit / 8] >> (bit % 8) & 1;

	marks[bit / 8] |= (uint8_t)(1 << (bit % 8));
	return was;
}

static uint64_t count_random(const struct pattern *p)
{
	/* With a probability the number depends on the draws: they are few
	 * enough to be made twice. */
	uint64_t links = p->nodes.count - 1, pair = 0;

	if (p->edges >= 0)
		return (uint64_t)p->edges;
	for (size_t j = 1; j < p->nodes.count; j++) {
		size_t tree = draw_below(p->key, j, LANE_TOPOLOGY, j);

		for (size_t i = 0; i < j; i++, pair++)
			links += i != tree && draw_below(p->key, PLAN_NODES_MAX + pair,
							 LANE_TOPOLOGY, 1000000) < p->ppm;
	}
	return links;
}

static void make_random(struct build *b, const struct pattern *p)
{
	size_t pairs = (size_t)count_mesh(p), made = 0;
	uint8_t *marks = arena_alloc(&b->arena, pairs / 8 + 1);

	for (size_t j = 1; j < p->nodes.count; j++, made++) {
		size_t i = draw_below(p->key, j, LANE_TOPOLOGY, j);

		mark_pair(marks, i, j);
		add_link(b, p, i, j);
	}
	for (uint64_t n = PLAN_NODES_MAX; p->edges >= 0 && made < (size_t)p->edges; n++) {
		uint64_t pair = draw_below(p->key, n, LANE_TOPOLOGY,
					   (uint64_t)p->nodes.count * p->nodes.count);
		size_t i = pair / p->nodes.count, j = pair % p->nodes.count;

		if (i >= j || mark_pair(marks, i, j))
			continue;
		add_link(b, p, i, j);
		made++;
	}
	for (size_t j = 1, pair = 0; p->edges < 0 && j < p->nodes.count; j++)
		for (size_t i = 0; i < j; i++, pair++)
			if (draw_below(p->key, PLAN_NODES_MAX + pair, LANE_TOPOLOGY,
				       1000000) < p->ppm &&
			    !mark_pair(marks, i, j))
				add_link(b, p, i, j);
}

static const struct pattern_kind kinds[] = {
	{ "line", { NULL }, 2, count_line, make_line },
	{ "ring", { NULL }, 3, count_ring, make_ring },
	{ "star", { "center", NULL }, 2, count_line, make_star },
	{ "mesh", { NULL }, 2, count_mesh, make_mesh },
	{ "tree", { "arity", NULL }, 2, count_line, make_tree },
	{ "random", { "edges", "probability", NULL }, 2, count_random, make_random },
};

static const struct pattern_kind *find_kind(struct build *b, const struct tree *object)
{
	const struct tree *value = tree_get(object, "pattern");
	const char *text = field_text(b->diags, value);
	struct suggestion near;

	if (!value)
		complain(
			b->diags, object,
			"\"pattern\" is missing: one of line ring star mesh tree random");
	if (!text)
		return NULL;
	suggestion_start(&near, text);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].name, text))
			return &kinds[i];
		suggestion_offer(&near, kinds[i].name);
	}
	complain_near(b->diags, value, near.best,
		      "no pattern \"%.40s\"; there are line ring star mesh tree random",
		      text);
	return NULL;
}

static void check_keys(struct build *b, const struct pattern *p)
{
	const char *keys[sizeof(common_keys) / sizeof(common_keys[0]) + 3];
	size_t count = 0;

	for (size_t i = 0; common_keys[i]; i++)
		keys[count++] = common_keys[i];
	for (size_t i = 0; p->kind->own_keys[i]; i++)
		keys[count++] = p->kind->own_keys[i];
	keys[count] = NULL;
	field_keys(b->diags, p->at, keys, true);
}

/* star's "center": one of the nodes, or one more; else the first. */
static void read_center(struct build *b, const struct tree *value, struct pattern *p)
{
	const char *text = field_text(b->diags, value);
	struct refs refs;
	uint32_t *nodes;

	if (!text || !refs_resolve(b, value, text, strlen(text), &refs))
		return;
	if (refs.count != 1) {
		complain(b->diags, value, "\"%.60s\" is %zu nodes; a star has one center",
			 text, refs.count);
		return;
	}
	for (p->center = 0; p->center < p->nodes.count; p->center++)
		if (p->nodes.nodes[p->center] == refs.nodes[0])
			return;
	nodes = arena_alloc(&b->arena, (p->nodes.count + 1) * sizeof(*nodes));
	memcpy(nodes, p->nodes.nodes, p->nodes.count * sizeof(*nodes));
	nodes[p->nodes.count++] = refs.nodes[0];
	p->nodes.nodes = nodes;
}

static void read_random(struct build *b, struct pattern *p)
{
	const struct tree *edges = tree_get(p->at, "edges");
	const struct tree *probability = tree_get(p->at, "probability");
	int64_t pairs = (int64_t)count_mesh(p);

	p->edges = -1;
	if (!edges == !probability) {
		complain(b->diags, p->at,
			 "expected either \"edges\" (how many links) or \"probability\" "
			 "(that two nodes are linked)");
		return;
	}
	if (edges)
		field_integer(b->diags, edges, (int64_t)p->nodes.count - 1, pairs,
			      &p->edges);
	else
		field_quantity(b->diags, probability, units_parse_ppm, "30%", 0,
			       FAULT_PPM_ALL, "0% and 100%", &p->ppm);
}

/* What only one kind has. */
static void read_own(struct build *b, struct pattern *p)
{
	p->arity = PATTERN_ARITY_DEFAULT;
	if (!strcmp(p->kind->name, "star"))
		read_center(b, tree_get(p->at, "center"), p);
	if (!strcmp(p->kind->name, "tree"))
		field_integer(b->diags, tree_get(p->at, "arity"), 1, PLAN_NODES_MAX,
			      &p->arity);
}

static void read_pool(struct build *b, const struct tree *value, int family,
		      struct domain *like)
{
	struct domain_net *net = &like->net[family];
	const char *text = field_text(b->diags, value);
	unsigned longest = family == FAMILY_V4 ? 30 : 64;
	struct ipnet pool;
	struct why why;

	net->want = family == FAMILY_V4 ? WANT_AUTO : WANT_NONE;
	if (!text)
		return;
	net->asked = true;
	net->at = value;
	net->want = !strcmp(text, "none") ? WANT_NONE : WANT_AUTO;
	if (!strcmp(text, "none") || !strcmp(text, "auto"))
		return;
	if (ipnet_parse_subnet(&pool, family_af(family), text, &why)) {
		complain(b->diags, value, "%s", why.text);
		return;
	}
	if (pool.prefix > longest) {
		complain(b->diags, value,
			 "\"%.60s\" is too small: every link takes a /%u from it", text,
			 longest);
		return;
	}
	like->pool[family] = arena_alloc(&b->arena, sizeof(pool));
	*like->pool[family] = pool;
	like->pool_next[family] = arena_alloc(&b->arena, sizeof(ipnum));
	*like->pool_next[family] = pool.num;
}

/* Everything but the nodes' number. */
static bool read_pattern(struct build *b, const struct tree *object, size_t index,
			 struct pattern *p)
{
	const struct tree *nodes = tree_get(object, "nodes");
	const struct tree *name = tree_get(object, "name");
	char key[64];

	*p = (struct pattern){ .at = object };
	if (!field_object(b->diags, object))
		return false;
	p->kind = find_kind(b, object);
	if (p->kind)
		check_keys(b, p);
	p->name = wiring_name(b, name, field_text(b->diags, name), false);
	snprintf(key, sizeof(key), "pattern %zu", index);
	p->key = draw_key(b->plan->seed, p->name ? p->name : key);
	p->like = (struct domain){ .mtu_bytes = WIRING_MTU_DEFAULT };
	wiring_read_mtu(b, object, &p->like);
	for (int f = 0; f < FAMILIES; f++) {
		p->like.net[f].at = object;
		read_pool(b, tree_get(object, f == FAMILY_V4 ? "pool" : "pool6"), f,
			  &p->like);
	}
	build_faults(b, object, &p->fault);
	if (!nodes)
		complain(b->diags, object, "\"nodes\" is missing: the nodes to link");
	if (!field_array(b->diags, nodes))
		return false;
	return refs_resolve_list(b, nodes, &p->nodes) && p->kind;
}

static void build_pattern(struct build *b, const struct tree *object, size_t index)
{
	struct pattern p;
	uint64_t links;

	if (!read_pattern(b, object, index, &p))
		return;
	read_own(b, &p);
	if (p.nodes.count < p.kind->nodes_min) {
		complain(b->diags, object, "a %s needs at least %zu nodes, not %zu",
			 p.kind->name, p.kind->nodes_min, p.nodes.count);
		return;
	}
	if (p.kind->make == make_random)
		read_random(b, &p);
	/* None makes fewer than a tree has; so what is far too large is not even
	 * counted. */
	links = p.nodes.count - 1;
	if (b->end_count + 2 * links <= PLAN_INTERFACES_MAX)
		links = p.kind->count(&p);
	if (b->end_count + 2 * links > PLAN_INTERFACES_MAX) {
		complain(b->diags, object,
			 "this makes %" PRIu64 " links, with which the lab has %" PRIu64
			 " interfaces; it can have %d",
			 links, b->end_count + 2 * links, PLAN_INTERFACES_MAX);
		return;
	}
	p.kind->make(b, &p);
}

void build_patterns(struct build *b)
{
	size_t index = 0;

	tree_each(pattern, field_array(b->diags, tree_get(b->root, "patterns"))) {
		if (diagnostics_enough(b->diags))
			break;
		build_pattern(b, pattern, index++);
	}
}
