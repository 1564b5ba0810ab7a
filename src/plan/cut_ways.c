/* SPDX-License-Identifier: MIT */
#include "plan/cut_ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const struct plan *plan;
	const struct cut_draw *draw;
	uint32_t *queue, queued;
	bool *near; /* by node: a neighbour of the one that it begins with */
	uint32_t *next; /* by node: the first hop of the way there + 1; 0: none */
};

static void visit(struct walk *w, uint32_t from, uint32_t to)
{
	w->near[to] |= from == w->queue[0];
	if (w->next[to] || cut_draw_cuts(w->draw, from, to))
		return;
	w->next[to] = from == w->queue[0] ? to + 1 : w->next[from];
	if (w->plan->nodes[to].forward)
		w->queue[w->queued++] = to;
}

static void cross_segment(struct walk *w, uint32_t from, uint32_t segment)
{
	for (uint32_t l = 0; l < w->plan->link_count; l++) {
		const struct plan_link *link = &w->plan->links[l];

		if (link->b_kind == LINK_TO_SEGMENT && link->segment == segment)
			visit(w, from, link->a.node);
	}
}

static void leave(struct walk *w, uint32_t node)
{
	const struct plan_node *plan = &w->plan->nodes[node];

	for (uint32_t i = 0; i < plan->interface_count; i++) {
		const struct plan_link *link = &w->plan->links[plan->interfaces[i].link];
		bool is_a = link->a.node == node && link->a.interface == i;

		if (link->b_kind == LINK_TO_SEGMENT)
			cross_segment(w, node, link->segment);
		else
			visit(w, node, is_a ? link->b.node : link->a.node);
	}
}

/* Does it cut anything that this node sends? */
static size_t cuts_of(const struct walk *w, uint32_t from)
{
	size_t cuts = 0;

	for (uint32_t to = 0; to < w->plan->node_count; to++)
		cuts += cut_draw_cuts(w->draw, from, to);
	return cuts;
}

static void walk_from(struct walk *w, uint32_t from)
{
	memset(w->next, 0, w->plan->node_count * sizeof(*w->next));
	memset(w->near, 0, w->plan->node_count * sizeof(*w->near));
	w->next[from] = from + 1;
	w->queue[0] = from;
	w->queued = 1;
	for (uint32_t n = 0; n < w->queued; n++)
		leave(w, w->queue[n]);
}

int cut_ways(struct cut_ways *out, const struct plan *plan, const struct cut_draw *draw,
	     struct why *why)
{
	uint32_t nodes = (uint32_t)plan->node_count;
	struct walk w = { .plan = plan,
			  .draw = draw,
			  .queue = calloc(nodes + 1, sizeof(uint32_t)),
			  .next = calloc(nodes + 1, sizeof(uint32_t)),
			  .near = calloc(nodes + 1, sizeof(bool)) };
	bool ready = w.queue && w.next && w.near;

	*out = (struct cut_ways){ 0 };
	for (uint32_t from = 0; ready && from < nodes; from++) {
		size_t cuts = cuts_of(&w, from);

		out->cut += cuts;
		if (cuts)
			walk_from(&w, from);
		for (uint32_t to = 0; cuts && to < nodes; to++) {
			if (!w.next[to] || w.near[to] ||
			    !cut_draw_cuts(draw, from, to))
				continue;
			if (!out->open++) {
				out->from = from;
				out->to = to;
				out->next = w.next[to] - 1;
			}
		}
	}
	free(w.queue);
	free(w.next);
	free(w.near);
	return ready ? 0 : why_set(why, -ENOMEM, "partition: out of memory");
}

bool cut_ways_warning(const struct cut_ways *ways, const struct plan *plan,
		      struct why *why)
{
	char others[64] = "";

	if (!ways->open)
		return false;
	if (ways->open == ways->cut && ways->cut > 1)
		snprintf(others, sizeof(others), ", as does every other way of it");
	else if (ways->open > 1)
		snprintf(others, sizeof(others), ", as %s %zu more of its %zu ways",
			 ways->open == 2 ? "does" : "do", ways->open - 1, ways->cut);
	why_set(why, 0,
		"%s -> %s stays open%s: between them is %s, which passes packets on; a "
		"partition cuts what neighbours send each other, so put %s on a side, too",
		plan->nodes[ways->from].name, plan->nodes[ways->to].name, others,
		plan->nodes[ways->next].name, plan->nodes[ways->next].name);
	return true;
}
