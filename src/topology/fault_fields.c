/* SPDX-License-Identifier: MIT */
#include "topology/fault_fields.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "faultwords/fault_words.h"
#include "topology/fields.h"
#include "base/suggestion.h"

static const char *const own_keys[] = { NULL };

static struct fault_context context_of(struct build *b)
{
	return (struct fault_context){ .dir = b->plan->dir,
				       .profiles = b->plan->profiles,
				       .profile_count = b->plan->profile_count,
				       .files = &b->fault_files };
}

/* The value as text, as far as that key takes it; NULL: complained. */
static const char *value_text(struct build *b, const struct tree *member)
{
	const char *key = member->key;

	if (fault_word_is_flag(key)) {
		bool flag;

		if (!field_bool(b->diags, member, &flag))
			return NULL;
		return flag ? "true" : "false";
	}
	if (fault_word_is_count(key) && member->type == TREE_INTEGER)
		return member->text;
	if (fault_word_is_count(key) && member->type == TREE_NUMBER) {
		complain(b->diags, member, "expected a whole number, such as %s",
			 fault_word_example(key));
		return NULL;
	}
	if ((member->type != TREE_INTEGER && member->type != TREE_NUMBER) ||
	    !isdigit((unsigned char)*fault_word_example(key)))
		return field_string(b->diags, member);
	complain(b->diags, member,
		 "a bare number has no unit: write a string such as \"%s\"",
		 fault_word_example(key));
	return NULL;
}

static bool apply_member(struct build *b, const struct tree *member,
			 struct fault_rule *rule)
{
	struct fault_context context = context_of(b);
	const char *text = value_text(b, member);
	struct why why;

	if (!text)
		return false;
	if (fault_word_apply(rule, &context, member->key, text, &why)) {
		/* "delay: ...": the path says that already. */
		complain(b->diags, member, "%s", why.text + strlen(member->key) + 2);
		return false;
	}
	return true;
}

/* Every word of an object for one rule, a profile first. */
static bool apply_words(struct build *b, const struct tree *object,
			struct fault_rule *rule, bool match, bool *any)
{
	const struct tree *profile = tree_get(object, "profile");
	bool good = !profile || apply_member(b, profile, rule);

	*any |= profile != NULL;
	tree_each(member, object) {
		if (member == profile || (!fault_word_is_key(member->key) &&
					  !(match && fault_match_is_key(member->key))))
			continue;
		*any = true;
		good &= apply_member(b, member, rule);
	}
	return good;
}

static bool apply_rule(struct build *b, const struct tree *object,
		       struct fault_spec **spec)
{
	static const char *const keys[] = { "name", "match", "after", "first", "apply",
					    "when", "in",    "until", "for",   NULL };
	const struct tree *match, *name;
	struct fault_rule *rule;
	struct why why;
	bool any = false;

	if (!field_object(b->diags, object))
		return false;
	field_keys(b->diags, object, keys, true);
	name = tree_get(object, "name");
	match = tree_get(object, "match");
	if (name && !field_text(b->diags, name))
		return false;
	if (tree_get(object, "faults")) {
		complain(b->diags, tree_get(object, "faults"),
			 "a rule has no rules of its own");
		return false;
	}
	if (fault_rule_for(spec, name ? name->text : NULL,
			   match && match->type == TREE_STRING ? match->text : NULL,
			   &rule, &why)) {
		complain(b->diags, name ? name : object, "%s", why.text);
		return false;
	}
	return apply_words(b, object, rule, true, &any);
}

/* "jitter 5ms is larger than ...": the value that the reason begins with. */
static const struct tree *blame(const struct tree *object, const char *reason)
{
	tree_each(member, object) {
		size_t size = strlen(member->key);

		if (!strncmp(reason, member->key, size) &&
		    (reason[size] == ' ' || reason[size] == ':'))
			return member;
	}
	return object;
}

/* The build owns it from now on. */
static void keep(struct build *b, struct fault_spec *spec)
{
	b->specs = array_grow(b->specs, b->spec_count, sizeof(struct fault_spec *));
	b->specs[b->spec_count++] = spec;
}

bool build_faults(struct build *b, const struct tree *object, struct fault_spec **spec)
{
	const struct tree *rules = tree_get(object, "faults");
	struct fault_spec *now = fault_spec_copy(*spec);
	bool any = false, good;
	struct why why;

	if (!now)
		abort(); /* as everywhere in the compiler: heap_zeroed() */
	good = apply_words(b, object, &now->rule[0], false, &any);
	if (rules) {
		any = true;
		good &= field_array(b->diags, rules) != NULL;
		tree_each(rule, good && rules->type == TREE_ARRAY ? rules : NULL)
			good &= apply_rule(b, rule, &now);
	}
	if (any && good && fault_spec_check(now, &why))
		complain(b->diags, blame(object, why.text), "%s", why.text);
	if (any) {
		keep(b, now);
		*spec = now;
	} else {
		fault_spec_free(now);
	}
	return any;
}

void build_profiles(struct build *b)
{
	const struct tree *profiles = tree_get(b->root, "profiles");
	struct plan *plan = b->plan;

	if (!field_object(b->diags, profiles))
		return;
	tree_each(object, profiles) {
		struct fault_profile *profile;
		struct fault_spec *spec = NULL;

		if (field_is_note(object->key) || !field_object(b->diags, object))
			continue;
		if (strlen(object->key) >= FAULT_NAME_BYTES || strchr(object->key, ' ')) {
			complain_key(b->diags, object, NULL,
				     "a profile's name has at most %d characters and no "
				     "blank",
				     FAULT_NAME_BYTES - 1);
			continue;
		}
		field_keys(b->diags, object, own_keys, true);
		if (tree_get(object, "faults"))
			complain(b->diags, tree_get(object, "faults"),
				 "a profile has words only, no rules");
		if (!build_faults(b, object, &spec))
			complain(b->diags, object, "a profile that does nothing");
		plan->profiles = array_grow(plan->profiles, plan->profile_count,
					    sizeof(*plan->profiles));
		profile = &plan->profiles[plan->profile_count++];
		*profile = (struct fault_profile){ .spec = fault_spec_ref(spec) };
		snprintf(profile->name, sizeof(profile->name), "%s", object->key);
	}
}

void build_faults_free(struct build *b)
{
	for (size_t i = 0; i < b->spec_count; i++)
		fault_spec_free(b->specs[i]);
	free(b->specs);
	fault_files_drop(&b->fault_files);
}
