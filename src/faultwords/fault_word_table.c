/* SPDX-License-Identifier: MIT */
/* What frames a rule is for, and what becomes of their number and bytes.  Lines and
 * delays: fault_word_line.c. */
#include "faultwords/fault_word_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "faultwords/fault_word_line.h"

#define APPLY(name)                                                                      \
	static int name(struct fault_rule *rule, const struct fault_context *context,    \
			const char *value, struct why *why)
#define SHOW(name)                                                                       \
	static bool name(const struct fault_rule *rule, char text[FAULT_WORD_BYTES_MAX])

/* A data object in the place of the one that was there. */
static void replace(struct fault_data **to, struct fault_data *data)
{
	fault_data_free(*to);
	*to = data;
}

/* ---- copies and bytes -------------------------------------------------- */

APPLY(apply_duplicate)
{
	(void)context;
	return word_chance(value, &rule->duplicate, why);
}

SHOW(show_duplicate)
{
	return word_show_chance(&rule->duplicate, text);
}

/* A number of at most `most`; "none" is 0. */
static int read_number(const char *value, uint64_t most, uint64_t *number,
		       struct why *why)
{
	*number = 0;
	return word_is_none(value) ? 0 : word_count(value, most, number, why);
}

static int read_number32(const char *value, uint32_t most, uint32_t *to, struct why *why)
{
	uint64_t number;
	int err = read_number(value, most, &number, why);

	if (!err)
		*to = (uint32_t)number;
	return err;
}

static bool show_number(uint64_t number, char *text)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "%" PRIu64, number);
	return number != 0;
}

APPLY(apply_duplicate_count)
{
	(void)context;
	return read_number32(value, FAULT_COPIES_MAX - 1, &rule->duplicate_count, why);
}

SHOW(show_duplicate_count)
{
	return show_number(rule->duplicate_count, text);
}

APPLY(apply_replay)
{
	struct word_parts parts = { 0 };
	uint32_t p_ppb = 0;
	uint64_t ns = 0;
	int err = word_is_none(value) ? 0 : word_split(&parts, value, why);

	(void)context;
	if (!err && !word_is_none(value)) {
		if (parts.count != 2)
			return why_set(why, -EINVAL,
				       "\"%.40s\": a share and how much later were "
				       "expected, such as \"1%% 5s\"",
				       value);
		err = word_share(parts.part[0], &p_ppb, why);
		if (!err)
			err = word_wait(parts.part[1], &ns, why);
	}
	if (err)
		return err;
	rule->replay_ppb = p_ppb;
	rule->replay_ns = ns;
	return 0;
}

SHOW(show_replay)
{
	char p[UNITS_TEXT_BYTES_MAX], later[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s %s",
		 units_format_ppb(p, rule->replay_ppb),
		 units_format_ns(later, rule->replay_ns));
	return rule->replay_ppb != 0;
}

APPLY(apply_corrupt)
{
	(void)context;
	return word_chance(value, &rule->corrupt, why);
}

SHOW(show_corrupt)
{
	return word_show_chance(&rule->corrupt, text);
}

APPLY(apply_corrupt_bits)
{
	(void)context;
	return read_number32(value, FAULT_FLIPS_MAX, &rule->corrupt_bits, why);
}

SHOW(show_corrupt_bits)
{
	return show_number(rule->corrupt_bits, text);
}

APPLY(apply_corrupt_at)
{
	struct fault_data *bits = NULL;
	int err = word_is_none(value) ? 0 : word_list(value, &bits, why);

	(void)context;
	if (!err)
		replace(&rule->corrupt_at, bits);
	return err;
}

SHOW(show_corrupt_at)
{
	if (rule->corrupt_at)
		snprintf(text, FAULT_WORD_BYTES_MAX, "%s", rule->corrupt_at->name);
	return rule->corrupt_at != NULL;
}

static const char *const corrupt_modes[] = {
	[CORRUPT_FLIP] = "flip",
	[CORRUPT_REPAIR] = "repair",
	[CORRUPT_FCS] = "fcs",
};

APPLY(apply_corrupt_mode)
{
	(void)context;
	if (word_is_none(value))
		value = corrupt_modes[CORRUPT_FLIP];
	for (size_t i = 0; i < ARRAY_SIZE(corrupt_modes); i++)
		if (!strcmp(value, corrupt_modes[i])) {
			rule->corrupt_mode = (enum fault_corrupt_mode)i;
			return 0;
		}
	return why_set(why, -EINVAL, "\"%.40s\": write flip, repair or fcs", value);
}

SHOW(show_corrupt_mode)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", corrupt_modes[rule->corrupt_mode]);
	return rule->corrupt_mode != CORRUPT_FLIP;
}

APPLY(apply_mtu)
{
	(void)context;
	return read_number32(value, 65535, &rule->mtu_bytes, why);
}

SHOW(show_mtu)
{
	return show_number(rule->mtu_bytes, text);
}

APPLY(apply_down)
{
	(void)context;
	return word_flag(value, &rule->down, why);
}

