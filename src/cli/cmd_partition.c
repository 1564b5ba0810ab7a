/* SPDX-License-Identifier: MIT */
/* Partitions and their end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/node_set.h"
#include "cli/ui.h"
#include "base/suggestion.h"
#include "partition/partition.h"

static int refused(const struct why *why)
{
	ui_error("%s", why->text);
	return STATUS_FAILED;
}

static void print_cuts(const json_t *answer, const char *what, const char *none)
{
	const json_t *cuts = json_object_get(answer, "cuts"), *cut;
	json_int_t count;
	size_t i;

	if (!json_array_size(cuts)) {
		printf("%s\n", none);
		return;
	}
	json_array_foreach(cuts, i, cut)
	{
		printf("%s ", what);
		ui_safe(stdout, fault_word(json_array_get(cut, 0)), false);
		printf(" -> ");
		ui_safe(stdout, fault_word(json_array_get(cut, 1)), false);
		printf("\n");
	}
	count = json_integer_value(json_object_get(answer, "cut_count"));
	if (count > (json_int_t)json_array_size(cuts))
		printf("... and %" JSON_INTEGER_FORMAT " more\n",
		       count - (json_int_t)json_array_size(cuts));
}

/* ---- partition --------------------------------------------------------- */

static int put_nodes(json_t *fields, const char *key, const struct nodes *all,
		     const char *words, struct why *why)
{
	struct nodes some = { 0 };
	json_t *names;
	int rc;
	size_t i;

	if (!words)
		return 0;
	rc = node_set_select(&some, all, words, why);
	if (rc)
		return rc;
	names = json_array();
	for (i = 0; i < some.count; i++)
		json_array_append_new(names, json_string(some.names[i]));
	json_object_set_new(fields, key, names);
	node_set_free(&some);
	return 0;
}

static int put_sides(json_t *fields, const struct nodes *all, const char *text,
		     struct why *why)
{
	json_t *sides = NULL;
	const char *near;
	int rc;

	/* What has no bar is a kind that does not exist, or sides that were forgotten. */
	if (!strchr(text, '|') && (near = suggestion_word(text, partition_kind_names)))
		return why_set(
			why, -EINVAL,
			"there is no kind of partition \"%s\"; did you mean \"%s\"?",
			text, near);
	rc = node_set_sides(&sides, all, text, why);
	if (!rc)
		json_object_set_new(fields, "sides", sides);
	return rc;
}

static int put_what(json_t *fields, const struct command_call *call, const struct nodes *all,
		    struct why *why)
{
	const char *what = call->argv[0];
	const char *nodes = call->argc > 1 ? call->argv[1] : NULL;
	enum partition_kind kind = partition_kind_find(what);
	int rc;

	if (kind == PARTITION_KINDS || kind == PARTITION_SIDES) {
		if (nodes)
			return why_set(
				why, -EINVAL,
				"\"%s\": one word was expected, with a bar between "
				"the sides",
				nodes);
		return put_sides(fields, all, what, why);
	}
	if (nodes && !partition_kind_picks(kind))
		return why_set(why, -EINVAL, "%s draws its nodes; --among says of which",
			       what);
	json_object_set_new(fields, "kind", json_string(what));
	rc = put_nodes(fields, "nodes", all, nodes, why);
	return rc ? rc : put_nodes(fields, "among", all, call_option(call, "among"), why);
}

static void put_options(json_t *fields, const struct command_call *call)
{
	static const char *const texts[][2] = { { "name", "name" },
						{ "for", "for" },
						{ "every", "every" },
						{ "min-stable", "min_stable" } };
	size_t i;

	json_object_set_new(fields, "one_way",
			    json_boolean(call_option(call, "one-way") != NULL));
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (call_option(call, texts[i][0]))
			json_object_set_new(fields, texts[i][1],
					    json_string(call_option(call, texts[i][0])));
}

static void add_names(char *text, size_t bytes, const char *before, const json_t *names)
{
	const json_t *name;
	size_t i, used = strlen(text);

	json_array_foreach((json_t *)names, i, name)
	{
		if (used < bytes)
			used += (size_t)snprintf(text + used, bytes - used, "%s%s",
						 i ? "," : before, fault_word(name));
	}
}

enum { DRAWN_BYTES_MAX = 160 };

