/* SPDX-License-Identifier: MIT */
/* The words of what opens, closes and changes with time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "topology/fault_word_line.h"

#define APPLY(name)                                                                      \
	int line_apply_##name(struct fault_rule *rule,                                   \
			      const struct fault_context *context, const char *value,    \
			      struct why *why)
#define SHOW(name)                                                                       \
	bool line_show_##name(const struct fault_rule *rule,                             \
			      char text[FAULT_WORD_BYTES_MAX])

/* ---- gates ------------------------------------------------------------- */

/* "MIN [MAX] [4frames] [6kB]" */
APPLY(slot)
{
	uint64_t least = 0, most = 0;
	uint32_t frames = 0, bytes = 0;
	struct word_parts parts = { 0 };
	size_t i = 1;
	int err = word_is_none(value) ? 0 : word_split(&parts, value, why);

	(void)context;
	if (!err && !word_is_none(value))
		err = word_wait(parts.count ? parts.part[0] : "", &least, why);
	most = least;
	if (!err && parts.count > 1 && units_parse_ns(parts.part[1], &most, NULL) == 0) {
		err = word_wait(parts.part[1], &most, why);
		i++;
	}
	for (; !err && i < parts.count; i++)
		err = word_limit_part(parts.part[i], &frames, &bytes, why);
	if (!err && !most && !word_is_none(value))
		err = why_set(why, -EINVAL, "\"%.40s\": the time is 0", value);
	if (err)
		return err;
	rule->slot_min_ns = least;
	rule->slot_max_ns = most;
	rule->slot_frames = frames;
	rule->slot_bytes = bytes;
	return 0;
}

SHOW(slot)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX], limit[64];
	bool limited = word_show_limit(rule->slot_frames, rule->slot_bytes, " ", limit,
				       sizeof(limit));

	snprintf(text, FAULT_WORD_BYTES_MAX, "%s %s%s%s",
		 units_format_ns(a, rule->slot_min_ns),
		 units_format_ns(b, rule->slot_max_ns), limited ? " " : "", limit);
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

APPLY(hold)
{
	(void)context;
	return word_flag(value, &rule->hold, why);
}

SHOW(hold)
{
	return word_show_flag(rule->hold, text);
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