SHOW(show_down)
{
	return word_show_flag(rule->down, text);
}

APPLY(apply_flap)
{
	(void)context;
	return word_cycle(value, "up", "down", &rule->flap, why);
}

SHOW(show_flap)
{
	return word_show_cycle(&rule->flap, "up", "down", text);
}

APPLY(apply_carrier)
{
	(void)context;
	return word_flag(value, &rule->carrier, why);
}

SHOW(show_carrier)
{
	return word_show_flag(rule->carrier, text);
}

/* ---- match ------------------------------------------------------------- */

APPLY(apply_match)
{
	struct filter *filter = NULL;
	int err = word_is_none(value) ? 0 : filter_compile(&filter, value, why);

	(void)context;
	if (!err && strlen(value) >= FAULT_WORD_BYTES_MAX) {
		filter_free(filter);
		return why_set(why, -EINVAL, "longer than %d characters",
			       FAULT_WORD_BYTES_MAX - 1);
	}
	if (err)
		return err;
	filter_free(rule->filter);
	rule->filter = filter;
	return 0;
}

SHOW(show_match)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", filter_text(rule->filter));
	return rule->filter != NULL;
}

APPLY(apply_first)
{
	(void)context;
	return read_number(value, INT64_MAX, &rule->first, why);
}

SHOW(show_first)
{
	return show_number(rule->first, text);
}

APPLY(apply_after)
{
	(void)context;
	return read_number(value, INT64_MAX, &rule->after, why);
}

SHOW(show_after)
{
	return show_number(rule->after, text);
}

APPLY(apply_apply)
{
	uint32_t ppb = 0;
	int err = word_is_none(value) ? 0 : word_share(value, &ppb, why);

	(void)context;
	if (!err && !ppb && !word_is_none(value))
		err = why_set(why, -EINVAL, "0%%: then it is for no frame");
	if (!err)
		rule->apply_ppb = ppb;
	return err;
}

