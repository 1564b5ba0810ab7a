/* SPDX-License-Identifier: MIT */
#include "fabric/reach.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "linkfault/passage.h"

/* What hinders a frame, each more than the one after it. */
struct search {
	const struct plan *plan;
	const struct wire *wire;
	uint64_t now_ns;
	uint32_t *queue; /* of nodes whose neighbours are still to be looked at */
	uint32_t queued;
	uint8_t *reached; /* by node: how, an enum reach, 0 for not */
	enum reach level; /* REACH_YES: everything hinders; each below: but for that */
};

static bool hop_is_cut(const struct search *s, uint32_t from, uint32_t to)
{
	return s->level > REACH_CUT && wire_is_cut(s->wire, from, to);
}

/* Does the fault of that direction hinder at this level? */
static bool is_shut(const struct search *s, const struct fault_at *at)
{
	switch (fault_passage(wire_fault_get(s->wire, at), s->now_ns)) {
	case PASSAGE_OPEN:
		return false;
	case PASSAGE_AT_TIMES:
		return s->level > REACH_FLAP;
	case PASSAGE_LOST:
		return s->level > REACH_LOSS;
	case PASSAGE_DOWN:
		return s->level > REACH_DOWN;
	}
	ASSERT(false);
	return true;
}

static bool link_is_shut(const struct search *s, uint32_t link, int dir)
{
	return is_shut(s, &(struct fault_at){ .link = link, .dir = dir });
}

static bool pair_is_shut(const struct search *s, uint32_t segment,
			 struct plan_endpoint from, struct plan_endpoint to)
{
	return is_shut(
		s, &(struct fault_at){
			   .pair = true, .segment = segment, .from = from, .to = to });
}

static bool is_off(const struct search *s, struct plan_endpoint at)
{
	return s->level > REACH_OFF &&
	       wire_port_state(s->wire, wire_port(s->wire, at)) != PORT_UP;
}

static void visit(struct search *s, struct plan_endpoint from, struct plan_endpoint to)
{
	if (s->reached[to.node] || hop_is_cut(s, from.node, to.node) || is_off(s, to))
		return;
	s->reached[to.node] = true;
	if (s->plan->nodes[to.node].forward)
		s->queue[s->queued++] = to.node;
}

static void cross_segment(struct search *s, uint32_t mine, struct plan_endpoint from)
{
	uint32_t segment = s->plan->links[mine].segment;

	for (uint32_t l = 0; l < s->plan->link_count; l++) {
		const struct plan_link *link = &s->plan->links[l];

		if (l == mine || link->b_kind != LINK_TO_SEGMENT ||
		    link->segment != segment || link_is_shut(s, l, DIR_BA) ||
		    pair_is_shut(s, segment, from, link->a))
			continue;
		visit(s, from, link->a);
	}
}

static void leave(struct search *s, uint32_t node)
{
	const struct plan_node *plan = &s->plan->nodes[node];

	for (uint32_t i = 0; i < plan->interface_count; i++) {
		struct plan_endpoint from = { .node = node, .interface = i };
		uint32_t index = plan->interfaces[i].link;
		const struct plan_link *link = &s->plan->links[index];
		bool is_a = link->a.node == node && link->a.interface == i;

		if (is_off(s, from) || link_is_shut(s, index, is_a ? DIR_AB : DIR_BA))
			continue;
		if (link->b_kind == LINK_TO_SEGMENT)
			cross_segment(s, index, from);
		else
			visit(s, from, is_a ? link->b : link->a);
	}
}

/* The row of one node: level by level, who is reached only if less hinders. */
static void search_row(struct search *s, uint32_t from, uint8_t *row)
{
	for (s->level = REACH_YES; s->level > REACH_NONE; s->level--) {
		memset(s->reached, 0, s->plan->node_count);
		s->reached[from] = true;
		s->queue[0] = from;
		s->queued = 1;
		for (uint32_t next = 0; next < s->queued; next++)
			leave(s, s->queue[next]);
		for (size_t n = 0; n < s->plan->node_count; n++)
			if (s->reached[n] && row[n] == REACH_NONE)
				row[n] = (uint8_t)s->level;
	}
	row[from] = REACH_YES;
}

int reach_matrix(uint8_t **out, const struct plan *plan, const struct wire *wire,
		 uint64_t now_ns, struct why *why)
{
	size_t nodes = plan->node_count;
	struct search s = { .plan = plan,
			    .wire = wire,
			    .now_ns = now_ns,
			    .queue = calloc(nodes + 1, sizeof(uint32_t)),
			    .reached = calloc(nodes + 1, 1) };
	uint8_t *matrix = calloc(nodes * nodes + 1, 1);

	if (s.queue && s.reached && matrix)
		for (uint32_t from = 0; from < nodes; from++)
			search_row(&s, from, &matrix[from * nodes]);
	free(s.queue);
	free(s.reached);
	if (!s.queue || !s.reached || !matrix) {
		free(matrix);
		return why_set(why, -ENOMEM, "matrix: out of memory");
	}
	*out = matrix;
	return 0;
}

const char *reach_name(enum reach reach)
{
	static const char *const names[] = {
		[REACH_NONE] = "none", [REACH_OFF] = "off",   [REACH_DOWN] = "down",
		[REACH_CUT] = "cut",   [REACH_LOSS] = "loss", [REACH_FLAP] = "flap",
		[REACH_YES] = "yes",
	};

	ASSERT((unsigned)reach <= REACH_YES);
	return names[reach];
}
