/* SPDX-License-Identifier: MIT */
#include "topology/tree.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

struct tree *tree_new(struct arena *arena, enum tree_type type, struct tree_place at)
{
	struct tree *value = arena_alloc(arena, sizeof(*value));

	value->type = type;
	value->at = at;
	value->key_at = at;
	return value;
}

void tree_append(struct tree *parent, struct tree *child)
{
	child->parent = parent;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

void tree_replace(struct tree *old, struct tree *fresh)
{
	struct tree *parent = old->parent;
	struct tree **link = &parent->first;

	while (*link != old)
		link = &(*link)->next;
	fresh->parent = parent;
	fresh->key = old->key;
	fresh->next = old->next;
	*link = fresh;
	if (parent->last == old)
		parent->last = fresh;
}

struct tree *tree_get(const struct tree *object, const char *key)
{
	if (!object || object->type != TREE_OBJECT)
		return NULL;
	tree_each(member, object)
		if (!strcmp(member->key, key))
			return member;
	return NULL;
}

const char *tree_type_name(enum tree_type type)
{
	static const char *const names[] = {
		[TREE_NULL] = "null",	     [TREE_BOOL] = "true or false",
		[TREE_INTEGER] = "a number", [TREE_NUMBER] = "a number",
		[TREE_STRING] = "a string",  [TREE_ARRAY] = "an array",
		[TREE_OBJECT] = "an object",
	};

	return names[type];
}

static bool is_plain(const char *key)
{
	for (const char *c = key; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && *c != '_' && *c != '-' && *c != '$')
			return false;
	return *key != 0;
}

/* An item that is still being read will come behind those that are there. */
static size_t index_of(const struct tree *item)
{
	size_t index = 0;

	for (const struct tree *t = item->parent->first; t && t != item; t = t->next)
		index++;
	return index;
}

/* One step of the path, as it is written. */
static void step_text(const struct tree *value, char text[80])
{
	if (!value->key)
		snprintf(text, 80, "[%zu]", index_of(value));
	else if (is_plain(value->key))
		snprintf(text, 80, "%s%.60s", value->parent->parent ? "." : "",
			 value->key);
	else
		snprintf(text, 80, "[\"%.60s\"]", value->key);
}

const char *tree_path(const struct tree *value, char path[TREE_PATH_BYTES_MAX])
{
	size_t start = TREE_PATH_BYTES_MAX - 1;
	char text[80];

	/* From the end, so that what does not fit is the beginning. */
	path[start] = 0;
	for (; value && value->parent; value = value->parent) {
		size_t size;

		step_text(value, text);
		size = strlen(text);
		if (size + 4 > start) {
			memcpy(path + start - 3, "...", 3);
			start -= 3;
			break;
		}
		start -= size;
		memcpy(path + start, text, size);
	}
	memmove(path, path + start, TREE_PATH_BYTES_MAX - start);
	return path;
}
