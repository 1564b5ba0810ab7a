/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/compile.h"
#include "cli/dot.h"
#include "cli/ui.h"
#include "topology/plan_json.h"

static int check_one(const struct call *call, const char *file, json_t *all)
{
	struct diagnostics diags = { 0 };
	struct plan *plan = NULL;
	json_t *one = NULL;
	int rc = compile_file(call, file, &plan, &diags);

	if (call->json) {
		one = diagnostics_to_json(&diags);
		json_object_set_new(one, "file", json_string(file));
		json_object_set_new(one, "ok", json_boolean(rc == 0));
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
	diagnostics_free(&diags);
	plan_free(plan);
	return rc ? STATUS_FAILED : STATUS_DONE;
}

int cmd_check(struct call *call)
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

int cmd_graph(struct call *call)
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
	return rc ? STATUS_FAILED : STATUS_DONE;
}
