/* SPDX-License-Identifier: MIT */
#include "faultwords/fault_word_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"

#define APPLY(name)                                                                      \
	int line_apply_##name(struct fault_rule *rule,                                   \
			      const struct fault_context *context, const char *value,    \
			      struct why *why)
#define SHOW(name)                                                                       \
	bool line_show_##name(const struct fault_rule *rule,                             \
			      char text[FAULT_WORD_BYTES_MAX])

#define RED_BYTES_MAX (UINT64_C(1) << 32)

static bool show_ns(uint64_t ns, char *text)
{
	char one[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", units_format_ns(one, ns));
	return ns != 0;
}

/* ---- delay ------------------------------------------------------------- */

/* netem's TIME [JITTER [CORRELATION]]. */
APPLY(delay)
{
	struct fault_rule now = *rule;
	struct word_parts parts;
	int err;

	(void)context;
	if (word_is_none(value)) {
		rule->delay_ns = 0;
		return 0;
	}
	err = word_split(&parts, value, why);
	if (!err && parts.count > 3)
		err = why_set(why, -EINVAL,
			      "\"%.40s\": a delay, perhaps its jitter, perhaps their "
			      "correlation were expected, such as \"50ms 5ms 25%%\"",
			      value);
	if (!err)
		err = word_wait(parts.count ? parts.part[0] : "", &now.delay_ns, why);
	if (!err && parts.count > 1)
		err = word_wait(parts.part[1], &now.jitter_ns, why);
	if (!err && parts.count > 2)
		err = word_share(parts.part[2], &now.jitter_rho_ppb, why);
	if (!err)
		*rule = now;
	return err;
}

SHOW(delay)
{
	return show_ns(rule->delay_ns, text);
}

APPLY(jitter)
{
	struct fault_rule now = *rule;
	struct word_parts parts;
	int err;

	(void)context;
	if (word_is_none(value)) {
		rule->jitter_ns = 0;
		return 0;
	}
	err = word_split(&parts, value, why);
	if (!err)
		err = word_wait(parts.count ? parts.part[0] : "", &now.jitter_ns, why);
	if (!err && parts.count > 1)
		err = parts.count == 2
			      ? word_share(parts.part[1], &now.jitter_rho_ppb, why)
			      : why_set(why, -EINVAL, "\"%.40s\": too many words", value);
	if (!err)
		*rule = now;
	return err;
}

SHOW(jitter)
{
	return show_ns(rule->jitter_ns, text);
}

APPLY(correlation)
{
	(void)context;
	if (word_is_none(value)) {
		rule->jitter_rho_ppb = 0;
		return 0;
	}
	return word_share(value, &rule->jitter_rho_ppb, why);
}

SHOW(correlation)
{
	char rho[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s",
		 units_format_ppb(rho, rule->jitter_rho_ppb));
	return rule->jitter_rho_ppb != 0;
}

const char *const line_distributions[LINE_DISTRIBUTIONS] = {
	[DIST_UNIFORM] = "uniform",	    [DIST_NORMAL] = "normal",
	[DIST_PARETO] = "pareto",	    [DIST_PARETONORMAL] = "paretonormal",
	[DIST_EXPONENTIAL] = "exponential", [DIST_TABLE] = "table",
	[DIST_SAMPLES] = "samples",	    [DIST_TRACE] = "trace",
};

int line_distribution(const char *name)
{
	for (int i = 0; i < LINE_DISTRIBUTIONS; i++)
		if (!strcmp(name, line_distributions[i]))
			return i;
	return -1;
}

static int load_distribution(const struct fault_context *context, int which,
			     const char *file, struct fault_data **data, struct why *why)
{
	enum fault_data_kind kind = which == DIST_TABLE	    ? DATA_TABLE
				    : which == DIST_SAMPLES ? DATA_SAMPLES
							    : DATA_TRACE;

	return word_file(context, kind, file, data, why);
}

APPLY(distribution)
{
	struct fault_data *data = NULL;
	struct word_parts parts;
	int which = 0, err = word_split(&parts, value, why);

	if (err)
		return err;
	if (!word_is_none(value))
		which = line_distribution(parts.count ? parts.part[0] : "");
	if (which < 0 || parts.count != (which >= DIST_TABLE ? 2 : 1))
		return why_set(
			why, -EINVAL,
			"\"%.40s\": write uniform, normal, pareto, paretonormal, "
			"exponential, or table, samples or trace and a file's name",
			value);
	if (which >= DIST_TABLE)
		err = load_distribution(context, which, parts.part[1], &data, why);
	if (err)
		return err;
	fault_data_free(rule->table);
	rule->table = data;
	rule->distribution = (enum fault_distribution)which;
	return 0;
}

SHOW(distribution)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "%s%s%s",
		 line_distributions[rule->distribution], rule->table ? " " : "",
		 rule->table ? rule->table->name : "");
	return rule->distribution != DIST_UNIFORM;
}

APPLY(order)
{
	bool keep = !strcmp(value, "keep");

	(void)context;
	if (!keep && strcmp(value, "free") != 0 && !word_is_none(value))
		return why_set(why, -EINVAL, "\"%.40s\": write keep or free", value);
	rule->keep_order = keep;
	return 0;
}

