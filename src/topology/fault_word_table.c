/* SPDX-License-Identifier: MIT */
/* What frames a rule is for, and what becomes of their number and bytes.  Lines and
 * delays: fault_word_line.c. */
#include "topology/fault_word_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "topology/fault_word_line.h"

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

/* A list is shown as it was written, so it has to fit. */
static int read_list(const char *text, struct fault_data **list, struct why *why)
{
	if (strlen(text) + sizeof("list ") > FAULT_WORD_BYTES_MAX)
		return why_set(why, -EINVAL, "a list of more than %zu characters",
			       FAULT_WORD_BYTES_MAX - sizeof("list "));
	return fault_data_parse(list, DATA_NUMBERS, text, text, why);
}

/* ---- loss -------------------------------------------------------------- */

struct loss {
	enum fault_loss_model model;
	struct fault_chance chance;
	uint32_t p_ppb[5];
	uint64_t every;
	struct fault_data *list;
};

static int read_shares(struct loss *loss, const struct word_parts *parts, size_t most,
		       struct why *why)
{
	int err = 0;

	if (parts->count < 2 || parts->count > most + 1)
		return why_set(why, -EINVAL, "%s: between 1 and %zu shares were expected",
			       parts->part[0], most);
	for (size_t i = 1; !err && i < parts->count; i++)
		err = word_share(parts->part[i], &loss->p_ppb[i - 1], why);
	return err;
}

/* p [r [1-h [1-k]]], with netem's defaults. */
static int read_gemodel(struct loss *loss, const struct word_parts *parts,
			struct why *why)
{
	int err = read_shares(loss, parts, 4, why);

	loss->model = LOSS_GEMODEL;
	if (parts->count < 3)
		loss->p_ppb[1] = FAULT_PPB_ALL - loss->p_ppb[0];
	if (parts->count < 4)
		loss->p_ppb[2] = FAULT_PPB_ALL;
	return err;
}

/* p13 [p31 [p32 [p23 [p14]]]], with netem's defaults. */
static int read_state(struct loss *loss, const struct word_parts *parts, struct why *why)
{
	int err = read_shares(loss, parts, 5, why);

	loss->model = LOSS_STATE;
	if (parts->count < 3)
		loss->p_ppb[1] = FAULT_PPB_ALL - loss->p_ppb[0];
	if (parts->count < 5)
		loss->p_ppb[3] = FAULT_PPB_ALL;
	return err;
}

/* Between two bursts there is a frame at least that arrives: of bursts of B frames the
 * share is B / (B + 1) at most. */
static int too_much_for_bursts(uint32_t share, uint64_t length, struct why *why)
{
	char part[UNITS_TEXT_BYTES_MAX], most[UNITS_TEXT_BYTES_MAX];
	uint32_t rest = FAULT_PPB_ALL - share;

	return why_set(why, -EINVAL,
		       "burst: between two bursts a frame arrives, so bursts of %" PRIu64
		       " lose at most %s of the frames; for %s write at least \"burst %s "
		       "%" PRIu64 "\"",
		       length,
		       units_format_ppb(most, length * FAULT_PPB_ALL / (length + 1) /
						      100000 * 100000),
		       units_format_ppb(part, share), part,
		       ((uint64_t)share + rest - 1) / rest);
}

