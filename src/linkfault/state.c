/* SPDX-License-Identifier: MIT */
#include "linkfault/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/draw.h"

static bool same_loss(const struct fault_rule *a, const struct fault_rule *b)
{
	return a->loss_model == b->loss_model &&
	       !memcmp(a->loss_p_ppb, b->loss_p_ppb, sizeof(a->loss_p_ppb));
}

static void carry_over(struct fault_rule_state *to, const struct fault_rule *now,
		       const struct fault_rule_state *from,
		       const struct fault_rule *before)
{
	uint64_t key = to->key;

	*to = *from;
	to->key = key;
	if (!same_loss(now, before)) {
		to->chain = 0;
		to->loss = (struct fault_last){ 0 };
	}
	if (now->filter != before->filter || now->after != before->after ||
	    now->first != before->first)
		to->seen = 0;
	if (memcmp(&now->when, &before->when, sizeof(now->when)) != 0)
		to->when = (struct fault_cycle_state){ 0 };
	if (memcmp(&now->flap, &before->flap, sizeof(now->flap)) != 0)
		to->flap = (struct fault_cycle_state){ 0 };
	if (memcmp(&now->clog, &before->clog, sizeof(now->clog)) != 0)
		to->clog = (struct fault_cycle_state){ 0 };
	if (!fault_chain_same(now->states, before->states))
		to->states = (struct fault_chain_state){ 0 };
	if (now->jitter_ns != before->jitter_ns ||
	    now->distribution != before->distribution)
		to->jitter = (struct fault_last){ 0 };
	if (now->rate_bps != before->rate_bps)
		to->line.rate_bps = 0;
}

struct fault_state *fault_state_create(const struct fault_spec *spec, uint64_t key,
				       const struct fault_spec *before_spec,
				       const struct fault_state *before)
{
	struct fault_state *state =
		calloc(1, sizeof(*state) + spec->count * sizeof(*state->rule));

	if (!state)
		return NULL;
	state->count = spec->count;
	for (uint32_t i = 0; i < spec->count; i++) {
		const struct fault_rule *rule = &spec->rule[i];

		state->rule[i].key = i ? draw_key(key, rule->name) : key;
		for (uint32_t j = 0; before && j < before->count; j++)
			if (!strcmp(before_spec->rule[j].name, rule->name))
				carry_over(&state->rule[i], rule, &before->rule[j],
					   &before_spec->rule[j]);
		state->rule[i].name_number = rule->name_number;
	}
	return state;
}

void fault_state_free(struct fault_state *state)
{
	free(state);
}