SHOW(order)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "keep");
	return rule->keep_order;
}

APPLY(reorder)
{
	(void)context;
	return word_chance(value, &rule->reorder, why);
}

SHOW(reorder)
{
	return word_show_chance(&rule->reorder, text);
}

/* ---- rate -------------------------------------------------------------- */

APPLY(rate)
{
	char least[UNITS_TEXT_BYTES_MAX], most[UNITS_TEXT_BYTES_MAX];
	uint64_t bps;
	int err;

	(void)context;
	if (word_is_none(value)) {
		rule->rate_bps = 0;
		return 0;
	}
	err = units_parse_bps(value, &bps, why);
	if (err)
		return err;
	if (bps < FAULT_RATE_BPS_MIN || bps > FAULT_RATE_BPS_MAX)
		return why_set(why, -ERANGE,
			       "\"%.40s\" is not between %s and %s; to lift the limit "
			       "write \"none\", to stop everything write down",
			       value, units_format_bps(least, FAULT_RATE_BPS_MIN),
			       units_format_bps(most, FAULT_RATE_BPS_MAX));
	rule->rate_bps = bps;
	return 0;
}

SHOW(rate)
{
	char one[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", units_format_bps(one, rule->rate_bps));
	return rule->rate_bps != 0;
}

/* A size that may be negative: "-4B". */
static int read_overhead(const char *text, int32_t *bytes, struct why *why)
{
	bool negative = *text == '-';
	uint64_t size;
	int err = units_parse_size(text + negative, &size, why);

	if (!err && size > FAULT_CELL_BYTES_MAX)
		err = why_set(why, -ERANGE, "\"%.40s\" is more than %dB", text,
			      FAULT_CELL_BYTES_MAX);
	if (!err)
		*bytes = negative ? -(int32_t)size : (int32_t)size;
	return err;
}

static const char *overhead_text(char text[UNITS_TEXT_BYTES_MAX], int32_t bytes)
{
	snprintf(text, UNITS_TEXT_BYTES_MAX, "%dB", bytes);
	return text;
}

APPLY(overhead)
{
	(void)context;
	if (word_is_none(value)) {
		rule->overhead_bytes = 0;
		return 0;
	}
	return read_overhead(value, &rule->overhead_bytes, why);
}

SHOW(overhead)
{
	overhead_text(text, rule->overhead_bytes);
	return rule->overhead_bytes != 0;
}

/* netem's CELLSIZE [CELLOVERHEAD]. */
APPLY(cell)
{
	struct word_parts parts = { 0 };
	int32_t size = 0, overhead = 0;
	int err = word_is_none(value) ? 0 : word_split(&parts, value, why);

	(void)context;
	if (!err && parts.count)
		err = read_overhead(parts.part[0], &size, why);
	if (!err && parts.count > 1)
		err = read_overhead(parts.part[1], &overhead, why);
	if (!err && ((!word_is_none(value) && size < 1) || parts.count > 2))
		err = why_set(why, -EINVAL,
			      "\"%.40s\": the bytes that a cell carries, and perhaps its "
			      "own, were expected, such as \"48B 5B\"",
			      value);
	if (err)
		return err;
	rule->cell_bytes = (uint32_t)size;
	rule->cell_overhead_bytes = overhead;
	return 0;
}

SHOW(cell)
{
	char own[UNITS_TEXT_BYTES_MAX];

	snprintf(text, FAULT_WORD_BYTES_MAX, "%uB %s", rule->cell_bytes,
		 overhead_text(own, rule->cell_overhead_bytes));
	return rule->cell_bytes != 0;
}

APPLY(capacity)
{
	struct fault_data *data = NULL;
	int err = word_is_none(value)
			  ? 0
			  : word_file(context, DATA_CAPACITY, value, &data, why);

	if (err)
		return err;
	fault_data_free(rule->capacity);
	rule->capacity = data;
	return 0;
}

SHOW(capacity)
{
	if (rule->capacity)
		snprintf(text, FAULT_WORD_BYTES_MAX, "%s", rule->capacity->name);
	return rule->capacity != NULL;
}

/* ---- queue ------------------------------------------------------------- */

int word_limit_part(const char *part, uint32_t *frames, uint32_t *bytes, struct why *why)
{
	size_t size = strlen(part), word = strlen("frames");
	uint32_t *to = bytes;
	uint64_t value;
	char digits[24];
	int err;

	if (size > word && size - word < sizeof(digits) &&
	    !strcmp(part + size - word, "frames")) {
		memcpy(digits, part, size - word);
		digits[size - word] = 0;
		if (size > word + 1 && digits[size - word - 1] == ' ')
			digits[size - word - 1] = 0;
		err = units_parse_count(digits, &value, NULL);
		to = frames;
	} else {
		err = units_parse_size(part, &value, NULL);
	}
	if (err == -EINVAL)
		return why_set(why, err,
			       "\"%.40s\" is not a queue limit: write a number and "
			       "\"frames\" or one of B kB MB KiB MiB, such as "
			       "\"100frames\", \"150kB\" or both with a comma between",
			       part);
	if (err || !value || value > UINT32_MAX)
		return why_set(why, -ERANGE, "\"%.40s\" is not between 1 and %u", part,
			       UINT32_MAX);
	if (*to)
		return why_set(why, -EINVAL, "\"%.40s\": this limit is given twice",
			       part);
	*to = (uint32_t)value;
	return 0;
}

APPLY(limit)
{
	uint32_t frames = 0, bytes = 0;
	char part[64];
	int err;

	(void)context;
	for (const char *at = word_is_none(value) ? NULL : value; at;) {
		size_t size = strcspn(at, ",");

		if (size >= sizeof(part))
			return why_set(why, -EINVAL, "\"%.40s...\" is not a queue limit",
				       at);
		memcpy(part, at, size);
		part[size] = 0;
		err = word_limit_part(part, &frames, &bytes, why);
		if (err)
			return err;
		at = at[size] ? at + size + 1 : NULL;
	}
	rule->limit_frames = frames;
	rule->limit_bytes = bytes;
	return 0;
}

bool word_show_limit(uint32_t frames, uint32_t bytes, const char *between, char *text,
		     size_t room)
{
	char size[UNITS_TEXT_BYTES_MAX] = "", count[24] = "";

	if (bytes)
		units_format_size(size, bytes);
	if (frames)
		snprintf(count, sizeof(count), "%uframes", frames);
	snprintf(text, room, "%s%s%s", count, *size && *count ? between : "", size);
	return frames || bytes;
}

SHOW(limit)
{
	return word_show_limit(rule->limit_frames, rule->limit_bytes, ",", text,
			       FAULT_WORD_BYTES_MAX);
}

/* "red MIN MAX SHARE" */
static int read_red(struct fault_rule *now, const struct word_parts *parts,
		    struct why *why)
{
	int err = 0;

	if (parts->count != 4)
		return why_set(why, -EINVAL,
			       "red: minimum, maximum and the probability there were "
			       "expected, such as \"red 30kB 90kB 2%%\"");
	now->queue = QUEUE_RED;
	err = units_parse_size(parts->part[1], &now->red_min_bytes, why);
	if (!err)
		err = units_parse_size(parts->part[2], &now->red_max_bytes, why);
	if (!err && now->red_max_bytes > RED_BYTES_MAX)
		err = why_set(why, -ERANGE, "\"%.40s\" is more than 4GiB",
			      parts->part[2]);
	if (!err)
		err = word_share(parts->part[3], &now->red_ppb, why);
	return err;
}

/* "codel [TARGET [INTERVAL]]", RFC 8289's values if not given. */
static int read_codel(struct fault_rule *now, const struct word_parts *parts,
		      struct why *why)
{
	int err = 0;

	if (parts->count > 3)
		return why_set(why, -EINVAL,
			       "codel: at most a target and an interval were expected, "
			       "such as \"codel 5ms 100ms\"");
	now->queue = QUEUE_CODEL;
	now->codel_target_ns = UINT64_C(5000000);
	now->codel_interval_ns = UINT64_C(100000000);
	if (parts->count > 1)
		err = word_wait(parts->part[1], &now->codel_target_ns, why);
	if (!err && parts->count > 2)
		err = word_wait(parts->part[2], &now->codel_interval_ns, why);
	return err;
}

APPLY(queue)
{
	struct fault_rule now = *rule;
	struct word_parts parts;
	int err = word_split(&parts, value, why);
	const char *name = parts.count ? parts.part[0] : "";

	(void)context;
	if (err)
		return err;
	now.red_min_bytes = now.red_max_bytes = 0;
	now.red_ppb = 0;
	now.codel_target_ns = now.codel_interval_ns = 0;
	if (!strcmp(value, "tail") || word_is_none(value))
		now.queue = QUEUE_TAIL;
	else if (!strcmp(value, "random"))
		now.queue = QUEUE_RANDOM;
	else if (!strcmp(name, "red"))
		err = read_red(&now, &parts, why);
	else if (!strcmp(name, "codel"))
		err = read_codel(&now, &parts, why);
	else
		err = why_set(why, -EINVAL, "\"%.40s\": write tail, random, red or codel",
			      value);
	if (!err)
		*rule = now;
	return err;
}

SHOW(queue)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX], p[UNITS_TEXT_BYTES_MAX];

	switch (rule->queue) {
	case QUEUE_TAIL:
		return false;
	case QUEUE_RANDOM:
		snprintf(text, FAULT_WORD_BYTES_MAX, "random");
		return true;
	case QUEUE_RED:
		snprintf(text, FAULT_WORD_BYTES_MAX, "red %s %s %s",
			 units_format_size(a, rule->red_min_bytes),
			 units_format_size(b, rule->red_max_bytes),
			 units_format_ppb(p, rule->red_ppb));
		return true;
	case QUEUE_CODEL:
		snprintf(text, FAULT_WORD_BYTES_MAX, "codel %s %s",
			 units_format_ns(a, rule->codel_target_ns),
			 units_format_ns(b, rule->codel_interval_ns));
		return true;
	}
	return false;
}
