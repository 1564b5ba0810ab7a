/* SPDX-License-Identifier: MIT */
/* What frames a rule is for, and what becomes of their number and bytes.  Lines and
 * delays: fault_word_line.c. */
#include "faultwords/fault_word_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
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

APPLY(apply_flap)
{
	(void)context;
	return word_cycle(value, "up", "down", &rule->flap, why);
}

SHOW(show_flap)
{
	return word_show_cycle(&rule->flap, "up", "down", text);
}

/* ---- match ------------------------------------------------------------- */

APPLY(apply_match)
{
	struct filter *filter = NULL;
	int err;

	(void)context;
	/* Before it is compiled, which takes long. */
	if (strlen(value) >= FAULT_WORD_BYTES_MAX)
		return why_set(why, -EINVAL, "longer than %d characters",
			       FAULT_WORD_BYTES_MAX - 1);
	err = word_is_none(value) ? 0 : filter_compile(&filter, value, why);
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

/* ---- forms ------------------------------------------------------------- */

static const struct word_form forms[] = {
	{ "profile", profile_apply, show_nothing },
	{ "loss", line_apply_loss, line_show_loss },
	{ "delay", line_apply_delay, line_show_delay },
	{ "jitter", line_apply_jitter, line_show_jitter },
	{ "correlation", line_apply_correlation, line_show_correlation },
	{ "distribution", line_apply_distribution, line_show_distribution },
	{ "order", line_apply_order, line_show_order },
	{ "reorder", line_apply_reorder, line_show_reorder },
	{ "rate", line_apply_rate, line_show_rate },
	{ "overhead", line_apply_overhead, line_show_overhead },
	{ "cell", line_apply_cell, line_show_cell },
	{ "capacity", line_apply_capacity, line_show_capacity },
	{ "limit", line_apply_limit, line_show_limit },
	{ "queue", line_apply_queue, line_show_queue },
	{ "slot", line_apply_slot, line_show_slot },
	{ "clog", line_apply_clog, line_show_clog },
	{ "duplicate", apply_duplicate, show_duplicate },
	{ "replay", apply_replay, show_replay },
	{ "corrupt", apply_corrupt, show_corrupt },
	{ "corrupt-at", apply_corrupt_at, show_corrupt_at },
	{ "corrupt-mode", apply_corrupt_mode, show_corrupt_mode },
	{ "states", line_apply_states, line_show_states },
	{ "flap", apply_flap, show_flap },
	{ "match", apply_match, show_match },
	{ "apply", apply_apply, show_apply },
	{ "when", apply_when, show_when },
	{ "in", line_apply_in, line_show_in },
	{ "until", apply_until, show_until },
	{ "for", apply_for, show_nothing },
};

/* NULL: the type says it all. */
static const struct word_form *form_of(const struct fault_word *word)
{
	for (size_t i = 0; word->type == WORD_TEXT && i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].key, word->key))
			return &forms[i];
	ASSERT(word->type != WORD_TEXT);
	return NULL;
}

static int set_count(const struct fault_word *word, void *at, const char *value,
		     struct why *why)
{
	uint64_t number = 0;
	uint32_t small;
	int err = word_is_none(value) ? 0 : word_count(value, word->most, &number, why);

	small = (uint32_t)number;
	if (!err)
		memcpy(at, word->fields[0].bytes == sizeof(small) ? (void *)&small : &number,
		       word->fields[0].bytes);
	return err;
}

int fault_word_set(const struct fault_word *word, struct fault_rule *rule,
		   const struct fault_context *context, const char *value,
		   struct why *why)
{
	const struct word_form *form = form_of(word);
	void *at = (char *)rule + word->fields[0].at;

	if (form)
		return form->apply(rule, context, value, why);
	return word->type == WORD_FLAG ? word_flag(value, at, why)
				       : set_count(word, at, value, why);
}

bool fault_word_show(const struct fault_word *word, const struct fault_rule *rule,
		     char text[FAULT_WORD_BYTES_MAX])
{
	const struct word_form *form = form_of(word);
	const char *at = (const char *)rule + word->fields[0].at;
	uint64_t number = 0;
	uint32_t small;

	if (form)
		return form->show(rule, text);
	if (word->type == WORD_FLAG)
		return word_show_flag(*(const bool *)at, text);
	if (word->fields[0].bytes == sizeof(small)) {
		memcpy(&small, at, sizeof(small));
		number = small;
	} else {
		memcpy(&number, at, sizeof(number));
	}
	snprintf(text, FAULT_WORD_BYTES_MAX, "%" PRIu64, number);
	return number != 0;
}
