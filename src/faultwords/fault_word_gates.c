/* SPDX-License-Identifier: MIT */
/* The words of what opens, closes and changes with time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "faultwords/fault_word_line.h"

#define APPLY(name)                                                                      \
	int line_apply_##name(struct fault_rule *rule,                                   \
			      const struct fault_context *context, const char *value,    \
			      struct why *why)
#define SHOW(name)                                                                       \
	bool line_show_##name(const struct fault_rule *rule,                             \
			      char text[FAULT_WORD_BYTES_MAX])

/* ---- gates ------------------------------------------------------------- */

struct slot {
	uint64_t min_ns, max_ns, jitter_ns;
	enum fault_distribution distribution;
	struct fault_data *table;
	uint32_t frames, bytes;
};

/* "MIN [MAX]".  *used: how many parts that took. */
static int read_slot_range(struct slot *slot, const struct word_parts *parts,
			   size_t *used, struct why *why)
{
	int err = word_wait(parts->count ? parts->part[0] : "", &slot->min_ns, why);

	slot->max_ns = slot->min_ns;
	*used = 1;
	if (!err && parts->count > 1 &&
	    units_parse_ns(parts->part[1], &slot->max_ns, NULL) == 0) {
		err = word_wait(parts->part[1], &slot->max_ns, why);
		++*used;
	}
	return err;
}

/* netem's "NAME TIME JITTER", or "table FILE TIME JITTER". */
static int read_slot_drawn(struct slot *slot, const struct fault_context *context,
			   const struct word_parts *parts, size_t *used, struct why *why)
{
	size_t at = slot->distribution == DIST_TABLE ? 2 : 1;
	uint64_t ns = 0;
	int err = 0;

	*used = at + 2;
	if (parts->count < *used || slot->distribution >= DIST_SAMPLES)
		return why_set(why, -EINVAL,
			       "\"%.40s\": uniform, normal, pareto, paretonormal, "
			       "exponential or table and a file's name, then a time and "
			       "its jitter were expected, such as \"normal 5ms 1ms\"",
			       parts->part[0]);
	err = word_wait(parts->part[at], &ns, why);
	if (!err)
		err = word_wait(parts->part[at + 1], &slot->jitter_ns, why);
	if (!err && (!slot->jitter_ns || slot->jitter_ns > ns))
		err = why_set(why, -EINVAL,
			      "\"%.40s\": a jitter between 0 and the time was expected",
			      parts->part[at + 1]);
	if (!err && slot->distribution == DIST_TABLE)
		err = word_file(context, DATA_TABLE, parts->part[1], &slot->table, why);
	slot->min_ns = slot->max_ns = ns;
	if (!err && slot->distribution == DIST_UNIFORM) {
		slot->min_ns -= slot->jitter_ns;
		slot->max_ns += slot->jitter_ns;
		slot->jitter_ns = 0;
	}
	return err;
}

static int read_slot(struct slot *slot, const struct fault_context *context,
		     const char *value, struct why *why)
{
	struct word_parts parts;
	int which, err = word_split(&parts, value, why);
	size_t used = 0;

	if (err)
		return err;
	which = line_distribution(parts.count ? parts.part[0] : "");
	if (which < 0) {
		err = read_slot_range(slot, &parts, &used, why);
	} else {
		slot->distribution = (enum fault_distribution)which;
		err = read_slot_drawn(slot, context, &parts, &used, why);
	}
	for (size_t i = used; !err && i < parts.count; i++)
		err = word_limit_part(parts.part[i], &slot->frames, &slot->bytes, why);
	if (!err && !slot->max_ns)
		err = why_set(why, -EINVAL, "\"%.40s\": the time is 0", value);
	return err;
}

/* "MIN [MAX] [4frames] [6kB]", "normal 5ms 1ms [4frames] [6kB]" */
APPLY(slot)
{
	struct slot slot = { 0 };
	int err = word_is_none(value) ? 0 : read_slot(&slot, context, value, why);

	if (err) {
		fault_data_free(slot.table);
		return err;
	}
	fault_data_free(rule->slot_table);
	rule->slot_min_ns = slot.min_ns;
	rule->slot_max_ns = slot.max_ns;
	rule->slot_jitter_ns = slot.jitter_ns;
	rule->slot_distribution = slot.distribution;
	rule->slot_table = slot.table;
	rule->slot_frames = slot.frames;
	rule->slot_bytes = slot.bytes;
	return 0;
}

SHOW(slot)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX], limit[64];
	const struct fault_data *table = rule->slot_table;
	bool limited = word_show_limit(rule->slot_frames, rule->slot_bytes, " ", limit,
				       sizeof(limit));
	bool drawn = rule->slot_jitter_ns != 0;

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s%s%s%s%s %s%s%s",
		 drawn ? line_distributions[rule->slot_distribution] : "",
		 table ? " " : "", table ? table->name : "", drawn ? " " : "",
		 units_format_ns(a, rule->slot_min_ns),
		 units_format_ns(b, drawn ? rule->slot_jitter_ns : rule->slot_max_ns),
		 limited ? " " : "", limit);
	return rule->slot_max_ns != 0;
}

APPLY(clog)
{
	(void)context;
	return word_cycle(value, "open", "closed", &rule->clog, why);
}

SHOW(clog)
{
	return word_show_cycle(&rule->clog, "open", "closed", text);
}

/* ---- states ------------------------------------------------------------ */

enum { SHARE_OF_ONE = 2, SHARES = 3 }; /* parts of "good 10s fair", "good 10s fair 70%" */

static bool is_state_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t bytes = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_");

	return *name && strchr(letters, *name) && !name[bytes] &&
	       bytes < FAULT_STATE_NAME_BYTES && strcmp(name, "none") != 0;
}

