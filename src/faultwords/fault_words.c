/* SPDX-License-Identifier: MIT */
#include "faultwords/fault_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "faultwords/fault_word_table.h"
#include "base/suggestion.h"

/* The table's keys as a list; it is made when somebody first asks. */
enum { KEYS_MAX = 64 }; /* fault_key_bit() has no more */

static const char *const *keys_of(const char **list, const struct fault_word *words,
				  size_t count)
{
	ASSERT(count < KEYS_MAX);
	for (size_t i = 0; i < count; i++)
		list[i] = words[i].key;
	return list;
}

const char *const *fault_word_keys(void)
{
	static const char *list[KEYS_MAX];

	return *list ? list : keys_of(list, fault_words, fault_word_count);
}

const char *const *fault_match_keys(void)
{
	static const char *list[KEYS_MAX];

	return *list ? list : keys_of(list, fault_match_words, fault_match_word_count);
}

static bool is_in(const char *key, const char *const *keys)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys != NULL;
}

bool fault_word_is_key(const char *key)
{
	return is_in(key, fault_word_keys());
}

bool fault_match_is_key(const char *key)
{
	return is_in(key, fault_match_keys());
}

const char *fault_word_example(const char *key)
{
	const struct fault_word *word = fault_word_find(key);

	return word ? word->example : "";
}

bool fault_word_is_count(const char *key)
{
	const struct fault_word *word = fault_word_find(key);

	return word && word->type == WORD_COUNT;
}

bool fault_word_is_flag(const char *key)
{
	const struct fault_word *word = fault_word_find(key);

	return word && word->type == WORD_FLAG;
}

static int unknown(const char *key, struct why *why)
{
	char list[512] = "";
	struct suggestion near;
	size_t used = 0;

	suggestion_start(&near, key);
	for (const char *const *k = fault_word_keys(); *k; k++) {
		suggestion_offer(&near, *k);
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", *k);
	}
	for (const char *const *k = fault_match_keys(); *k; k++)
		suggestion_offer(&near, *k);
	if (near.best)
		return why_set(why, -EINVAL, "no fault \"%.40s\"; did you mean \"%s\"?",
			       key, near.best);
	return why_set(why, -EINVAL, "no fault \"%.40s\"; there are%s", key, list);
}

int fault_word_apply(struct fault_rule *rule, const struct fault_context *context,
		     const char *key, const char *value, struct why *why)
{
	const struct fault_word *word = fault_word_find(key);
	int err;

	if (!word)
		return unknown(key, why);
	err = fault_word_set(word, rule, context, value, why);
	return err ? why_wrap(why, err, "%s", key) : 0;
}

/* ---- sets of keys ------------------------------------------------------- */

uint64_t fault_key_bit(const char *key)
{
	for (size_t i = 0; i < fault_word_count; i++)
		if (!strcmp(fault_words[i].key, key))
			return UINT64_C(1) << i;
	return 0;
}

uint64_t fault_keys_of(const json_t *words)
{
	struct word_parts parts;
	uint64_t keys = 0;
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)words, key, value)
	{
		const struct fault_word *word = fault_word_find(key);
		const char *text = json_string_value(value);
		size_t count = 1;

		if (!strcmp(key, "profile"))
			return FAULT_KEYS_ALL;
		if (word && text && word->parts_max > 1 &&
		    word_split(&parts, text, NULL) == 0)
			count = parts.count < word->parts_max ? parts.count
							      : word->parts_max;
		keys |= fault_key_bit(key) * ((UINT64_C(1) << count) - 1);
	}
	return keys;
}

/* ---- rules ------------------------------------------------------------- */

static int check_name(const char *name, struct why *why)
{
	if (!*name || strlen(name) >= FAULT_NAME_BYTES || strpbrk(name, " \t\n=,"))
		return why_set(why, -EINVAL,
			       "name \"%.40s\": 1 to %d characters, without blank, comma "
			       "and =",
			       name, FAULT_NAME_BYTES - 1);
	return 0;
}

int fault_rule_for(struct fault_spec **spec, const char *name, const char *match,
		   struct fault_rule **rule, struct why *why)
{
	char number[FAULT_NAME_BYTES];
	int err;

	if (name) {
		err = check_name(name, why);
		if (err)
			return err;
		*rule = fault_spec_rule(*spec, name);
		return *rule ? 0 : fault_spec_add(spec, name, rule, why);
	}
	for (uint32_t i = 1; match && i < (*spec)->count; i++)
		if (!strcmp(filter_text((*spec)->rule[i].filter), match)) {
			*rule = &(*spec)->rule[i];
			return 0;
		}
	for (unsigned n = 1;; n++) {
		snprintf(number, sizeof(number), "%u", n);
		if (!fault_spec_rule(*spec, number))
			return fault_spec_add(spec, number, rule, why);
	}
}

