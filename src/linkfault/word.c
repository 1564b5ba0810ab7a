/* SPDX-License-Identifier: MIT */
#include "linkfault/word.h"

#include <string.h>

#define MEMBER(type, member) offsetof(type, member), sizeof(((type *)NULL)->member)

#define F(member)	  { MEMBER(struct fault_rule, member), FIELD_PLAIN }
#define DATA(member)	  { MEMBER(struct fault_rule, member), FIELD_DATA }
#define CHAIN(member)	  { MEMBER(struct fault_rule, member), FIELD_CHAIN }
#define FILTER(member)	  { MEMBER(struct fault_rule, member), FIELD_FILTER }
#define CHANCE(member)	  F(member.p_ppb), F(member.rho_ppb)
#define CYCLE(member)                                                                    \
	F(member.on_ns), F(member.off_ns), F(member.phase_ns), F(member.random)
#define ZERO(member)	  { MEMBER(struct fault_rule_state, member), false }
#define FROM_SEEN(member) { MEMBER(struct fault_rule_state, member), true }

/* clang-format off */
const struct fault_word fault_words[] = {
	{ "profile", WORD_TEXT, "lte", "profile", .parts_max = 1,
	  .fields = { F(profile) } },
	{ "loss", WORD_TEXT, "1%", "loss", .parts_max = 1, .acts = 2, .loses = true,
	  .by_number = true,
	  .fields = { F(loss.p_ppb), F(loss_model), F(loss.rho_ppb), F(loss_p_ppb),
		      F(loss_every), DATA(loss_list) },
	  .memory = { ZERO(chain), ZERO(loss), FROM_SEEN(loss_from) } },
	{ "drop-first", WORD_COUNT, "3", "count", .most = INT64_MAX, .parts_max = 1, .acts = 1,
	  .loses = true, .by_number = true,
	  .fields = { F(drop_first) },
	  .memory = { FROM_SEEN(drop_from) } },
	{ "delay", WORD_TEXT, "50ms", "delay", .parts_max = 3, .acts = 1,
	  .by_number = true,
	  .fields = { F(delay_ns) } },
	{ "jitter", WORD_TEXT, "5ms", "jitter", .parts_max = 2, .acts = 1,
	  .by_number = true,
	  .fields = { F(jitter_ns) },
	  .memory = { ZERO(jitter), FROM_SEEN(trace_from) } },
	{ "correlation", WORD_TEXT, "25%", "share", .parts_max = 1,
	  .by_number = true,
	  .fields = { F(jitter_rho_ppb) },
	  .memory = { ZERO(jitter), FROM_SEEN(trace_from) } },
	/* That of samples and traces is a delay of its own: fault_rule_is_idle(). */
	{ "distribution", WORD_TEXT, "normal", "distribution", .parts_max = 1,
	  .by_number = true,
	  .fields = { F(distribution), DATA(table) },
	  .memory = { ZERO(jitter), FROM_SEEN(trace_from) } },
	{ "order", WORD_TEXT, "keep", "order", .parts_max = 1,
	  .by_number = true,
	  .fields = { F(keep_order) } },
	{ "reorder", WORD_TEXT, "1%", "chance", .parts_max = 1,
	  .by_number = true,
	  .fields = { CHANCE(reorder) },
	  .memory = { ZERO(reorder), ZERO(since_reorder) } },
	{ "gap", WORD_COUNT, "5", "count", .most = 1000000, .parts_max = 1,
	  .by_number = true,
	  .fields = { F(gap) },
	  .memory = { ZERO(reorder), ZERO(since_reorder) } },
	{ "rate", WORD_TEXT, "10Mbit", "rate", .parts_max = 1, .acts = 1,
	  .fields = { F(rate_bps) },
	  .memory = { ZERO(line.rate_bps) } },
	{ "overhead", WORD_TEXT, "24B", "overhead", .parts_max = 1,
	  .fields = { F(overhead_bytes) } },
	{ "cell", WORD_TEXT, "48B 5B", "cell", .parts_max = 1,
	  .fields = { F(cell_bytes), F(cell_overhead_bytes) } },
	{ "capacity", WORD_TEXT, "lte.trace", "capacity", .parts_max = 1, .acts = 1,
	  .fields = { DATA(capacity) },
	  .memory = { ZERO(line.opportunity), ZERO(line.left_ns), ZERO(line.left_bytes) } },
	{ "limit", WORD_TEXT, "100frames", "limit", .parts_max = 1,
	  .fields = { F(limit_frames), F(limit_bytes) } },
	{ "queue", WORD_TEXT, "codel", "queue", .parts_max = 1,
	  .fields = { F(queue), F(red_min_bytes), F(red_max_bytes), F(red_ppb),
		      F(codel_target_ns), F(codel_interval_ns) },
	  .memory = { ZERO(line.average), ZERO(line.idle_ns), ZERO(line.since_drop),
		      ZERO(line.dropping), ZERO(line.drops), ZERO(line.drops_before),
		      ZERO(line.above_ns), ZERO(line.drop_next_ns) } },
	{ "ecn", WORD_FLAG, "true", "flag", .parts_max = 1,
	  .fields = { F(ecn) } },
	{ "slot", WORD_TEXT, "1ms 5ms", "slot", .parts_max = 1, .acts = 1,
	  .fields = { F(slot_max_ns), F(slot_min_ns), F(slot_jitter_ns),
		      F(slot_distribution), DATA(slot_table), F(slot_frames),
		      F(slot_bytes) },
	  .memory = { ZERO(line.slot_ns), ZERO(line.slot_next_ns), ZERO(line.slot_no),
		      ZERO(line.slot_frames), ZERO(line.slot_bytes) } },
	{ "clog", WORD_TEXT, "open 5s closed 1s", "clog", .parts_max = 1, .acts = 1,
	  .fields = { CYCLE(clog) },
	  .memory = { ZERO(clog) } },
	{ "hold", WORD_FLAG, "true", "flag", .parts_max = 1, .acts = 1,
	  .fields = { F(hold) } },
	{ "duplicate", WORD_TEXT, "1%", "chance", .parts_max = 1, .acts = 1,
	  .by_number = true,
	  .fields = { CHANCE(duplicate) },
	  .memory = { ZERO(duplicate) } },
	{ "duplicate-count", WORD_COUNT, "2", "count", .most = FAULT_COPIES_MAX - 1,
	  .parts_max = 1,
	  .by_number = true,
	  .fields = { F(duplicate_count) } },
	{ "replay", WORD_TEXT, "1% 5s", "replay", .parts_max = 1, .acts = 1,
	  .by_number = true,
	  .fields = { F(replay_ppb), F(replay_ns) } },
	{ "corrupt", WORD_TEXT, "1%", "chance", .parts_max = 1, .acts = 1,
	  .fields = { CHANCE(corrupt) },
	  .memory = { ZERO(corrupt) } },
	{ "corrupt-bits", WORD_COUNT, "3", "count", .most = FAULT_FLIPS_MAX,
	  .parts_max = 1,
	  .fields = { F(corrupt_bits) } },
	{ "corrupt-at", WORD_TEXT, "811", "bits", .parts_max = 1,
	  .fields = { DATA(corrupt_at) } },
	{ "corrupt-mode", WORD_TEXT, "fcs", "corrupt-mode", .parts_max = 1,
	  .fields = { F(corrupt_mode) } },
	{ "mtu-drop", WORD_COUNT, "1400", "count", .most = 65535, .parts_max = 1, .acts = 1,
	  .fields = { F(mtu_bytes) } },
	{ "states", WORD_TEXT, "good 10s, bad 1s", "states", .parts_max = 1,
	  .fields = { CHAIN(states) },
	  .memory = { ZERO(states) } },
	{ "flap", WORD_TEXT, "up 5s down 1s", "flap", .parts_max = 1, .acts = 1,
	  .fields = { CYCLE(flap) },
	  .memory = { ZERO(flap) } },
	{ "carrier", WORD_FLAG, "true", "carrier", .parts_max = 1,
	  .fields = { F(carrier) } },
	{ "down", WORD_FLAG, "true", "down", .parts_max = 1, .acts = 1,
	  .fields = { F(down) } },
};
const size_t fault_word_count = sizeof(fault_words) / sizeof(*fault_words);

