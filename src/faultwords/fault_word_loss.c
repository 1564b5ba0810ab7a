/* SPDX-License-Identifier: MIT */
/* Which frames are lost: the word and its models. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "faultwords/fault_word_line.h"

#define APPLY(name)                                                                      \
	int line_apply_##name(struct fault_rule *rule,                                   \
			      const struct fault_context *context, const char *value,    \
			      struct why *why)
#define SHOW(name)                                                                       \
	bool line_show_##name(const struct fault_rule *rule,                             \
			      char text[FAULT_WORD_BYTES_MAX])

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
	if ((uint64_t)share * (length + 1) > FAULT_PPB_ALL * length)
		return too_much_for_bursts(share, length, why);
	/* Both are rounded. */
	loss->p_ppb[0] = begins < FAULT_PPB_ALL ? (uint32_t)begins : FAULT_PPB_ALL;
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
		return word_list(parts.part[1], &loss->list, why);
	}
	if (!strncmp(value, "random ", 7))
		value += 7;
	return word_chance(value, &loss->chance, why);
}

APPLY(loss)
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
	fault_data_free(rule->loss_list);
	rule->loss_list = loss.list;
	return 0;
}

SHOW(loss)
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
