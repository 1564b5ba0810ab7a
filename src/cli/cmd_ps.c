/* SPDX-License-Identifier: MIT */
/* What is there: labs, alive and dead, and their machines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/labref.h"
#include "cli/ui.h"

enum { PS_MS = 3000 };

static json_t *ask(const struct state_info *lab, char *problem, size_t bytes)
{
	struct client *client = NULL;
	json_t *answer = NULL;
	struct why why;
	int rc;

	rc = labref_connect(lab->name, &client, &why);
	if (!rc)
		client_quiet(client);
	if (!rc)
		rc = client_call(client, "ps", NULL, PS_MS, &answer, &why);
	client_free(client);
	if (rc)
		snprintf(problem, bytes, "%s", labref_without_name(why.text, lab->name));
	return rc ? NULL : answer;
}

static enum paint paint_of(const char *state)
{
	if (!strcmp(state, "ready") || !strcmp(state, "running"))
		return PAINT_GREEN;
	if (!strcmp(state, "failed") || !strcmp(state, "lost") || !strcmp(state, "dead"))
		return PAINT_RED;
	if (!strcmp(state, "stopped"))
		return PAINT_DIM;
	return PAINT_YELLOW;
}

/* "redis ready, web starting" */
static const char *services_text(char *text, size_t bytes, const json_t *services)
{
	const json_t *one;
	size_t i, used = 0;

	snprintf(text, bytes, "-");
	json_array_foreach(services, i, one)
	{
		const char *why = json_string_value(json_object_get(one, "why"));
		json_int_t restarts = json_integer_value(json_object_get(one, "restarts"));
		char again[48] = "";

		if (restarts)
			snprintf(again, sizeof(again), " (restarted %" JSON_INTEGER_FORMAT "x)",
				 restarts);
		if (used < bytes)
			used += (size_t)snprintf(text + used, bytes - used,
						 "%s%s %s%s%s%s", i ? ", " : "",
						 fault_word(json_object_get(one, "name")),
						 fault_word(json_object_get(one, "state")), again,
						 why ? ": " : "", why ? why : "");
	}
	return text;
}

static void node_rows(struct table *table, const json_t *answer)
{
	const json_t *node, *pid, *reason;
	char text[512];
	size_t i;

	json_array_foreach(json_object_get(answer, "nodes"), i, node)
	{
		const char *state = json_is_true(json_object_get(node, "paused"))
					    ? "paused"
					    : fault_word(json_object_get(node, "state"));

		reason = json_object_get(node, "why");
		pid = json_object_get(node, "pid");
		table_cell(table, PAINT_OFF, "%s", "");
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(node, "name")));
		table_cell(table, paint_of(state), "%s", state);
		if (json_integer_value(pid))
			table_cell(table, PAINT_OFF, "%" JSON_INTEGER_FORMAT,
				   json_integer_value(pid));
		else
			table_cell(table, PAINT_OFF, "-");
		table_cell(table, PAINT_OFF, "%s",
			   json_string_length(reason)
				   ? json_string_value(reason)
				   : services_text(text, sizeof(text),
						   json_object_get(node, "services")));
	}
}

static void lab_row(struct table *table, const struct state_info *lab)
{
	const char *state = state_kind_name(lab->kind);

	table_cell(table, PAINT_BOLD, "%s", lab->name);
	table_cell(table, PAINT_OFF, "%s", "");
	table_cell(table, paint_of(state), "%s", state);
	if (lab->process.pid && lab->kind != STATE_DEAD)
		table_cell(table, PAINT_OFF, "%d", (int)lab->process.pid);
	else
		table_cell(table, PAINT_OFF, "-");
	table_cell(table, PAINT_DIM, "%s", lab->topology);
}

static json_t *lab_json(const struct state_info *lab, const json_t *answer,
			const char *problem)
{
	json_t *nodes = json_object_get(answer, "nodes");
	json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:s, s:I, s:o}", "lab", lab->name,
			      "state", state_kind_name(lab->kind), "pid",
			      (int)lab->process.pid, "topology", lab->topology, "run_dir",
			      lab->run_dir, "started_at", (json_int_t)lab->started_at,
			      "nodes", nodes ? json_incref(nodes) : json_array());

	if (json_object_get(answer, "record_lost"))
		json_object_set(o, "record_lost",
				json_object_get(answer, "record_lost"));
	if (*problem)
		json_object_set_new(o, "problem", json_string(problem));
	return o;
}

static json_int_t count_in(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* A machine that floods its own record. */
static void explain_left_out(const json_t *node)
{
	const json_t *left_out = json_object_get(node, "left_out");

	if (left_out)
		ui_note("\n%s says more than is kept: %" JSON_INTEGER_FORMAT
			" messages about its services, %" JSON_INTEGER_FORMAT
			" bytes of its console and %" JSON_INTEGER_FORMAT
			" of its logs are left out",
			fault_word(json_object_get(node, "name")),
			count_in(left_out, "messages"),
			count_in(left_out, "console_bytes"),
			count_in(left_out, "log_bytes"));
}

/* What the table has no place for. */
static void explain(const struct state_info *lab, const json_t *nodes,
		    const char *problem, const char *lost)
{
	const json_t *node;
	size_t i;

	json_array_foreach((json_t *)nodes, i, node)
		explain_left_out(node);
	if (*lost)
		ui_note("\nThe record of %s's run is incomplete: %s", lab->name, lost);
	if (lab->kind == STATE_DEAD) {
		ui_note("\n%s is dead: its process was killed, and its machines ended "
			"with it.",
			lab->name);
		if (*lab->run_dir)
			ui_note("  What it recorded: %s", lab->run_dir);
		ui_note("  Clear what is left: netlab down %s", lab->name);
	} else if (*problem) {
		ui_note("\n%s does not answer: %s\n  End it by force: netlab down %s",
			lab->name, problem, lab->name);
	}
}

static const char *text_in(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static int print_labs(const struct command_call *call, const struct state_info *labs,
		      size_t count)
{
	struct table *table = table_new(5, "LAB", "NODE", "STATE", "PID", "SERVICES");
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < count; i++) {
		char problem[WHY_BYTES_MAX] = "";
		json_t *answer = NULL;

		if (labs[i].kind != STATE_DEAD)
			answer = ask(&labs[i], problem, sizeof(problem));
		json_array_append_new(all, lab_json(&labs[i], answer, problem));
		lab_row(table, &labs[i]);
		node_rows(table, answer);
		json_decref(answer);
	}
	if (call->json)
		ui_json(all);
	else if (count)
		table_print(table, stdout);
	else
		printf("no labs; start one: netlab up FILE\n");
	for (i = 0; i < count && !call->json; i++) {
		const json_t *one = json_array_get(all, i);

		explain(&labs[i], json_object_get(one, "nodes"), text_in(one, "problem"),
			text_in(one, "record_lost"));
	}
	table_free(table);
	json_decref(all);
	return STATUS_DONE;
}

int cmd_ps(struct command_call *call)
{
	cleanup_free struct state_info *labs = NULL;
	const char *wanted = call->argc ? call->argv[0] : call_option(call, "lab");
	struct state_info one;
	size_t count = 0;
	struct why why;
	int rc;

	rc = wanted ? labref_find(&one, wanted, false, &why)
		    : state_list(&labs, &count, &why);
	if (rc) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	return wanted ? print_labs(call, &one, 1) : print_labs(call, labs, count);
}