const struct fault_word fault_match_words[] = {
	{ "match", WORD_TEXT, "tcp port 2380", "match", .parts_max = 1,
	  .fields = { FILTER(filter) },
	  .memory = { ZERO(seen) } },
	{ "after", WORD_COUNT, "100", "count", .most = INT64_MAX, .parts_max = 1,
	  .fields = { F(after) },
	  .memory = { ZERO(seen) } },
	{ "first", WORD_COUNT, "10", "count", .most = INT64_MAX, .parts_max = 1,
	  .fields = { F(first) },
	  .memory = { ZERO(seen) } },
	{ "apply", WORD_TEXT, "50%", "share", .parts_max = 1,
	  .fields = { F(apply_ppb) } },
	{ "when", WORD_TEXT, "on 5s off 1s", "cycle", .parts_max = 1,
	  .fields = { CYCLE(when) },
	  .memory = { ZERO(when) } },
	{ "in", WORD_TEXT, "bad", "in", .parts_max = 1,
	  .fields = { F(in) } },
	{ "until", WORD_TEXT, "90s", "duration", .parts_max = 1,
	  .fields = { F(until_ns), F(brief) } },
	{ "for", WORD_TEXT, "30s", "duration", .parts_max = 1,
	  .fields = { F(until_ns), F(brief) } },
};
const size_t fault_match_word_count =
	sizeof(fault_match_words) / sizeof(*fault_match_words);