/* ---- out --------------------------------------------------------------- */

static void append(char text[FAULT_WORDS_BYTES_MAX], const char *key, const char *value)
{
	size_t used = strlen(text);

	snprintf(text + used, FAULT_WORDS_BYTES_MAX - used, "%s%s%s%s", used ? " " : "",
		 key, *value ? " " : "", value);
}

static void append_rule(char text[FAULT_WORDS_BYTES_MAX], const struct fault_rule *rule)
{
	char value[FAULT_WORD_BYTES_MAX];

	for (size_t i = 0; i < fault_match_word_count; i++)
		if (fault_word_show(&fault_match_words[i], rule, value))
			append(text, fault_match_words[i].key, value);
	for (size_t i = 0; i < fault_word_count; i++)
		if (fault_word_show(&fault_words[i], rule, value))
			append(text, fault_words[i].key,
			       fault_words[i].type == WORD_FLAG ? "" : value);
}

const char *fault_words_format(const struct fault_spec *spec,
			       char text[FAULT_WORDS_BYTES_MAX])
{
	*text = 0;
	for (uint32_t i = 0; spec && i < spec->count; i++) {
		if (i)
			append(text, "rule", spec->rule[i].name);
		append_rule(text, &spec->rule[i]);
	}
	return text;
}

static int put_word(json_t *object, const struct fault_word *word, const char *value)
{
	json_t *json = word->type == WORD_FLAG ? json_true()
		       : word->type == WORD_COUNT
			       ? json_integer((json_int_t)strtoll(value, NULL, 10))
			       : json_string(value);

	return json_object_set_new(object, word->key, json);
}

static int put_words(json_t *object, const struct fault_rule *rule)
{
	char value[FAULT_WORD_BYTES_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < fault_match_word_count; i++)
		if (fault_word_show(&fault_match_words[i], rule, value))
			err = put_word(object, &fault_match_words[i], value);
	for (size_t i = 0; !err && i < fault_word_count; i++)
		if (fault_word_show(&fault_words[i], rule, value))
			err = put_word(object, &fault_words[i], value);
	return err;
}

