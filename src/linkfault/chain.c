/* SPDX-License-Identifier: MIT */
#include "linkfault/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/draw.h"
#include "base/units.h"
#include "linkfault/quantile.h"
#include "linkfault/rule.h"

struct fault_chain *fault_chain_create(void)
{
	struct fault_chain *chain = calloc(1, sizeof(*chain));

	if (chain)
		chain->refs = 1;
	return chain;
}

struct fault_chain *fault_chain_ref(struct fault_chain *chain)
{
	if (chain)
		chain->refs++;
	return chain;
}

void fault_chain_free(struct fault_chain *chain)
{
	if (!chain)
		return;
	ASSERT(chain->refs > 0);
	if (--chain->refs == 0)
		free(chain);
}

int fault_chain_find(const struct fault_chain *chain, const char *name)
{
	for (uint32_t i = 0; i < chain->count; i++)
		if (!strcmp(chain->node[i].name, name))
			return (int)i;
	return -1;
}

bool fault_chain_same(const struct fault_chain *a, const struct fault_chain *b)
{
	if (!a || !b)
		return a == b;
	/* What is not used is zero in both. */
	return a->count == b->count && !memcmp(a->node, b->node, sizeof(a->node));
}

static int check_node(const struct fault_chain *chain, uint32_t i, struct why *why)
{
	const struct fault_chain_node *node = &chain->node[i];
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX], c[UNITS_TEXT_BYTES_MAX];
	uint64_t sum = 0;

	if (node->mean_ns < FAULT_CYCLE_NS_MIN || node->mean_ns > FAULT_CYCLE_NS_MAX)
		return why_set(why, -EINVAL, "states: %s: %s is not between %s and %s",
			       node->name, units_format_ns(a, node->mean_ns),
			       units_format_ns(b, FAULT_CYCLE_NS_MIN),
			       units_format_ns(c, FAULT_CYCLE_NS_MAX));
	if (node->to_ppb[i])
		return why_set(why, -EINVAL,
			       "states: %s follows itself: give it a longer time instead",
			       node->name);
	for (uint32_t j = 0; j < chain->count; j++)
		sum += node->to_ppb[j];
	if (sum != FAULT_PPB_ALL)
		return why_set(why, -EINVAL,
			       "states: what follows %s has %s in all, not 100%%",
			       node->name, units_format_ppb(a, sum));
	if (fault_chain_find(chain, node->name) != (int)i)
		return why_set(why, -EINVAL, "states: there are two of the name %s",
			       node->name);
	return 0;
}

int fault_chain_check(const struct fault_chain *chain, struct why *why)
{
	int err = 0;

	if (chain->count < 2)
		return why_set(why, -EINVAL, "states: at least two");
	for (uint32_t i = 0; !err && i < chain->count; i++)
		err = check_node(chain, i, why);
	return err;
}

/* u: uniform below FAULT_PPB_ALL. */
static uint8_t next(const struct fault_chain *chain, uint8_t at, uint64_t u)
{
	const struct fault_chain_node *node = &chain->node[at];
	uint8_t to = 0;

	for (; to + 1U < chain->count && u >= node->to_ppb[to]; to++)
		u -= node->to_ppb[to];
	return to;
}

unsigned fault_chain_at(const struct fault_chain *chain, struct fault_chain_state *state,
			uint64_t key, uint64_t now_ns, uint64_t *change_ns)
{
	if (!state->begun) {
		state->begun = true;
		state->end_ns = quantile_exponential_ns(
			chain->node[0].mean_ns, draw_bits(key, 0, LANE_STATE_TIME));
	}
	while (state->end_ns <= now_ns) {
		state->n++;
		state->at =
			next(chain, state->at,
			     draw_below(key, state->n, LANE_STATE_NEXT, FAULT_PPB_ALL));
		state->end_ns += quantile_exponential_ns(
			chain->node[state->at].mean_ns,
			draw_bits(key, state->n, LANE_STATE_TIME));
	}
	*change_ns = state->end_ns;
	return state->at;
}