/* The share lost, and the mean length of a burst: r = 1 / B, p = L r / (1 - L). */
static int read_burst(struct loss *loss, const struct word_parts *parts, struct why *why)
{
	uint64_t length = 0, begins;
	uint32_t share = 0;
	int err = -EINVAL;

	if (parts->count == 3) {
		err = word_share(parts->part[1], &share, why);
		if (!err)
			err = word_count(parts->part[2], 1000000, &length, why);
	} else {
		why_set(why, err,
			"burst: the share that is lost and the mean number of frames in "
			"a burst were expected, such as \"burst 1%% 5\"");
	}
	if (err)
		return err;
	if (!length || share >= FAULT_PPB_ALL)
		return why_set(why, -EINVAL,
			       "burst: at least 1 frame, and less than 100%% in all");
	loss->model = LOSS_GEMODEL;
	loss->p_ppb[1] = (uint32_t)((FAULT_PPB_ALL + length / 2) / length);
	begins = ((uint64_t)share * loss->p_ppb[1] + (FAULT_PPB_ALL - share) / 2) /
		 (FAULT_PPB_ALL - share);
	if (begins > FAULT_PPB_ALL)
		return too_much_for_bursts(share, length, why);
	loss->p_ppb[0] = (uint32_t)begins;
	loss->p_ppb[2] = FAULT_PPB_ALL;
	return 0;
}

static int read_loss(struct loss *loss, const char *value, struct why *why)
{
	struct word_parts parts;
	int err = word_split(&parts, value, why);
	const char *model = parts.count ? parts.part[0] : "";

	if (err)
		return err;
	if (!strcmp(model, "gemodel"))
		return read_gemodel(loss, &parts, why);
	if (!strcmp(model, "state"))
		return read_state(loss, &parts, why);
	if (!strcmp(model, "burst"))
		return read_burst(loss, &parts, why);
	if (!strcmp(model, "every") && parts.count == 2) {
		loss->model = LOSS_EVERY;
		err = word_count(parts.part[1], INT64_MAX, &loss->every, why);
		return !err && !loss->every ? why_set(why, -EINVAL, "every 0: none is")
					    : err;
	}
	if (!strcmp(model, "list") && parts.count == 2) {
		loss->model = LOSS_LISTED;
		return read_list(parts.part[1], &loss->list, why);
	}
	if (!strncmp(value, "random ", 7))
		value += 7;
	return word_chance(value, &loss->chance, why);
}

APPLY(apply_loss)
{
	struct loss loss = { 0 };
	int err = word_is_none(value) ? 0 : read_loss(&loss, value, why);

	(void)context;
	if (err)
		return err;
	rule->loss_model = loss.model;
	rule->loss = loss.chance;
	memcpy(rule->loss_p_ppb, loss.p_ppb, sizeof(loss.p_ppb));
	rule->loss_every = loss.every;
	replace(&rule->loss_list, loss.list);
	return 0;
}

SHOW(show_loss)
{
	unsigned count = rule->loss_model == LOSS_STATE ? 5 : 4;
	int used;

	switch (rule->loss_model) {
	case LOSS_RANDOM:
		return word_show_chance(&rule->loss, text);
	case LOSS_EVERY:
		snprintf(text, FAULT_WORD_BYTES_MAX, "every %" PRIu64, rule->loss_every);
		return true;
	case LOSS_LISTED:
		snprintf(text, FAULT_WORD_BYTES_MAX, "list %s", rule->loss_list->name);
		return true;
	case LOSS_GEMODEL:
	case LOSS_STATE:
		break;
	}
	used = snprintf(text, FAULT_WORD_BYTES_MAX, "%s",
			rule->loss_model == LOSS_STATE ? "state" : "gemodel");
	for (unsigned i = 0; i < count; i++) {
		char p[UNITS_TEXT_BYTES_MAX];

		used += snprintf(text + used, FAULT_WORD_BYTES_MAX - (size_t)used, " %s",
				 units_format_ppb(p, rule->loss_p_ppb[i]));
	}
	return true;
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
	int err = word_is_none(value) ? 0 : read_list(value, &bits, why);

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
	if (!err)
		rule->until_ns = ns;
	return err;
}

