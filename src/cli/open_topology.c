/* SPDX-License-Identifier: MIT */
#include "cli/open_topology.h"

#include <errno.h>
#include <stdlib.h>

#include "agentproto/config.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/ui.h"
#include "topology/cost.h"

const char **compile_sets(const struct command_call *call, size_t *count)
{
	const char **sets = ui_need(calloc(call->given_count + 1, sizeof(*sets))), *set;
	size_t cursor = 0;

	*count = 0;
	while ((set = call_option_next(call, "set", &cursor)))
		sets[(*count)++] = set;
	return sets;
}

int compile_file(const struct command_call *call, const char *file, struct plan **out,
		 struct diagnostics *diags)
{
	struct topology_options options = { .name = call_option(call, "name") };
	const char *seed = call_option(call, "seed"),
		   *cost_given = call_option(call, "cost");
	struct plan_cost cost;
	struct why why;
	int err;
	cleanup_free const char **sets = compile_sets(call, &options.set_count);

	options.sets = sets;
	if (cost_given && !cost_parse(cost_given, &cost, NULL))
		options.cost = &cost;
	options.seed_given = seed && !units_parse_count(seed, &options.seed, NULL);
	err = topology_compile_file(file, &options, out, diags);
	if (err || !agent_config_check(*out, &why))
		return err;
	diags->file = file;
	complain_place(diags, (struct tree_place){ 0 }, NULL, "%s", why.text);
	diags->file = NULL;
	plan_free(*out);
	*out = NULL;
	return -E2BIG;
}

int compile_seed_check(const struct command_call *call, struct why *why)
{
	const char *seed = call_option(call, "seed");
	uint64_t number;

	/* Whatever a topology file can say; JSON knows no larger whole numbers. */
	if (seed && (units_parse_count(seed, &number, NULL) || number > INT64_MAX))
		return why_set(why, -EINVAL,
			       "--seed %s: a seed is a whole number from 0 to 2^63-1",
			       seed);
	return 0;
}
