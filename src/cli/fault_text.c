/* SPDX-License-Identifier: MIT */
#include "cli/fault_text.h"

#include <stdio.h>
#include <string.h>

#include "cli/ui.h"

const char *fault_word(const json_t *json)
{
	const char *text = json_string_value(json);

	return text && *text ? text : "-";
}

const char *fault_text(char *text, size_t bytes, const json_t *fault)
{
	const char *key;
	const json_t *value;
	size_t used = 0;

	snprintf(text, bytes, "none");
	json_object_foreach((json_t *)fault, key, value)
	{
		if (used >= bytes)
			break;
		if (json_is_false(value) || json_is_null(value))
			continue;
		if (json_is_true(value))
			used += (size_t)snprintf(text + used, bytes - used, "%s%s",
						 used ? " " : "", key);
		else if (json_is_integer(value))
			used += (size_t)snprintf(
				text + used, bytes - used, "%s%s=%" JSON_INTEGER_FORMAT,
				used ? " " : "", key, json_integer_value(value));
		else
			used += (size_t)snprintf(text + used, bytes - used, "%s%s=%s",
						 used ? " " : "", key, fault_word(value));
	}
	return text;
}

/* "12 loss, 3 queue" of {"loss":12,"queue":3} */
static const char *drops_text(char *text, size_t bytes, const json_t *dropped)
{
	const char *key;
	const json_t *value;
	size_t used = 0;

	snprintf(text, bytes, "-");
	json_object_foreach((json_t *)dropped, key, value)
	{
		if (json_integer_value(value) && used < bytes)
			used += (size_t)snprintf(text + used, bytes - used,
						 "%s%" JSON_INTEGER_FORMAT " %s",
						 used ? ", " : "",
						 json_integer_value(value), key);
	}
	return text;
}

static void number_cell(struct table *table, const json_t *json)
{
	if (json_is_integer(json))
		table_cell(table, PAINT_OFF, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(json));
	else
		table_cell(table, PAINT_OFF, "-");
}

void fault_print(const json_t *answer, bool json, bool counters)
{
	const json_t *directions = json_object_get(answer, "directions"), *one, *c;
	struct table *table;
	char text[256];
	size_t i;

	if (json) {
		ui_json(directions ? directions : answer);
		return;
	}
	if (!json_array_size(directions)) {
		printf("no links\n");
		return;
	}
	table = counters
			? table_new(5, "DIRECTION", "FAULT", "FRAMES", "BYTES", "DROPPED")
			: table_new(2, "DIRECTION", "FAULT");
	json_array_foreach(directions, i, one)
	{
		fault_text(text, sizeof(text), json_object_get(one, "fault"));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(one, "name")));
		table_cell(table, strcmp(text, "none") ? PAINT_YELLOW : PAINT_DIM, "%s",
			   text);
		if (!counters)
			continue;
		c = json_object_get(one, "counters");
		number_cell(table, json_object_get(c, "frames"));
		number_cell(table, json_object_get(c, "bytes"));
		table_cell(table, PAINT_OFF, "%s",
			   drops_text(text, sizeof(text), json_object_get(c, "dropped")));
	}
	table_print(table, stdout);
	table_free(table);
}
