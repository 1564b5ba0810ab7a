/* SPDX-License-Identifier: MIT */
#include "linkfault/fault_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/draw.h"

static bool same_chance(struct fault_chance a, struct fault_chance b)
{
	return a.p_ppb == b.p_ppb && a.rho_ppb == b.rho_ppb;
}

static bool same_cycle(const struct fault_cycle *a, const struct fault_cycle *b)
{
	return a->on_ns == b->on_ns && a->off_ns == b->off_ns &&
	       a->phase_ns == b->phase_ns && a->random == b->random;
}

static bool same_match(const struct fault_rule *a, const struct fault_rule *b)
{
	return !strcmp(filter_text(a->filter), filter_text(b->filter)) &&
	       a->after == b->after && a->first == b->first;
}

static bool same_loss(const struct fault_rule *a, const struct fault_rule *b)
{
	return a->loss_model == b->loss_model && same_chance(a->loss, b->loss) &&
	       !memcmp(a->loss_p_ppb, b->loss_p_ppb, sizeof(a->loss_p_ppb)) &&
	       a->loss_every == b->loss_every &&
	       fault_data_same(a->loss_list, b->loss_list);
}

static bool same_jitter(const struct fault_rule *a, const struct fault_rule *b)
{
	return a->jitter_ns == b->jitter_ns && a->jitter_rho_ppb == b->jitter_rho_ppb &&
	       a->distribution == b->distribution && fault_data_same(a->table, b->table);
}

static bool same_queue(const struct fault_rule *a, const struct fault_rule *b)
{
	return a->queue == b->queue && a->red_min_bytes == b->red_min_bytes &&
	       a->red_max_bytes == b->red_max_bytes && a->red_ppb == b->red_ppb &&
	       a->codel_target_ns == b->codel_target_ns &&
	       a->codel_interval_ns == b->codel_interval_ns;
}

static bool same_slot(const struct fault_rule *a, const struct fault_rule *b)
{
	return a->slot_min_ns == b->slot_min_ns && a->slot_max_ns == b->slot_max_ns &&
	       a->slot_jitter_ns == b->slot_jitter_ns &&
	       a->slot_distribution == b->slot_distribution &&
	       fault_data_same(a->slot_table, b->slot_table) &&
	       a->slot_frames == b->slot_frames && a->slot_bytes == b->slot_bytes;
}

/* Of the line itself: what waits there goes on waiting, by what is asked for now. */
static void renew_line(struct fault_line *line, const struct fault_rule *now,
		       const struct fault_rule *before)
{
	if (!same_queue(now, before)) {
		line->average = line->idle_ns = 0;
		line->since_drop = 0;
		line->dropping = false;
		line->drops = line->drops_before = 0;
		line->above_ns = line->drop_next_ns = 0;
	}
	if (!same_slot(now, before)) {
		line->slot_ns = line->slot_next_ns = line->slot_no = 0;
		line->slot_frames = line->slot_bytes = 0;
	}
	if (now->rate_bps != before->rate_bps)
		line->rate_bps = 0;
	if (!fault_data_same(now->capacity, before->capacity)) {
		line->opportunity = line->left_ns = 0;
		line->left_bytes = 0;
		line->restart = line->by_trace;
	}
}

/* What belongs to a word that has changed begins anew, as if the word had been there
 * from now on; everything else goes on. */
static void renew(struct fault_rule_state *s, const struct fault_rule *now,
		  const struct fault_rule *before)
{
	if (!same_match(now, before))
		s->seen = s->loss_from = s->trace_from = 0;
	if (!same_loss(now, before)) {
		s->chain = 0;
		s->loss = (struct fault_last){ 0 };
		s->loss_from = s->seen;
	}
	if (!same_cycle(&now->when, &before->when))
		s->when = (struct fault_cycle_state){ 0 };
	if (!same_cycle(&now->flap, &before->flap))
		s->flap = (struct fault_cycle_state){ 0 };
	if (!same_cycle(&now->clog, &before->clog))
		s->clog = (struct fault_cycle_state){ 0 };
	if (!fault_chain_same(now->states, before->states))
		s->states = (struct fault_chain_state){ 0 };
	if (!same_jitter(now, before)) {
		s->jitter = (struct fault_last){ 0 };
		s->trace_from = s->seen;
	}
	if (!same_chance(now->duplicate, before->duplicate))
		s->duplicate = (struct fault_last){ 0 };
	if (!same_chance(now->corrupt, before->corrupt))
		s->corrupt = (struct fault_last){ 0 };
	if (!same_chance(now->reorder, before->reorder) || now->gap != before->gap) {
		s->reorder = (struct fault_last){ 0 };
		s->since_reorder = 0;
	}
	renew_line(&s->line, now, before);
}

static void carry_over(struct fault_rule_state *to, const struct fault_rule *now,
		       const struct fault_rule_state *from,
		       const struct fault_rule *before)
{
	uint64_t key = to->key;

	*to = *from;
	to->key = key;
	renew(to, now, before);
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