SHOW(show_apply)
{
	char p[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", units_format_ppb(p, rule->apply_ppb));
	return rule->apply_ppb != 0;
}

APPLY(apply_when)
{
	(void)context;
	return word_cycle(value, "on", "off", &rule->when, why);
}

SHOW(show_when)
{
	return word_show_cycle(&rule->when, "on", "off", text);
}

APPLY(apply_until)
{
	uint64_t ns = 0;
	int err = word_is_none(value) ? 0 : units_parse_ns(value, &ns, why);

	(void)context;
	if (!err) {
		rule->until_ns = ns < NS_END ? ns : NS_END;
		rule->brief = false;
	}
	return err;
}

APPLY(apply_for)
{
	uint64_t ns = 0;
	int err = word_is_none(value) ? 0 : units_parse_ns(value, &ns, why);

	if (!err && !ns && !word_is_none(value))
		err = why_set(why, -EINVAL, "\"%.40s\": it would be over at once", value);
	if (err)
		return err;
	rule->until_ns = ns ? fault_until_ns(context ? context->now_ns : 0, ns) : 0;
	rule->brief = ns != 0;
	return 0;
}

SHOW(show_until)
{
	char at[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", units_format_ns(at, rule->until_ns));
	return rule->until_ns != 0;
}

/* What is shown by another word. */
SHOW(show_nothing)
{
	(void)rule;
	(void)text;
	return false;
}

/* ---- the tables -------------------------------------------------------- */

#define F(member)                                                                        \
	{                                                                                \
		offsetof(struct fault_rule, member),                                     \
			sizeof(((struct fault_rule *)NULL)->member)                      \
	}

/* In the order in which they are shown, and applied where it matters. */
const struct fault_word fault_words[] = {
	{ "profile", WORD_TEXT, "lte", profile_apply, show_nothing, 1, { F(profile) } },
	{ "loss", WORD_TEXT, "1%", line_apply_loss, line_show_loss, 1,
	  { F(loss_model), F(loss), F(loss_p_ppb), F(loss_every), F(loss_list) } },
	{ "delay", WORD_TEXT, "50ms", line_apply_delay, line_show_delay, 3,
	  { F(delay_ns) } },
	{ "jitter", WORD_TEXT, "5ms", line_apply_jitter, line_show_jitter, 2,
	  { F(jitter_ns) } },
	{ "correlation", WORD_TEXT, "25%", line_apply_correlation, line_show_correlation, 1,
	  { F(jitter_rho_ppb) } },
	{ "distribution", WORD_TEXT, "normal", line_apply_distribution, line_show_distribution, 1,
	  { F(distribution), F(table) } },
	{ "order", WORD_TEXT, "keep", line_apply_order, line_show_order, 1,
	  { F(keep_order) } },
	{ "reorder", WORD_TEXT, "1%", line_apply_reorder, line_show_reorder, 1,
	  { F(reorder) } },
	{ "gap", WORD_COUNT, "5", line_apply_gap, line_show_gap, 1, { F(gap) } },
	{ "rate", WORD_TEXT, "10Mbit", line_apply_rate, line_show_rate, 1,
	  { F(rate_bps) } },
	{ "overhead", WORD_TEXT, "24B", line_apply_overhead, line_show_overhead, 1,
	  { F(overhead_bytes) } },
	{ "cell", WORD_TEXT, "48B 5B", line_apply_cell, line_show_cell, 1,
	  { F(cell_bytes), F(cell_overhead_bytes) } },
	{ "capacity", WORD_TEXT, "lte.trace", line_apply_capacity, line_show_capacity, 1,
	  { F(capacity) } },
	{ "limit", WORD_TEXT, "100frames", line_apply_limit, line_show_limit, 1,
	  { F(limit_frames), F(limit_bytes) } },
	{ "queue", WORD_TEXT, "codel", line_apply_queue, line_show_queue, 1,
	  { F(queue), F(red_min_bytes), F(red_max_bytes), F(red_ppb), F(codel_target_ns),
	    F(codel_interval_ns) } },
	{ "ecn", WORD_FLAG, "true", line_apply_ecn, line_show_ecn, 1, { F(ecn) } },
	{ "slot", WORD_TEXT, "1ms 5ms", line_apply_slot, line_show_slot, 1,
	  { F(slot_min_ns), F(slot_max_ns), F(slot_jitter_ns), F(slot_distribution),
	    F(slot_table), F(slot_frames), F(slot_bytes) } },
	{ "clog", WORD_TEXT, "open 5s closed 1s", line_apply_clog, line_show_clog, 1,
	  { F(clog) } },
	{ "hold", WORD_FLAG, "true", line_apply_hold, line_show_hold, 1, { F(hold) } },
	{ "duplicate", WORD_TEXT, "1%", apply_duplicate, show_duplicate, 1,
	  { F(duplicate) } },
	{ "duplicate-count", WORD_COUNT, "2", apply_duplicate_count, show_duplicate_count, 1,
	  { F(duplicate_count) } },
	{ "replay", WORD_TEXT, "1% 5s", apply_replay, show_replay, 1,
	  { F(replay_ppb), F(replay_ns) } },
	{ "corrupt", WORD_TEXT, "1%", apply_corrupt, show_corrupt, 1, { F(corrupt) } },
	{ "corrupt-bits", WORD_COUNT, "3", apply_corrupt_bits, show_corrupt_bits, 1,
	  { F(corrupt_bits) } },
	{ "corrupt-at", WORD_TEXT, "811", apply_corrupt_at, show_corrupt_at, 1,
	  { F(corrupt_at) } },
	{ "corrupt-mode", WORD_TEXT, "fcs", apply_corrupt_mode, show_corrupt_mode, 1,
	  { F(corrupt_mode) } },
	{ "mtu-drop", WORD_COUNT, "1400", apply_mtu, show_mtu, 1, { F(mtu_bytes) } },
	{ "states", WORD_TEXT, "good 10s, bad 1s", line_apply_states, line_show_states, 1,
	  { F(states) } },
	{ "flap", WORD_TEXT, "up 5s down 1s", apply_flap, show_flap, 1, { F(flap) } },
	{ "carrier", WORD_FLAG, "true", apply_carrier, show_carrier, 1, { F(carrier) } },
	{ "down", WORD_FLAG, "true", apply_down, show_down, 1, { F(down) } },
};
const size_t fault_word_count = ARRAY_SIZE(fault_words);

const struct fault_word fault_match_words[] = {
	{ "match", WORD_TEXT, "tcp port 2380", apply_match, show_match, 1,
	  { F(filter) } },
	{ "after", WORD_COUNT, "100", apply_after, show_after, 1, { F(after) } },
	{ "first", WORD_COUNT, "10", apply_first, show_first, 1, { F(first) } },
	{ "apply", WORD_TEXT, "50%", apply_apply, show_apply, 1, { F(apply_ppb) } },
	{ "when", WORD_TEXT, "on 5s off 1s", apply_when, show_when, 1, { F(when) } },
	{ "in", WORD_TEXT, "bad", line_apply_in, line_show_in, 1, { F(in) } },
	{ "until", WORD_TEXT, "90s", apply_until, show_until, 1,
	  { F(until_ns), F(brief) } },
	{ "for", WORD_TEXT, "30s", apply_for, show_nothing, 1,
	  { F(until_ns), F(brief) } },
};
const size_t fault_match_word_count = ARRAY_SIZE(fault_match_words);

#undef F

void fault_word_take(const struct fault_word *word, struct fault_rule *to,
		     const struct fault_rule *from)
{
	for (size_t i = 0; i < WORD_FIELDS_MAX && word->fields[i].bytes; i++)
		memcpy((char *)to + word->fields[i].at,
		       (const char *)from + word->fields[i].at, word->fields[i].bytes);
}

const struct fault_word *fault_word_find(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(fault_words); i++)
		if (!strcmp(fault_words[i].key, key))
			return &fault_words[i];
	for (size_t i = 0; i < ARRAY_SIZE(fault_match_words); i++)
		if (!strcmp(fault_match_words[i].key, key))
			return &fault_match_words[i];
	return NULL;
}