/* "n1|n2,n3 one-way", "isolate (n1|n2,n3)", "random: halves (n1|n2)" */
static const char *what_text(char *text, size_t bytes, const json_t *one)
{
	char drawn[DRAWN_BYTES_MAX] = "";
	const json_t *side;
	size_t i, used;

	text[0] = 0;
	json_array_foreach(json_object_get(one, "sides"), i, side)
		add_names(text, bytes, i ? "|" : "", side);
	if (json_object_get(one, "kind"))
		snprintf(text, bytes, "%s", fault_word(json_object_get(one, "kind")));
	add_names(text, bytes, " ", json_object_get(one, "nodes"));
	if (json_object_get(one, "drew"))
		snprintf(text, bytes, "random: %s%s",
			 fault_word(json_object_get(one, "drew")),
			 json_is_true(json_object_get(one, "drew_one_way")) ? " one-way"
									    : "");
	used = strlen(text);
	if (json_is_true(json_object_get(one, "one_way")))
		used += (size_t)snprintf(text + used, bytes - used, " one-way");
	/* Who is isolated by name needs no drawing. */
	if (!json_array_size(json_object_get(one, "drawn")) ||
	    (json_object_get(one, "nodes") &&
	     !strcmp(fault_word(json_object_get(one, "kind")), "isolate")))
		return text;
	json_array_foreach(json_object_get(one, "drawn"), i, side)
		add_names(drawn, sizeof(drawn), i ? "|" : "", side);
	snprintf(text + used, bytes - used, " (%s%s)", drawn,
		 strlen(drawn) + 1 == sizeof(drawn) ? "..." : "");
	return text;
}

static void print_partition(const json_t *one)
{
	const char *name = fault_word(json_object_get(one, "name"));
	char text[512];

	ui_safe(stdout, name, false);
	printf(": %s\n", what_text(text, sizeof(text), one));
	print_cuts(one, "cut", "nothing is cut");
	if (json_object_get(one, "warning"))
		ui_warning("%s", fault_word(json_object_get(one, "warning")));
	ui_note("This is %s: `netlab heal %s` ends it.", name, name);
}

int cmd_partition(struct command_call *call)
{
	struct nodes all = { 0 };
	json_t *fields = json_object(), *answer = NULL;
	struct why why;
	int rc;

	rc = node_set_of_lab(&all, call->client, &why);
	if (!rc)
		rc = put_what(fields, call, &all, &why);
	node_set_free(&all);
	if (rc) {
		json_decref(fields);
		return refused(&why);
	}
	put_options(fields, call);
	if (client_call(call->client, "partition", fields, CLIENT_CALL_MS, &answer, &why))
		return refused(&why);
	json_object_del(answer, "id");
	json_object_del(answer, "ok");
	if (call->json)
		ui_json(answer);
	else
		print_partition(answer);
	json_decref(answer);
	return STATUS_DONE;
}

/* ---- partition ls ------------------------------------------------------ */

static void print_partitions(const json_t *partitions)
{
	struct table *table;
	const json_t *one;
	char text[512];
	size_t i;

	if (!json_array_size(partitions)) {
		printf("no partitions\n");
		return;
	}
	table = table_new(4, "NAME", "WHAT", "CUTS", "FOR");
	json_array_foreach(partitions, i, one)
	{
		if (json_object_get(one, "warning"))
			ui_warning("%s: %s", fault_word(json_object_get(one, "name")),
				   fault_word(json_object_get(one, "warning")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(one, "name")));
		table_cell(table, PAINT_OFF, "%s", what_text(text, sizeof(text), one));
		table_cell(table, PAINT_OFF, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(json_object_get(one, "cut_count")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(one, "for")));
	}
	table_print(table, stdout);
	table_free(table);
}

int cmd_partition_ls(struct command_call *call)
{
	json_t *answer = NULL;
	struct why why;

	if (client_call(call->client, "partition-ls", NULL, CLIENT_CALL_MS, &answer,
			&why))
		return refused(&why);
	if (call->json)
		ui_json(json_object_get(answer, "partitions"));
	else
		print_partitions(json_object_get(answer, "partitions"));
	json_decref(answer);
	return STATUS_DONE;
}

/* ---- heal -------------------------------------------------------------- */

int cmd_heal(struct command_call *call)
{
	json_t *fields = json_object(), *names = json_array(), *answer = NULL;
	struct why why;
	int i;

	for (i = 0; i < call->argc; i++)
		json_array_append_new(names, json_string(call->argv[i]));
	if (call->argc)
		json_object_set(fields, "names", names);
	json_decref(names);
	if (client_call(call->client, "heal", fields, CLIENT_CALL_MS, &answer, &why))
		return refused(&why);
	if (call->json)
		ui_json(json_object_get(answer, "cuts"));
	else
		print_cuts(answer, "healed",
			   call->argc ? "other partitions still cut all of it"
				      : "nothing was cut");
	json_decref(answer);
	return STATUS_DONE;
}
