/* SPDX-License-Identifier: MIT */
/* Any bytes are a plan or an error with a place; what is a plan has a JSON, and
 * is the same plan when compiled again.
 *
 * Build with -DNETLAB_FUZZ=ON (clang), then:
 *	fuzz_topology -max_total_time=60 -max_len=4096 -dict=fuzz/topology.dict \
 *		fuzz/corpus/fuzz_topology
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "topology/compile.h"
#include "plan/plan_json.h"

static void check_errors(const struct diagnostics *diags)
{
	json_t *json = diagnostics_to_json(diags);

	ASSERT(json && diags->total && diags->count);
	json_decref(json);
	for (size_t i = 0; i < diags->count; i++)
		ASSERT(*diags->items[i].message);
}

static void check_plan(const struct plan *plan, const char *text, size_t size)
{
	json_t *json = plan_to_json(plan), *again;
	struct diagnostics diags = { .count = 0 };
	struct plan *second;

	ASSERT(json);
	ASSERT(!topology_compile_text(text, size, "fuzz.json", "/", NULL, &second,
				      &diags));
	again = plan_to_json(second);
	ASSERT(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	plan_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line, if it begins with '=', is a --set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diags = { .count = 0 };
	struct topology_options options = { 0 };
	const char *text = (const char *)data;
	const char *line = size && *data == '=' ? memchr(data, '\n', size) : NULL;
	char *set = NULL;
	struct plan *plan;

	if (line) {
		set = strndup(text + 1, (size_t)(line - text - 1));
		options.sets = (const char *const *)&set;
		options.set_count = 1;
		size -= (size_t)(line + 1 - text);
		text = line + 1;
	}
	if (topology_compile_text(text, size, "fuzz.json", "/", &options, &plan, &diags))
		check_errors(&diags);
	else if (!set && plan->node_count <= 64)
		check_plan(plan, text, size);
	plan_free(plan);
	diagnostics_free(&diags);
	free(set);
	return 0;
}
