/* SPDX-License-Identifier: MIT */
/* What is to be known of a running lab, and which machine a request means. */
#include <errno.h>

#include "lab/lab_internal.h"

struct lab_count lab_count(const struct lab *lab)
{
	struct lab_count count = { .nodes = (unsigned)lab->plan->node_count };

	for (size_t i = 0; i < lab->plan->node_count; i++) {
		const struct machine *machine = lab->machines[i];
		enum machine_state state = machine_state(machine);

		count.booted += state >= MACHINE_CONFIGURED && state <= MACHINE_READY;
		count.gone += !machine_has_process(machine);
		count.services += (unsigned)machine_plan(machine)->service_count;
		for (size_t s = 0; s < machine_plan(machine)->service_count; s++)
			count.ready += machine_service(machine, s)->was_ready;
	}
	return count;
}

/* A hundred machines are told of in ten milliseconds. */
bool lab_is_large(void *ctx)
{
	enum { LARGE = 64 };
	const struct lab *lab = ctx;
	size_t pair_count;

	wire_pairs(lab->fabric.wire, &pair_count);
	return lab->plan->node_count + lab->plan->link_count + pair_count > LARGE;
}

int lab_machine(const struct lab *lab, const json_t *body, struct machine **out,
		struct why *why)
{
	const char *name = json_string_value(json_object_get(body, "node"));
	int node;

	if (!name)
		return why_set(why, -EINVAL, "\"node\": a machine's name was expected");
	node = plan_find_node(lab->plan, name);
	if (node < 0)
		return why_set(why, -ENOENT, "no machine is named %.64s", name);
	*out = lab->machines[node];
	return 0;
}