/* clang-format on */

const struct fault_word *fault_word_at(size_t n)
{
	if (n < fault_match_word_count)
		return &fault_match_words[n];
	n -= fault_match_word_count;
	return n < fault_word_count ? &fault_words[n] : NULL;
}

const struct fault_word *fault_word_find(const char *key)
{
	const struct fault_word *word;

	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
		if (!strcmp(word->key, key))
			return word;
	return NULL;
}

static bool same_field(const struct word_field *field, const void *a, const void *b)
{
	switch (field->kind) {
	case FIELD_DATA:
		return fault_data_same(*(struct fault_data *const *)a,
				       *(struct fault_data *const *)b);
	case FIELD_CHAIN:
		return fault_chain_same(*(struct fault_chain *const *)a,
					*(struct fault_chain *const *)b);
	case FIELD_FILTER:
		return !strcmp(filter_text(*(struct filter *const *)a),
			       filter_text(*(struct filter *const *)b));
	case FIELD_PLAIN:
		break;
	}
	return !memcmp(a, b, field->bytes);
}

bool fault_word_same(const struct fault_word *word, const struct fault_rule *a,
		     const struct fault_rule *b)
{
	for (size_t i = 0; i < WORD_FIELDS_MAX && word->fields[i].bytes; i++)
		if (!same_field(&word->fields[i], (const char *)a + word->fields[i].at,
				(const char *)b + word->fields[i].at))
			return false;
	return true;
}

bool fault_word_acts(const struct fault_word *word, const struct fault_rule *rule)
{
	static const struct fault_rule none;

	for (size_t i = 0; i < word->acts; i++)
		if (memcmp((const char *)rule + word->fields[i].at,
			   (const char *)&none + word->fields[i].at,
			   word->fields[i].bytes) != 0)
			return true;
	return false;
}

void fault_word_forget(const struct fault_word *word, struct fault_rule_state *state)
{
	for (size_t i = 0; i < WORD_MEMORIES_MAX && word->memory[i].bytes; i++) {
		char *at = (char *)state + word->memory[i].at;

		if (word->memory[i].from_seen)
			*(uint64_t *)(void *)at = state->seen;
		else
			memset(at, 0, word->memory[i].bytes);
	}
}

void fault_word_recount(const struct fault_word *word, struct fault_rule_state *state)
{
	for (size_t i = 0; i < WORD_MEMORIES_MAX && word->memory[i].bytes; i++)
		if (word->memory[i].from_seen)
			*(uint64_t *)(void *)((char *)state + word->memory[i].at) =
				state->seen;
}

void fault_word_take(const struct fault_word *word, struct fault_rule *to,
		     const struct fault_rule *from)
{
	for (size_t i = 0; i < WORD_FIELDS_MAX && word->fields[i].bytes; i++)
		memcpy((char *)to + word->fields[i].at,
		       (const char *)from + word->fields[i].at, word->fields[i].bytes);
}
