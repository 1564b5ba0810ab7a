/* SPDX-License-Identifier: MIT */
#include "linkfault/fault_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "linkfault/word.h"

/* What belongs to a word that has changed begins anew, as if the word had been there
 * from now on; everything else goes on. */
static void renew(struct fault_rule_state *s, const struct fault_rule *now,
		  const struct fault_rule *before)
{
	const struct fault_word *word;

	/* The match's words come first: what is counted from the frames seen is so from
	 * those of this match. */
	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
		if (!fault_word_same(word, now, before))
			fault_word_forget(word, s);
	if (!s->seen)
		for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
			fault_word_recount(word, s);
	/* What waits in the line goes on waiting, by what is asked for now. */
	if (!fault_data_same(now->capacity, before->capacity))
		s->line.restart = s->line.by_trace;
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
