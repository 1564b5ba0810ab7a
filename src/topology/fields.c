/* SPDX-License-Identifier: MIT */
#include "topology/fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/epoch.h"
#include "faultwords/fault_words.h"
#include "base/suggestion.h"

bool field_is_note(const char *key)
{
	return !strncmp(key, "x-", 2);
}

static bool is_in(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

/* What other tools call it. */
static const struct {
	const char *key, *instead;
} known_elsewhere[] = {
	{ "cmd", "commands stand in \"run\": [{\"cmd\": \"...\"}]" },
	{ "command", "commands stand in \"run\": [{\"cmd\": \"...\"}]" },
	{ "cwd", "a command can begin with cd: \"cd /lab && ...\"" },
	{ "entrypoint", "commands stand in \"run\": [{\"cmd\": \"...\"}]" },
	{ "environment", "variables stand in \"env\"" },
	{ "exec", "commands stand in \"run\": [{\"cmd\": \"...\"}]" },
	{ "ports", "no port is published: machines reach one another's, and the host none" },
	{ "restart", "it stands beside a service's \"cmd\": \"on-failure\" or \"always\"" },
	{ "user", "services run as root; another user: \"cmd\": \"su USER -c '...'\"" },
	{ "volumes", "\"files\" puts files into a machine, and /lab is the topology's folder" },
};

static const char *called_otherwise(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_elsewhere); i++)
		if (!strcmp(key, known_elsewhere[i].key))
			return known_elsewhere[i].instead;
	return NULL;
}

void field_keys(struct diagnostics *diags, const struct tree *object,
		const char *const *keys, bool with_faults)
{
	tree_each(member, object) {
		struct suggestion near;

		if (field_is_note(member->key) || is_in(member->key, keys))
			continue;
		if (with_faults &&
		    (fault_word_is_key(member->key) || !strcmp(member->key, "faults")))
			continue;
		if (called_otherwise(member->key)) {
			complain_key(diags, member, NULL, "unknown key; %s",
				     called_otherwise(member->key));
			continue;
		}
		suggestion_start(&near, member->key);
		if (diags->total >= DIAGNOSTICS_MAX)
			near.distance = 0; /* nobody will read it */
		for (const char *const *k = keys; *k; k++)
			suggestion_offer(&near, *k);
		for (const char *const *k = fault_word_keys(); with_faults && *k; k++)
			suggestion_offer(&near, *k);
		if (with_faults)
			suggestion_offer(&near, "faults");
		complain_key(diags, member, near.best, "unknown key");
	}
}

static bool expect(struct diagnostics *diags, const struct tree *value,
		   enum tree_type type)
{
	if (!value)
		return false;
	if (value->type == type)
		return true;
	complain(diags, value, "expected %s, found %s", tree_type_name(type),
		 tree_type_name(value->type));
	return false;
}

const struct tree *field_object(struct diagnostics *diags, const struct tree *value)
{
	return expect(diags, value, TREE_OBJECT) ? value : NULL;
}

const struct tree *field_array(struct diagnostics *diags, const struct tree *value)
{
	return expect(diags, value, TREE_ARRAY) ? value : NULL;
}

const char *field_string(struct diagnostics *diags, const struct tree *value)
{
	return expect(diags, value, TREE_STRING) ? value->text : NULL;
}

const char *field_text(struct diagnostics *diags, const struct tree *value)
{
	const char *text = field_string(diags, value);

	if (!text || *text)
		return text;
	complain(diags, value, "expected a string that is not empty");
	return NULL;
}

bool field_integer(struct diagnostics *diags, const struct tree *value, int64_t from,
		   int64_t to, int64_t *out)
{
	if (!value)
		return false;
	if (value->type == TREE_INTEGER && value->integer >= from &&
	    value->integer <= to) {
		*out = value->integer;
		return true;
	}
	if (from == to)
		complain(diags, value, "expected %" PRId64, from);
	else if (value->type == TREE_INTEGER || value->type == TREE_NUMBER)
		complain(diags, value,
			 "%.40s is not a whole number between %" PRId64 " and %" PRId64,
			 value->text, from, to);
	else
		complain(diags, value,
			 "expected a number between %" PRId64 " and %" PRId64
			 ", found %s",
			 from, to, tree_type_name(value->type));
	return false;
}

uint64_t field_epoch(struct diagnostics *diags, const struct tree *value)
{
	const char *text = field_string(diags, value);
	uint64_t epoch_s = 0;
	struct why why;

	if (text && epoch_parse(text, &epoch_s, &why))
		complain(diags, value, "%s", why.text);
	return epoch_s;
}

bool field_bool(struct diagnostics *diags, const struct tree *value, bool *out)
{
	if (!expect(diags, value, TREE_BOOL))
		return false;
	*out = value->boolean;
	return true;
}

/* A string, where people like to write a bare number. */
static const char *quantity_text(struct diagnostics *diags, const struct tree *value,
				 const char *like)
{
	if (value->type != TREE_INTEGER && value->type != TREE_NUMBER)
		return field_string(diags, value);
	complain(diags, value, "a bare number has no unit: write a string such as \"%s\"",
		 like);
	return NULL;
}

bool field_quantity(struct diagnostics *diags, const struct tree *value,
		    field_parse_fn *parse, const char *like, uint64_t from, uint64_t to,
		    const char *range, uint64_t *out)
{
	const char *text = value ? quantity_text(diags, value, like) : NULL;
	struct why why;
	uint64_t number;

	if (!text)
		return false;
	if (parse(text, &number, &why)) {
		complain(diags, value, "%s", why.text);
		return false;
	}
	if (number < from || number > to) {
		complain(diags, value, "\"%.40s\" is not between %s", text, range);
		return false;
	}
	*out = number;
	return true;
}
