/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/dot.h"
#include "cli/labref.h"
#include "cli/live_graph.h"
#include "cli/open_topology.h"
#include "cli/ui.h"
#include "plan/cut_ways.h"
#include "plan/plan_json.h"

/* What is allowed and most likely not meant, of the partitions.  Who is drawn depends on
 * the seed; what a draw leaves open does not. */
static json_t *warnings_of(const struct plan *plan)
{
	json_t *all = json_array();

	for (size_t i = 0; i < plan->partition_count; i++) {
		const struct partition *partition = &plan->partitions[i];
		struct cut_draw draw;
		struct cut_ways ways;
		struct why why = { "" };
		int rc = cut_draw_most(&draw, partition, plan->node_count, 0, &why);

		if (rc)
			continue;
		rc = cut_ways(&ways, plan, &draw, &why);
		cut_draw_free(&draw);
		if (!rc && cut_ways_warning(&ways, plan, &why))
			json_array_append_new(
				all, json_sprintf("partition %s: %s",
						  *partition->name ? partition->name
								   : "without a name",
						  why.text));
	}
	return all;
}

static void print_warnings(const char *file, const json_t *warnings)
{
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)warnings, i, one)
		ui_warning("%s: %s", file, json_string_value(one));
}

static int check_one(const struct command_call *call, const char *file, json_t *all)
{
	struct diagnostics diags = { 0 };
	struct plan *plan = NULL;
	json_t *one = NULL, *warnings;
	int rc = compile_file(call, file, &plan, &diags);

	warnings = rc ? json_array() : warnings_of(plan);

	if (call->json) {
		one = diagnostics_to_json(&diags);
		json_object_set_new(one, "file", json_string(file));
		json_object_set_new(one, "ok", json_boolean(rc == 0));
		if (json_array_size(warnings))
			json_object_set(one, "warnings", warnings);
		if (!rc && call_option(call, "expand"))
			json_object_set_new(one, "plan", plan_to_json(plan));
		json_array_append_new(all, one);
	} else if (rc) {
		diagnostics_print(&diags, stderr);
	} else if (call_option(call, "expand")) {
		one = plan_to_json(plan);
		ui_json(one);
		json_decref(one);
	} else {
		printf("%s: good: lab \"%s\", %zu machine%s, %zu link%s, %zu network%s\n",
		       file, plan->name, plan->node_count, UI_PLURAL(plan->node_count),
		       plan->link_count, UI_PLURAL(plan->link_count), plan->segment_count,
		       UI_PLURAL(plan->segment_count));
	}
	if (!call->json)
		print_warnings(file, warnings);
	json_decref(warnings);
	diagnostics_free(&diags);
	plan_free(plan);
	return rc ? STATUS_FAILED : STATUS_DONE;
}

int cmd_check(struct command_call *call)
{
	json_t *all = call->json ? json_array() : NULL;
	int i, status = STATUS_DONE;

	for (i = 0; i < call->argc; i++)
		if (check_one(call, call->argv[i], all))
			status = STATUS_FAILED;
	if (call->json)
		ui_json(all);
	json_decref(all);
	return status;
}

static int draw_file(struct command_call *call)
{
	struct diagnostics diags = { 0 };
	struct plan *plan = NULL;
	int rc = compile_file(call, call->argv[0], &plan, &diags);

	if (rc)
		diagnostics_print(&diags, stderr);
	else
		dot_print(plan, stdout);
	diagnostics_free(&diags);
	plan_free(plan);
	return rc;
}

static int draw_lab(struct command_call *call)
{
	struct state_info lab;
	json_t *answer = NULL;
	struct why why;
	int rc = labref_find(&lab, call->lab_wanted, true, &why);

	if (!rc)
		rc = labref_connect(lab.name, &call->client, &why);
	if (!rc)
		rc = client_call(call->client, "inspect", NULL, CLIENT_CALL_MS, &answer,
				 &why);
	if (rc)
		ui_error("%s", why.text);
	else
		live_graph_print(answer, stdout);
	json_decref(answer);
	return rc;
}

int cmd_graph(struct command_call *call)
{
	int rc = call->argc ? draw_file(call) : draw_lab(call);

	return rc ? STATUS_FAILED : STATUS_DONE;
}
