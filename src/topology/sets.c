/* SPDX-License-Identifier: MIT */
#include "topology/sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggestion.h"
#include "topology/read_json.h"

enum { SET_STEPS_MAX = 32 };

struct step {
	const char *key; /* NULL: index counts */
	size_t index;
};

struct path {
	struct step steps[SET_STEPS_MAX];
	size_t count;
};

static bool is_index(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return size > 0 && size < 9;
}

/* ["a.b"] or [3], at *at; false if these brackets are part of a word. */
static bool read_bracket(struct arena *arena, const char **at, struct step *step)
{
	const char *open = *at;
	const char *close;

	if (open[0] != '[')
		return false;
	if (open[1] == '"') {
		close = strstr(open + 2, "\"]");
		if (!close)
			return false;
		*step = (struct step){ .key = arena_strndup(arena, open + 2,
							    (size_t)(close - open - 2)) };
		*at = close + 2;
		return true;
	}
	close = strchr(open, ']');
	if (!close || !is_index(open + 1, (size_t)(close - open - 1)))
		return false;
	*step = (struct step){ .index = strtoul(open + 1, NULL, 10) };
	*at = close + 1;
	return true;
}

/* Up to the next dot or index; brackets of a range are part of it. */
static bool read_word(struct arena *arena, const char **at, struct step *step)
{
	const char *from = *at;
	struct step unused;

	while (**at && **at != '.') {
		const char *here = *at;

		if (**at == '[' && read_bracket(arena, &here, &unused))
			break;
		(*at)++;
	}
	*step = (struct step){ .key = arena_strndup(arena, from, (size_t)(*at - from)) };
	return *at > from;
}

static bool read_path(struct arena *arena, const char *text, struct path *path)
{
	const char *at = text;

	while (path->count < SET_STEPS_MAX) {
		struct step *step = &path->steps[path->count++];

		if (!read_bracket(arena, &at, step) && !read_word(arena, &at, step))
			return false;
		if (!*at)
			return true;
		at += *at == '.';
	}
	return false;
}

static struct tree *read_given_value(struct arena *arena, const char *text,
				     struct tree_place at)
{
	struct diagnostics quiet = { .sets = (const char *const[]){ "" } };
	struct tree *value = read_json(arena, text, strlen(text), 1, &quiet);

	if (!value || quiet.total) {
		value = tree_new(arena, TREE_STRING, at);
		value->text = text;
	}
	diagnostics_free(&quiet);
	return value;
}

/* Every value of it comes from this override. */
static void set_place(struct tree *value, struct tree_place at)
{
	value->at = value->key_at = at;
	tree_each(child, value)
		set_place(child, at);
}

/* "n1" of the key "n[1-3]", or of "n" with a count: that is, what is before the number. */
static bool is_one_of(const char *name, const struct tree *member)
{
	size_t size = strcspn(member->key, "[");

	return size && !strncmp(name, member->key, size) &&
	       is_index(name + size, strlen(name + size)) &&
	       (member->key[size] || tree_get(member, "count"));
}

/* Something of a machine, network, ... that there is not: a slip, and no new one.  One is
 * added as a whole: nodes.n4={}. */
static bool is_new(const struct tree *root, const struct path *path,
		   struct tree_place at, struct diagnostics *diags)
{
	static const char *const kinds[] = { "nodes", "networks", "groups", "kinds" };
	const struct tree *all;
	struct suggestion near;

	if (path->count < 3 || !path->steps[0].key || !path->steps[1].key)
		return false;
	all = tree_get(root, path->steps[0].key);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(path->steps[0].key, kinds[i]) != 0)
			continue;
		if (tree_get(all, path->steps[1].key))
			return false;
		suggestion_start(&near, path->steps[1].key);
		tree_each(member, all) {
			if (is_one_of(path->steps[1].key, member)) {
				complain_place(diags, at, all,
					       "for \"%.60s\" the file has \"%.60s\": name it "
					       "so, --set '%s.%.60s.KEY=VALUE'",
					       path->steps[1].key, member->key, kinds[i],
					       member->key);
				return true;
			}
			suggestion_offer(&near, member->key);
		}
		complain_place(diags, at, all,
			       "there is no \"%.60s\" in the file%s%.60s%s; to add one: "
			       "--set '%s.%.60s={}'",
			       path->steps[1].key, near.best ? "; did you mean \"" : "",
			       near.best ? near.best : "", near.best ? "\"?" : "", kinds[i],
			       path->steps[1].key);
		return true;
	}
	return false;
}

/* A variable's value is text, whatever it looks like. */
static void make_text(struct tree *value, const struct path *path, const char *text)
{
	if (path->count < 2 || !path->steps[path->count - 2].key ||
	    strcmp(path->steps[path->count - 2].key, "env") != 0)
		return;
	if (value->type != TREE_STRING && value->type != TREE_OBJECT &&
	    value->type != TREE_ARRAY) {
		value->type = TREE_STRING;
		value->text = text;
	}
}

/* The step's value; where a key is missing, an empty object is made. */
static struct tree *step_into(struct arena *arena, struct tree *from,
			      const struct step *step, struct tree_place at,
			      struct diagnostics *diags)
{
	struct tree *to;
	size_t index = step->index;

	if (!step->key) {
		if (from->type != TREE_ARRAY || index >= from->count) {
			complain_place(diags, at, from, "there is no item %zu here",
				       index);
			return NULL;
		}
		for (to = from->first; index; index--)
			to = to->next;
		return to;
	}
	if (from->type != TREE_OBJECT) {
		complain_place(diags, at, from, "not an object, so there is no \"%.60s\"",
			       step->key);
		return NULL;
	}
	to = tree_get(from, step->key);
	if (to)
		return to;
	to = tree_new(arena, TREE_OBJECT, at);
	to->key = step->key;
	tree_append(from, to);
	return to;
}

void sets_apply(struct arena *arena, struct tree *root, size_t index,
		struct diagnostics *diags)
{
	struct tree_place at = { .source = (uint32_t)index + 1 };
	const char *text = diags->sets[index];
	const char *equals = strchr(text, '=');
	struct tree *value, *to = root;
	struct path path = { .count = 0 };

	/* A quoted key may hold a '='; none of the file's keys does. */
	if (!equals ||
	    !read_path(arena, arena_strndup(arena, text, (size_t)(equals - text)),
		       &path)) {
		complain_place(diags, at, NULL,
			       "expected KEY=VALUE, such as nodes.n1.memory=128M");
		return;
	}
	if (is_new(root, &path, at, diags))
		return;
	value = read_given_value(arena, equals + 1, at);
	make_text(value, &path, equals + 1);
	set_place(value, at);
	for (size_t i = 0; i < path.count; i++) {
		to = step_into(arena, to, &path.steps[i], at, diags);
		if (!to)
			return;
	}
	tree_replace(to, value);
}
