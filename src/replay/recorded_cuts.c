/* SPDX-License-Identifier: MIT */
#include "replay/recorded_cuts.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static const char *at(const json_t *pair, size_t index)
{
	return json_string_value(json_array_get(pair, index)) ?: "";
}

static bool has(const json_t *pairs, const char *from, const char *to)
{
	const json_t *pair;
	size_t i;

	json_array_foreach((json_t *)pairs, i, pair)
	{
		if (!strcmp(at(pair, 0), from) && !strcmp(at(pair, 1), to))
			return true;
	}
	return false;
}

const char *recorded_cuts_name(const struct recorded_cuts *cuts, uint32_t from_node,
			       uint32_t to_node)
{
	const char *from = text(json_array_get(cuts->nodes, from_node), "name");
	const char *to = text(json_array_get(cuts->nodes, to_node), "name");

	for (size_t i = 0; i < cuts->count; i++)
		if (has(cuts->at[i].pairs, from, to))
			return cuts->at[i].name;
	return NULL;
}

static int find_node(const struct recorded_cuts *cuts, const char *name)
{
	const json_t *node;
	size_t i;

	json_array_foreach((json_t *)cuts->nodes, i, node)
	{
		if (!strcmp(text(node, "name"), name))
			return (int)i;
	}
	return -1;
}

static void tell_switch(const struct recorded_cuts *cuts)
{
	const json_t *pair;
	size_t k;

	sw_heal(cuts->sw);
	for (size_t i = 0; i < cuts->count; i++)
		json_array_foreach((json_t *)cuts->at[i].pairs, k, pair)
		{
			int from = find_node(cuts, at(pair, 0));
			int to = find_node(cuts, at(pair, 1));

			if (from >= 0 && to >= 0)
				sw_cut(cuts->sw, (uint32_t)from, (uint32_t)to, true);
		}
}

int recorded_cuts_begin(struct recorded_cuts *cuts, const json_t *entry, struct why *why)
{
	const json_t *pairs = json_object_get(entry, "cuts");
	const char *name = text(entry, "name");
	size_t i = 0;

	if (json_array_size(pairs) !=
	    (size_t)json_integer_value(json_object_get(entry, "cut_count")))
		return why_set(why, -EINVAL,
			       "journal: partition %s: not all that it cut is listed",
			       name);
	while (i < cuts->count && strcmp(cuts->at[i].name, name))
		i++;
	if (i == RECORDED_CUTS_MAX)
		return why_set(why, -EINVAL, "journal: more than %d partitions at once",
			       RECORDED_CUTS_MAX);
	cuts->at[i].name = name;
	cuts->at[i].pairs = pairs;
	cuts->count += i == cuts->count;
	tell_switch(cuts);
	return 0;
}

void recorded_cuts_heal(struct recorded_cuts *cuts, const json_t *entry)
{
	const char *name = text(entry, "name");
	size_t kept = 0;

	for (size_t i = 0; i < cuts->count; i++)
		if (strcmp(cuts->at[i].name, name))
			cuts->at[kept++] = cuts->at[i];
	cuts->count = kept;
	tell_switch(cuts);
}
