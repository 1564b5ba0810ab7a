/* SPDX-License-Identifier: MIT */
#include "cli/node_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggestion.h"
#include "cli/client.h"
#include "cli/ui.h"

enum { RANGE_MAX = 10000, NAME_BYTES_MAX = 128 };

int node_set_add(struct nodes *nodes, const char *name, struct why *why)
{
	char **more = reallocarray(nodes->names, nodes->count + 1, sizeof(*more));

	if (!more)
		return why_errno(why, -ENOMEM, "names");
	nodes->names = more;
	nodes->names[nodes->count] = strdup(name);
	if (!nodes->names[nodes->count])
		return why_errno(why, -ENOMEM, "names");
	nodes->count++;
	return 0;
}

void node_set_free(struct nodes *nodes)
{
	while (nodes->count)
		free(nodes->names[--nodes->count]);
	free(nodes->names);
	nodes->names = NULL;
}

long node_set_find(const struct nodes *nodes, const char *name, size_t bytes)
{
	size_t i;

	for (i = 0; i < nodes->count; i++)
		if (strlen(nodes->names[i]) == bytes &&
		    !memcmp(nodes->names[i], name, bytes))
			return (long)i;
	return -1;
}

static int no_such(const struct nodes *all, const char *name, struct why *why)
{
	struct suggestion near;
	char list[256];
	size_t i, used = 0;

	suggestion_start(&near, name);
	list[0] = 0;
	for (i = 0; i < all->count; i++) {
		suggestion_offer(&near, all->names[i]);
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, " %s",
						 all->names[i]);
	}
	if (near.best)
		return why_set(why, -ENOENT,
			       "there is no node \"%s\"; did you mean \"%s\"?", name,
			       near.best);
	return why_set(why, -ENOENT, "there is no node \"%s\"; the nodes are:%s%s", name,
		       list, used >= sizeof(list) ? " ..." : "");
}

static int pick(struct nodes *out, const struct nodes *all, const char *name,
		size_t bytes, struct why *why)
{
	char text[NAME_BYTES_MAX];

	if (node_set_find(all, name, bytes) < 0) {
		snprintf(text, sizeof(text), "%.*s", (int)bytes, name);
		return no_such(all, text, why);
	}
	if (node_set_find(out, name, bytes) >= 0)
		return 0;
	return node_set_add(out, all->names[node_set_find(all, name, bytes)], why);
}

/* One "A" or "A-B" of a range; the digits' width counts: 01-12 is 01, 02, ... */
static int pick_numbers(struct nodes *out, const struct nodes *all, const char *before,
			size_t before_bytes, const char *after, size_t after_bytes,
			const char **at, struct why *why)
{
	char *end, name[NAME_BYTES_MAX];
	int width = 0, bytes, rc;
	unsigned long from, to, n;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	from = to = strtoul(*at, &end, 10);
	if (**at == '0')
		width = (int)(end - *at);
	if (*end == '-') {
		*at = end + 1;
		if (!isdigit((unsigned char)**at))
			return -EINVAL;
		to = strtoul(*at, &end, 10);
	}
	*at = end;
	if (to < from || to - from > RANGE_MAX)
		return -EINVAL;
	for (n = from; n <= to; n++) {
		bytes = snprintf(name, sizeof(name), "%.*s%0*lu%.*s", (int)before_bytes,
				 before, width, n, (int)after_bytes, after);
		if (bytes >= (int)sizeof(name))
			return -EINVAL;
		rc = pick(out, all, name, (size_t)bytes, why);
		if (rc)
			return rc;
	}
	return 0;
}

static int pick_range(struct nodes *out, const struct nodes *all, const char *part,
		      size_t bytes, struct why *why)
{
	const char *open = memchr(part, '[', bytes);
	const char *close = memchr(open, ']', bytes - (size_t)(open - part));
	const char *at = open + 1;
	int rc = -EINVAL;

	while (close) {
		rc = pick_numbers(out, all, part, (size_t)(open - part), close + 1,
				  bytes - (size_t)(close + 1 - part), &at, why);
		if (rc || at == close)
			break;
		if (*at++ != ',') {
			rc = -EINVAL;
			break;
		}
	}
	if (rc == -EINVAL)
		return why_set(why, rc, "\"%.*s\" is no range: write n[1-3] or n[1-3,7]",
			       (int)bytes, part);
	return rc;
}