APPLY(apply_for)
{
	uint64_t ns = 0;
	int err = word_is_none(value) ? 0 : units_parse_ns(value, &ns, why);

	if (!err && !ns && !word_is_none(value))
		err = why_set(why, -EINVAL, "\"%.40s\": it would be over at once", value);
	if (!err)
		rule->until_ns =
			ns ? fault_until_ns(context ? context->now_ns : 0, ns) : 0;
	return err;
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

/* In the order in which they are shown, and applied where it matters. */
const struct fault_word fault_words[] = {
	{ "profile", WORD_TEXT, "lte", profile_apply, show_nothing },
	{ "loss", WORD_TEXT, "1%", apply_loss, show_loss },
	{ "delay", WORD_TEXT, "50ms", line_apply_delay, line_show_delay },
	{ "jitter", WORD_TEXT, "5ms", line_apply_jitter, line_show_jitter },
	{ "correlation", WORD_TEXT, "25%", line_apply_correlation,
	  line_show_correlation },
	{ "distribution", WORD_TEXT, "normal", line_apply_distribution,
	  line_show_distribution },
	{ "order", WORD_TEXT, "keep", line_apply_order, line_show_order },
	{ "reorder", WORD_TEXT, "1%", line_apply_reorder, line_show_reorder },
	{ "gap", WORD_COUNT, "5", line_apply_gap, line_show_gap },
	{ "rate", WORD_TEXT, "10Mbit", line_apply_rate, line_show_rate },
	{ "overhead", WORD_TEXT, "24B", line_apply_overhead, line_show_overhead },
	{ "cell", WORD_TEXT, "48B 5B", line_apply_cell, line_show_cell },
	{ "capacity", WORD_TEXT, "lte.trace", line_apply_capacity, line_show_capacity },
	{ "limit", WORD_TEXT, "100frames", line_apply_limit, line_show_limit },
	{ "queue", WORD_TEXT, "codel", line_apply_queue, line_show_queue },
	{ "ecn", WORD_FLAG, "true", line_apply_ecn, line_show_ecn },
	{ "slot", WORD_TEXT, "1ms 5ms", line_apply_slot, line_show_slot },
	{ "clog", WORD_TEXT, "open 5s closed 1s", line_apply_clog, line_show_clog },
	{ "hold", WORD_FLAG, "true", line_apply_hold, line_show_hold },
	{ "duplicate", WORD_TEXT, "1%", apply_duplicate, show_duplicate },
	{ "duplicate-count", WORD_COUNT, "2", apply_duplicate_count,
	  show_duplicate_count },
	{ "replay", WORD_TEXT, "1% 5s", apply_replay, show_replay },
	{ "corrupt", WORD_TEXT, "1%", apply_corrupt, show_corrupt },
	{ "corrupt-bits", WORD_COUNT, "3", apply_corrupt_bits, show_corrupt_bits },
	{ "corrupt-at", WORD_TEXT, "811", apply_corrupt_at, show_corrupt_at },
	{ "corrupt-mode", WORD_TEXT, "fcs", apply_corrupt_mode, show_corrupt_mode },
	{ "mtu-drop", WORD_COUNT, "1400", apply_mtu, show_mtu },
	{ "states", WORD_TEXT, "good 10s, bad 1s", line_apply_states, line_show_states },
	{ "flap", WORD_TEXT, "up 5s down 1s", apply_flap, show_flap },
	{ "carrier", WORD_FLAG, "true", apply_carrier, show_carrier },
	{ "down", WORD_FLAG, "true", apply_down, show_down },
};
const size_t fault_word_count = ARRAY_SIZE(fault_words);

const struct fault_word fault_match_words[] = {
	{ "match", WORD_TEXT, "tcp port 2380", apply_match, show_match },
	{ "after", WORD_COUNT, "100", apply_after, show_after },
	{ "first", WORD_COUNT, "10", apply_first, show_first },
	{ "apply", WORD_TEXT, "50%", apply_apply, show_apply },
	{ "when", WORD_TEXT, "on 5s off 1s", apply_when, show_when },
	{ "in", WORD_TEXT, "bad", line_apply_in, line_show_in },
	{ "until", WORD_TEXT, "90s", apply_until, show_until },
	{ "for", WORD_TEXT, "30s", apply_for, show_nothing },
};
const size_t fault_match_word_count = ARRAY_SIZE(fault_match_words);

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