json_t *fault_words_to_json(const struct fault_spec *spec)
{
	json_t *object = json_object(), *rules = NULL;
	int err = object ? 0 : -1;

	if (!err && spec)
		err = put_words(object, &spec->rule[0]);
	if (!err && spec && spec->count > 1) {
		rules = json_array();
		err = json_object_set_new(object, "faults", rules);
	}
	for (uint32_t i = 1; !err && spec && i < spec->count; i++) {
		json_t *one = json_pack("{s:s}", "name", spec->rule[i].name);

		err = json_array_append_new(rules, one);
		if (!err)
			err = put_words(one, &spec->rule[i]);
	}
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

/* ---- in ---------------------------------------------------------------- */

static int apply_json(struct fault_rule *rule, const struct fault_context *context,
		      const char *key, const json_t *value, struct why *why)
{
	char number[32];

	if (json_is_string(value))
		return fault_word_apply(rule, context, key, json_string_value(value),
					why);
	if (json_is_boolean(value) && fault_word_is_flag(key))
		return fault_word_apply(rule, context, key,
					json_is_true(value) ? "true" : "false", why);
	if (json_is_integer(value) && fault_word_is_count(key)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		return fault_word_apply(rule, context, key, number, why);
	}
	if (!fault_word_find(key))
		return unknown(key, why);
	if (fault_word_is_count(key))
		return why_set(why, -EINVAL, "%.40s: a whole number was expected", key);
	return why_set(why, -EINVAL,
		       "%.40s: the value must be text with a unit, such as \"50ms\", "
		       "\"1%%\" or \"10Mbit\"%s",
		       key, fault_word_is_flag(key) ? ", or true or false" : "");
}

/* Every word of an object for one rule; a profile first, whatever the order. */
static int apply_object(struct fault_rule *rule, const struct fault_context *context,
			const json_t *object, bool match, struct why *why)
{
	const json_t *profile = json_object_get(object, "profile");
	const char *key;
	json_t *value;
	int err = profile ? apply_json(rule, context, "profile", profile, why) : 0;

	json_object_foreach((json_t *)object, key, value)
	{
		if (err)
			return err;
		if (!strcmp(key, "profile") || !strcmp(key, match ? "name" : "faults"))
			continue;
		if (!match && fault_match_is_key(key))
			return why_set(why, -EINVAL,
				       "%s: only for a rule in \"faults\": "
				       "{\"faults\":[{\"%s\":...}]}",
				       key, key);
		err = apply_json(rule, context, key, value, why);
	}
	return err;
}

static int apply_rules(struct fault_spec **spec, const struct fault_context *context,
		       const json_t *rules, struct why *why)
{
	json_t *object;
	size_t i;
	int err = 0;

	if (!json_is_array(rules))
		return why_set(why, -EINVAL,
			       "faults: a list of rules such as "
			       "[{\"match\":\"tcp\",\"loss\":\"1%%\"}] was expected");
	json_array_foreach((json_t *)rules, i, object)
	{
		const json_t *name = json_object_get(object, "name");
		struct fault_rule *rule = NULL;

		if (!json_is_object(object) || (name && !json_is_string(name)))
			return why_set(why, -EINVAL,
				       "faults: rule %zu is no object with a \"name\" in "
				       "text",
				       i + 1);
		err = fault_rule_for(spec, json_string_value(name),
				     json_string_value(json_object_get(object, "match")),
				     &rule, why);
		/* It was to be for a while: that is over with what it was. */
		if (!err && rule->brief && !json_object_get(object, "for") &&
		    !json_object_get(object, "until")) {
			rule->brief = false;
			rule->until_ns = 0;
		}
		if (!err)
			err = apply_object(rule, context, object, true, why);
		if (err)
			return why_wrap(why, err, "faults: rule %zu", i + 1);
	}
	return 0;
}

/* Put now in the place of *spec, if it is right. */
static int commit(struct fault_spec **spec, struct fault_spec *now, int err,
		  struct why *why)
{
	if (!err)
		err = fault_spec_check(now, why);
	if (err) {
		fault_spec_free(now);
		return err;
	}
	fault_spec_free(*spec);
	*spec = now;
	if (fault_spec_is_empty(now)) {
		fault_spec_free(now);
		*spec = NULL;
	}
	return 0;
}

bool fault_words_name_files(const json_t *object)
{
	static const struct {
		const char *key, *begin;
	} words[] = {
		{ "distribution", "table " }, { "distribution", "samples " },
		{ "distribution", "trace " }, { "slot", "table " }, { "capacity", "" },
	};
	const json_t *rule;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		const char *value = json_string_value(json_object_get(object, words[i].key));

		if (value && !strncmp(value, words[i].begin, strlen(words[i].begin)))
			return true;
	}
	json_array_foreach(json_object_get(object, "faults"), i, rule)
	{
		if (fault_words_name_files(rule))
			return true;
	}
	return false;
}

int fault_words_from_json(struct fault_spec **spec, const struct fault_context *context,
			  const json_t *object, struct why *why)
{
	struct fault_spec *now;
	const json_t *rules;
	int err;

	if (!json_is_object(object))
		return why_set(why, -EINVAL,
			       "a fault is an object such as {\"loss\":\"1%%\"}");
	now = fault_spec_copy(*spec);
	if (!now)
		return why_set(why, -ENOMEM, "fault: out of memory");
	err = apply_object(&now->rule[0], context, object, false, why);
	rules = json_object_get(object, "faults");
	if (!err && rules)
		err = apply_rules(&now, context, rules, why);
	return commit(spec, now, err, why);
}

static int clear_key(struct fault_rule *rule, const char *key, struct why *why)
{
	const struct fault_word *word = fault_word_find(key);

	return word ? fault_word_set(word, rule, NULL, "none", why) : unknown(key, why);
}

int fault_words_clear(struct fault_spec **spec, const char *rule, const char *key,
		      struct why *why)
{
	struct fault_spec *now = fault_spec_copy(*spec);
	struct fault_rule *at;
	int err = 0;

	if (!now)
		return why_set(why, -ENOMEM, "fault: out of memory");
	at = fault_spec_rule(now, rule ? rule : "");
	if (!at)
		err = why_set(why, -ENOENT, "no rule \"%.40s\" there", rule);
	else if (rule && !key)
		fault_spec_remove(now, at);
	else if (!rule && key && !strcmp(key, "faults"))
		while (now->count > 1)
			fault_spec_remove(now, &now->rule[now->count - 1]);
	else if (key)
		err = clear_key(at, key, why);
	return commit(spec, now, err, why);
}