/* Bytes up to the next comma that is not in brackets. */
static size_t part_bytes(const char *text)
{
	size_t n = 0, depth = 0;

	for (; text[n] && (depth || text[n] != ','); n++)
		depth += text[n] == '[' ? 1 : text[n] == ']' && depth ? (size_t)-1 : 0;
	return n;
}

static bool is_word(const struct nodes *all, const char *part, size_t bytes,
		    const char *word)
{
	return strlen(word) == bytes && !memcmp(part, word, bytes) &&
	       node_set_find(all, part, bytes) < 0;
}

static int select_in(struct nodes *out, const struct nodes *all, const char *text,
		     struct why *why)
{
	int rc = 0;
	size_t i;

	for (;;) {
		size_t bytes = part_bytes(text);

		if (!bytes)
			return why_set(why, -EINVAL,
				       "a node's name is missing: write n1,n2");
		if (is_word(all, text, bytes, "all"))
			for (i = 0; !rc && i < all->count; i++)
				rc = pick(out, all, all->names[i], strlen(all->names[i]),
					  why);
		else if (memchr(text, '[', bytes))
			rc = pick_range(out, all, text, bytes, why);
		else
			rc = pick(out, all, text, bytes, why);
		if (rc || !text[bytes])
			return rc;
		text += bytes + 1;
	}
}

int node_set_select(struct nodes *out, const struct nodes *all, const char *words,
		 struct why *why)
{
	int rc;

	*out = (struct nodes){ 0 };
	rc = select_in(out, all, words, why);
	if (rc)
		node_set_free(out);
	return rc;
}

static int put_side(json_t *sides, json_t *array, const struct nodes *side,
		    struct why *why)
{
	const json_t *other, *name;
	size_t i, s, k;

	for (i = 0; i < side->count; i++) {
		json_array_foreach(sides, s, other) json_array_foreach(
			other, k,
			name) if (!strcmp(json_string_value(name),
					  side->names
						  [i])) return why_set(why, -EINVAL,
								       "node \"%s\" is "
								       "on two sides",
								       side->names[i]);
		json_array_append_new(array, json_string(side->names[i]));
	}
	return 0;
}

int node_set_sides(json_t **out, const struct nodes *all, const char *text, struct why *why)
{
	json_t *sides = json_array();
	cleanup_free char *copy = ui_need(strdup(text));
	char *at = copy, *one;
	bool rest = false;
	int rc = 0;

	while (!rc && (one = strsep(&at, "|"))) {
		struct nodes side = { 0 };
		json_t *array = json_array();

		json_array_append_new(sides, array);
		/* The lab knows who the others are. */
		if (!strcmp(one, "*")) {
			if (rest)
				rc = why_set(why, -EINVAL,
					     "only one side can be the others, *");
			json_array_append_new(array, json_string("*"));
			rest = true;
			continue;
		}
		rc = node_set_select(&side, all, one, why);
		if (!rc)
			rc = put_side(sides, array, &side, why);
		node_set_free(&side);
	}
	if (!rc && json_array_size(sides) < 2)
		rc = why_set(why, -EINVAL,
			     "a partition has at least two sides: 'n1,n2|n3'");
	if (rc)
		json_decref(sides);
	else
		*out = sides;
	return rc;
}

int node_set_of_lab(struct nodes *out, struct client *client, struct why *why)
{
	json_t *answer = NULL, *node;
	const char *name;
	size_t i;
	int rc;

	*out = (struct nodes){ 0 };
	rc = client_call(client, "ps", NULL, CLIENT_CALL_MS, &answer, why);
	if (rc)
		return rc;
	json_array_foreach(json_object_get(answer, "nodes"), i, node)
	{
		name = json_string_value(json_object_get(node, "name"));
		if (!rc && name)
			rc = node_set_add(out, name, why);
	}
	json_decref(answer);
	return rc;
}

int node_set_named(struct nodes *out, struct client *client, const char *words,
		   struct why *why)
{
	struct nodes all;
	int rc = node_set_of_lab(&all, client, why);

	if (!rc)
		rc = node_set_select(out, &all, words, why);
	node_set_free(&all);
	return rc;
}