/* "good 10s", "good 10s fair" or "good 10s fair 70% bad 30%": the name and the time, the
 * others are for read_next(). */
static int read_state(struct fault_chain_node *node, const struct word_parts *p,
		      const char *text, struct why *why)
{
	if (p->count < 2 || (p->count > SHARES && p->count % 2))
		return why_set(why, -EINVAL,
			       "\"%.40s\": a state's name, its mean time, and perhaps "
			       "what follows were expected, such as \"good 10s\" or "
			       "\"good 10s fair 70%% bad 30%%\"",
			       text + strspn(text, " "));
	if (!is_state_name(p->part[0]))
		return why_set(why, -EINVAL,
			       "\"%.40s\": a state's name has 1 to %d letters, digits, - "
			       "and _, and begins with a letter",
			       p->part[0], FAULT_STATE_NAME_BYTES - 1);
	snprintf(node->name, sizeof(node->name), "%.*s", FAULT_STATE_NAME_BYTES - 1,
		 p->part[0]);
	return units_parse_ns(p->part[1], &node->mean_ns, why);
}

/* What follows state i, once all names are known. */
static int read_next(struct fault_chain *chain, uint32_t i, const struct word_parts *p,
		     struct why *why)
{
	int err = 0;

	if (p->count == SHARE_OF_ONE)
		chain->node[i].to_ppb[(i + 1) % chain->count] = FAULT_PPB_ALL;
	for (size_t k = 2; !err && k < p->count; k += 2) {
		int to = fault_chain_find(chain, p->part[k]);
		uint32_t ppb = FAULT_PPB_ALL;

		if (to < 0)
			return why_set(why, -EINVAL,
				       "\"%.40s\" follows %s, but there is no such state",
				       p->part[k], chain->node[i].name);
		if (p->count > SHARES)
			err = word_share(p->part[k + 1], &ppb, why);
		if (!err && chain->node[i].to_ppb[to])
			err = why_set(why, -EINVAL, "\"%.40s\" follows %s twice",
				      p->part[k], chain->node[i].name);
		chain->node[i].to_ppb[to] = ppb;
	}
	return err;
}

static int read_states(struct fault_chain *chain, const char *value, struct why *why)
{
	struct word_parts parts;
	char part[FAULT_WORD_BYTES_MAX];
	int err = 0;

	/* Twice: names first, for what follows may come later. */
	for (unsigned pass = 0; !err && pass < 2; pass++) {
		const char *at = value;
		uint32_t i = 0;

		for (; !err && at; i++) {
			size_t bytes = strcspn(at, ",");

			if (bytes >= sizeof(part))
				return why_set(why, -EINVAL, "\"%.40s...\" is too long",
					       at);
			if (i == FAULT_STATES_MAX)
				return why_set(why, -EINVAL, "at most %d states",
					       FAULT_STATES_MAX);
			memcpy(part, at, bytes);
			part[bytes] = '\0';
			err = word_split(&parts, part, why);
			if (!err)
				err = pass ? read_next(chain, i, &parts, why)
					   : read_state(&chain->node[i], &parts, part,
							why);
			at = at[bytes] ? at + bytes + 1 : NULL;
		}
		chain->count = i;
	}
	return err;
}

/* How it is written; more than room: it did not fit. */
static size_t write_states(const struct fault_chain *chain, char *text, size_t room)
{
	char one[UNITS_TEXT_BYTES_MAX];
	size_t used = 0;

#define PUT(...)                                                                         \
	(used += (size_t)snprintf(text + (used < room ? used : room - 1),                \
				  room - (used < room ? used : room - 1), __VA_ARGS__))
	for (uint32_t i = 0; i < chain->count; i++) {
		const struct fault_chain_node *node = &chain->node[i];

		PUT("%s%s %s", i ? ", " : "", node->name,
		    units_format_ns(one, node->mean_ns));
		if (node->to_ppb[(i + 1) % chain->count] == FAULT_PPB_ALL)
			continue;
		for (uint32_t j = 0; j < chain->count; j++)
			if (node->to_ppb[j] == FAULT_PPB_ALL)
				PUT(" %s", chain->node[j].name);
			else if (node->to_ppb[j])
				PUT(" %s %s", chain->node[j].name,
				    units_format_ppb(one, node->to_ppb[j]));
	}
#undef PUT
	return used;
}

APPLY(states)
{
	struct fault_chain *chain = NULL;
	char text[FAULT_WORD_BYTES_MAX];
	int err = 0;

	(void)context;
	if (!word_is_none(value)) {
		chain = fault_chain_create();
		err = chain ? read_states(chain, value, why)
			    : why_set(why, -ENOMEM, "out of memory");
	}
	if (!err && chain && write_states(chain, text, sizeof(text)) >= sizeof(text))
		err = why_set(why, -EINVAL,
			      "longer than %d characters: give the states shorter names",
			      FAULT_WORD_BYTES_MAX - 1);
	if (err) {
		fault_chain_free(chain);
		return err;
	}
	fault_chain_free(rule->states);
	rule->states = chain;
	return 0;
}

SHOW(states)
{
	if (rule->states)
		write_states(rule->states, text, FAULT_WORD_BYTES_MAX);
	return rule->states != NULL;
}

APPLY(in)
{
	(void)context;
	if (!word_is_none(value) && !is_state_name(value))
		return why_set(why, -EINVAL,
			       "\"%.40s\": the name of one of the link's states was "
			       "expected",
			       value);
	snprintf(rule->in, sizeof(rule->in), "%.*s", FAULT_NAME_BYTES - 1,
		 word_is_none(value) ? "" : value);
	return 0;
}

SHOW(in)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "%s", rule->in);
	return *rule->in != '\0';
}
