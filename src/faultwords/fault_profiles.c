/* SPDX-License-Identifier: MIT */
/* Named sets of words.  docs/faults.md says where the values come from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "faultwords/fault_profiles.h"
#include "faultwords/fault_word_table.h"
#include "base/suggestion.h"

struct word {
	const char *key, *value;
};

enum { PROFILE_WORDS_MAX = 8 };

/* One direction each: "-up" is the way from the subscriber. */
static const struct profile {
	const char *name;
	struct word words[PROFILE_WORDS_MAX];
} profiles[] = {
	{ "lan", { { "delay", "100us" }, { "rate", "1Gbit" } } },
	{ "dsl",
	  { { "delay", "25ms" }, { "rate", "1.5Mbit" }, { "limit", "100frames" } } },
	{ "dsl-up",
	  { { "delay", "25ms" }, { "rate", "384kbit" }, { "limit", "50frames" } } },
	{ "lte",
	  { { "delay", "35ms" },
	    { "jitter", "7ms" },
	    { "distribution", "normal" },
	    { "order", "keep" },
	    { "rate", "12Mbit" } } },
	{ "satellite",
	  { { "delay", "270ms" }, { "rate", "25Mbit" }, { "loss", "0.1%" } } },
	{ "satellite-up",
	  { { "delay", "270ms" }, { "rate", "3Mbit" }, { "loss", "0.1%" } } },
	{ "wifi-bad",
	  { { "loss", "burst 3% 4" },
	    { "delay", "8ms" },
	    { "jitter", "6ms" },
	    { "distribution", "pareto" },
	    { "order", "keep" },
	    { "rate", "6Mbit" },
	    { "limit", "200frames" } } },
	{ "wan-transatlantic",
	  { { "delay", "36ms" }, { "jitter", "200us" }, { "order", "keep" } } },
};

const char *const fault_profile_names[] = { "lan",	 "dsl",
					    "dsl-up",	 "lte",
					    "satellite", "satellite-up",
					    "wifi-bad",	 "wan-transatlantic",
					    NULL };
_Static_assert(ARRAY_SIZE(fault_profile_names) == ARRAY_SIZE(profiles) + 1,
	       "a name for each");

/* The rule with none of its own words left; what it matches stays. */
static void reset(struct fault_rule *rule)
{
	for (size_t i = 0; i < fault_word_count; i++)
		if (strcmp(fault_words[i].key, "profile") != 0)
			fault_word_set(&fault_words[i], rule, NULL, "none", NULL);
	*rule->profile = '\0';
}

static int apply_builtin(struct fault_rule *rule, const struct profile *profile,
			 struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < PROFILE_WORDS_MAX && profile->words[i].key; i++)
		err = fault_word_apply(rule, NULL, profile->words[i].key,
				       profile->words[i].value, why);
	return err;
}

static int apply_own(struct fault_rule *rule, const struct fault_context *context,
		     const struct fault_profile *profile, struct why *why)
{
	struct fault_context with_files = *context;
	char text[FAULT_WORD_BYTES_MAX];
	int err = 0;

	with_files.read = profile->spec ? &profile->spec->rule[0] : NULL;
	for (size_t i = 0; !err && profile->spec && i < fault_word_count; i++)
		if (fault_word_show(&fault_words[i], &profile->spec->rule[0], text))
			err = fault_word_set(&fault_words[i], rule, &with_files, text, why);
	return err;
}

static int no_such(const struct fault_context *context, const char *name, struct why *why)
{
	char list[256] = "";
	struct suggestion near;
	size_t used = 0;

	suggestion_start(&near, name);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		suggestion_offer(&near, profiles[i].name);
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s",
					 profiles[i].name);
	}
	for (size_t i = 0; context && i < context->profile_count; i++) {
		suggestion_offer(&near, context->profiles[i].name);
		if (used < sizeof(list) - FAULT_NAME_BYTES)
			used += (size_t)snprintf(list + used, sizeof(list) - used, " %s",
						 context->profiles[i].name);
	}
	if (near.best)
		return why_set(why, -EINVAL, "no profile \"%.40s\"; did you mean \"%s\"?",
			       name, near.best);
	return why_set(why, -EINVAL, "no profile \"%.40s\"; there are%s", name, list);
}

int profile_apply(struct fault_rule *rule, const struct fault_context *context,
		  const char *value, struct why *why)
{
	const struct fault_profile *own = NULL;
	const struct profile *builtin = NULL;
	struct fault_rule now;
	int err = 0;

	for (size_t i = 0; context && i < context->profile_count; i++)
		if (!strcmp(context->profiles[i].name, value))
			own = &context->profiles[i];
	for (size_t i = 0; !own && i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i].name, value))
			builtin = &profiles[i];
	if (!own && !builtin && !word_is_none(value))
		return no_such(context, value, why);
	fault_rule_copy(&now, rule);
	reset(&now);
	if (own)
		err = apply_own(&now, context, own, why);
	else if (builtin)
		err = apply_builtin(&now, builtin, why);
	if (err) {
		fault_rule_clear(&now);
		return err;
	}
	if (own || builtin)
		snprintf(now.profile, sizeof(now.profile), "%s", value);
	fault_rule_clear(rule);
	*rule = now;
	return 0;
}
