/* SPDX-License-Identifier: MIT */
/* tree.h - a JSON document that remembers where everything stood
 *
 * Values form a tree in an arena.  Each knows its place in the file (or which
 * `--set` it came from) and its parent, so an error can name line, column and
 * path of any value at hand.  Members keep the order of the file.
 *
 * Errors: none.  Ownership: the arena's.  Threads: one.
 * Units:  lines and columns from 1; a column is a character, not a byte.
 */
#ifndef NL_TOPOLOGY_TREE_H
#define NL_TOPOLOGY_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum tree_type {
	TREE_NULL,
	TREE_BOOL,
	TREE_INTEGER, /* fits int64_t, written without point and exponent */
	TREE_NUMBER,  /* any other number */
	TREE_STRING,
	TREE_ARRAY,
	TREE_OBJECT,
};

struct tree_place {
	uint32_t source; /* 0: the file; n: the n-th --set */
	uint32_t line, column;
};

struct tree {
	enum tree_type type;
	struct tree_place at, key_at;
	const char *key; /* in an object; else NULL */
	bool boolean;
	int64_t integer;
	const char
		*text; /* of a string, never with a 0 inside; of a number, as written */
	struct tree *parent, *next;
	struct tree *first, *last; /* items or members */
	size_t count;
};

struct tree *tree_new(struct arena *arena, enum tree_type type, struct tree_place at);

/* Make child the last item or member of parent. */
void tree_append(struct tree *parent, struct tree *child);

/* Put fresh where old is. */
void tree_replace(struct tree *old, struct tree *fresh);

/* The member of an object, or NULL; NULL for what is no object. */
struct tree *tree_get(const struct tree *object, const char *key);

/* "a string", "an object", ... for messages. */
const char *tree_type_name(enum tree_type type);

enum { TREE_PATH_BYTES_MAX = 512 };

/* nodes.n1.run[0].cmd, or nodes["n[1-3]"].memory; "" for the whole document.
 * A long path loses its beginning.  Returns path. */
const char *tree_path(const struct tree *value, char path[TREE_PATH_BYTES_MAX]);

#define tree_each(item, parent)                                                          \
	for (struct tree *item = (parent) ? (parent)->first : NULL; item;                \
	     item = item->next)

#endif
