/* SPDX-License-Identifier: MIT */
#include "cli/fault_text.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/ui.h"

const char *fault_word(const json_t *json)
{
	const char *text = json_string_value(json);

	return text && *text ? text : "-";
}

/* One word as it is typed: key=value, in quotes if the shell would split it. */
static int word_text(char *text, size_t bytes, const char *key, const json_t *value)
{
	const char *quote;

	if (json_is_true(value))
		return snprintf(text, bytes, "%s", key);
	if (json_is_integer(value))
		return snprintf(text, bytes, "%s=%" JSON_INTEGER_FORMAT, key,
				json_integer_value(value));
	quote = strpbrk(fault_word(value), " ()&|<>*$\"") ? "'" : "";
	return snprintf(text, bytes, "%s=%s%s%s", key, quote, fault_word(value), quote);
}

const char *fault_text(char *text, size_t bytes, const json_t *fault)
{
	const char *key;
	const json_t *value;
	size_t used = 0;

	snprintf(text, bytes, "none");
	json_object_foreach((json_t *)fault, key, value)
	{
		if (used + 1 >= bytes)
			break;
		if (json_is_false(value) || json_is_null(value) || json_is_array(value) ||
		    !strcmp(key, "name"))
			continue;
		if (used)
			text[used++] = ' ';
		used += (size_t)word_text(text + used, bytes - used, key, value);
	}
	return text;
}

const char *fault_text_whole(char *text, size_t bytes, const json_t *fault)
{
	const json_t *rule;
	size_t i, used;

	fault_text(text, bytes, fault);
	json_array_foreach(json_object_get(fault, "faults"), i, rule)
	{
		used = strlen(text);
		used += (size_t)snprintf(text + used, bytes - used, ", rule %s: ",
					 fault_word(json_object_get(rule, "name")));
		if (used < bytes)
			fault_text(text + used, bytes - used, rule);
	}
	return text;
}

static size_t put_until(char *text, size_t bytes, const json_t *time)
{
	return (size_t)snprintf(text, bytes, " until %s", fault_word(time));
}

/* What else there is to say:
 * "  (profile lte; now in state bad; delay until 12.5s; takes 1us at least)". */
static void add_remarks(char *text, size_t bytes, const json_t *one)
{
	uint64_t floor_ns = (uint64_t)json_integer_value(
		json_object_get(json_object_get(one, "now"), "floor_ns"));
	char time[UNITS_TEXT_BYTES_MAX];
	const char *profile = json_string_value(json_object_get(one, "profile"));
	const char *state =
		json_string_value(json_object_get(json_object_get(one, "now"), "state"));
	const json_t *ends = json_object_get(one, "ends"), *value, *last = NULL;
	const char *key, *between = "  (";
	size_t used = strlen(text), before = used;

	if (profile) {
		used += (size_t)snprintf(text + used, bytes - used, "%sprofile %s",
					 between, profile);
		between = "; ";
	}
	if (state && used < bytes) {
		used += (size_t)snprintf(text + used, bytes - used, "%snow in state %s",
					 between, state);
		between = "; ";
	}
	/* "delay, jitter until 12.5s": what ends together is said together. */
	json_object_foreach((json_t *)ends, key, value)
	{
		if (used >= bytes)
			break;
		if (last && !json_equal(last, value))
			used += put_until(text + used, bytes - used, last);
		else if (last)
			between = ", ";
		if (used < bytes)
			used += (size_t)snprintf(text + used, bytes - used, "%s%s",
						 between, key);
		last = value;
		between = "; ";
	}
	if (last && used < bytes)
		used += put_until(text + used, bytes - used, last);
	if (floor_ns && used < bytes)
		used += (size_t)snprintf(text + used, bytes - used, "%stakes %s at least",
					 between, units_format_ns(time, floor_ns));
	if (used > before && used < bytes)
		snprintf(text + used, bytes - used, ")");
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

/* The rules for certain frames, a row each. */
static void print_rules(struct table *table, const json_t *one, bool counters)
{
	const json_t *now = json_object_get(json_object_get(one, "now"), "rules");
	const json_t *rule;
	char text[FAULT_TEXT_BYTES];
	size_t i;

	json_array_foreach(json_object_get(json_object_get(one, "fault"), "faults"), i,
			   rule)
	{
		const json_t *state = json_array_get(now, i);

		table_cell(table, PAINT_OFF, "  rule %s",
			   fault_word(json_object_get(rule, "name")));
		table_cell(table, PAINT_YELLOW, "%s%s",
			   fault_text(text, sizeof(text), rule),
			   json_is_false(json_object_get(state, "in_force"))
				   ? "  (not in force now)"
				   : "");
		if (!counters)
			continue;
		number_cell(table, json_object_get(state, "matched"));
		table_cell(table, PAINT_OFF, "-");
		table_cell(table, PAINT_OFF, "-");
	}
}

static void print_direction(struct table *table, const json_t *one, bool counters)
{
	const json_t *fault = json_object_get(one, "fault");
	const json_t *c = json_object_get(one, "counters");
	char text[FAULT_TEXT_BYTES];
	bool none;

	none = !strcmp(fault_text(text, sizeof(text), fault), "none");
	add_remarks(text, sizeof(text), one);
	table_cell(table, PAINT_OFF, "%s", fault_word(json_object_get(one, "name")));
	table_cell(table, none ? PAINT_DIM : PAINT_YELLOW, "%s", text);
	if (counters) {
		number_cell(table, json_object_get(c, "frames"));
		number_cell(table, json_object_get(c, "bytes"));
		table_cell(table, PAINT_OFF, "%s",
			   drops_text(text, sizeof(text), json_object_get(c, "dropped")));
	}
	print_rules(table, one, counters);
}

void fault_print(const json_t *answer, bool json, bool counters)
{
	const json_t *directions = json_object_get(answer, "directions"), *one;
	struct table *table;
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
		print_direction(table, one, counters);
	}
	table_print(table, stdout);
	table_free(table);
}
