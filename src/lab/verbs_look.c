/* SPDX-License-Identifier: MIT */
/* hello, ps, inspect: what there is. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "fabric/fault_json.h"
#include "fabric/fidelity.h"
#include "base/text.h"
#include "lab/verbs.h"
#include "faultwords/fault_words.h"
#include "plan/plan_json.h"

enum { PROTOCOL = 1 };

int verb_hello(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;

	(void)why;
	call_answer(call, json_pack("{s:s, s:i, s:s, s:s}", "netlab", NETLAB_VERSION,
				    "protocol", PROTOCOL, "lab", lab->name, "state",
				    lab_phase_name(lab->phase)));
	return 0;
}

/* ---- machines ---------------------------------------------------------- */

static json_t *services_json(const struct machine *machine)
{
	const struct plan_node *plan = machine_plan(machine);
	json_t *all = json_array();

	for (size_t i = 0; i < plan->service_count; i++) {
		const struct service *service = machine_service(machine, i);
		json_t *one = json_pack("{s:s, s:s, s:b}", "name", plan->services[i].name,
					"state", service_state_name(service->state),
					"ready", service->state == SERVICE_READY);

		if (service->state == SERVICE_EXITED)
			json_object_set_new(one, "exit", json_integer(service->exit));
		if (service->restarts)
			json_object_set_new(one, "restarts", json_integer(service->restarts));
		if (*machine_service_error(machine, i))
			json_object_set_new(one, "why",
					    text_json_z(machine_service_error(machine, i)));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *addrs_json(const struct plan_node *plan)
{
	char text[PLAN_ADDR_BYTES_MAX];
	json_t *all = json_array();

	for (size_t i = 0; i < plan->interface_count; i++)
		for (size_t a = 0; a < plan->interfaces[i].addr_count; a++)
			json_array_append_new(
				all, json_string(plan_addr_format(
					     &plan->interfaces[i].addrs[a], true, text)));
	return all;
}

/* NULL: all that it said is in the run directory. */
static json_t *left_out_json(const struct machine *machine)
{
	struct machine_left_out left_out = machine_left_out(machine);

	if (!left_out.messages && !left_out.console_bytes && !left_out.log_bytes)
		return NULL;
	return json_pack("{s:I, s:I, s:I}", "messages", (json_int_t)left_out.messages,
			 "console_bytes", (json_int_t)left_out.console_bytes, "log_bytes",
			 (json_int_t)left_out.log_bytes);
}

static json_t *node_json(const struct machine *machine)
{
	json_t *left_out = left_out_json(machine);
	const struct plan_node *plan = machine_plan(machine);
	json_t *node =
		json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", plan->name, "kind",
			  plan->kind, "state", machine_state_name(machine_state(machine)),
			  "addrs", addrs_json(plan), "services", services_json(machine));

	if (machine_has_process(machine))
		json_object_set_new(node, "pid", json_integer(machine_pid(machine)));
	if (machine_cpu(machine) >= 0)
		json_object_set_new(node, "cpu", json_integer(machine_cpu(machine)));
	if (machine_is_paused(machine))
		json_object_set_new(node, "paused", json_true());
	if (*machine_reason(machine))
		json_object_set_new(node, "why", text_json_z(machine_reason(machine)));
	if (machine_ready_ns(machine))
		json_object_set_new(node, "ready_ns",
				    json_integer((json_int_t)machine_ready_ns(machine)));
	if (left_out)
		json_object_set_new(node, "left_out", left_out);
	return node;
}

int verb_ps(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	json_t *nodes = json_array();

	(void)why;
	for (size_t i = 0; i < lab->plan->node_count; i++)
		json_array_append_new(nodes, node_json(lab->machines[i]));
	call_answer(call, json_pack("{s:s, s:s, s:o}", "lab", lab->name, "state",
				    lab_phase_name(lab->phase), "nodes", nodes));
	return 0;
}

/* ---- everything -------------------------------------------------------- */

static json_t *ports_json(const struct lab *lab, uint32_t node)
{
	const struct plan_node *plan = &lab->plan->nodes[node];
	json_t *all = json_array();

	for (uint32_t i = 0; i < plan->interface_count; i++) {
		const struct plan_interface *interface = &plan->interfaces[i];
		uint32_t port = wire_port(lab->fabric.wire, (struct plan_endpoint){ node, i });
		char mac[18];

		json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "name",
				  wire_port_name(lab->fabric.wire, port), "state",
				  port_state_name(wire_port_state(lab->fabric.wire, port)),
				  "mac", plan_mac_format(interface->mac, mac), "link",
				  lab->plan->links[interface->link].name, "in",
				  count_json(wire_port_count_in(lab->fabric.wire, port)), "out",
				  count_json(wire_port_count_out(lab->fabric.wire, port))));
	}
	return all;
}

static json_t *nodes_json(const struct lab *lab)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < lab->plan->node_count; i++) {
		const struct kernel *kernel = machine_kernel(lab->machines[i]);
		json_t *node = node_json(lab->machines[i]);

		if (kernel)
			json_object_set_new(node, "kernel",
					    json_pack("{s:s, s:s}", "path", kernel->path,
						      "release", kernel->release));
		json_object_set_new(node, "ports", ports_json(lab, i));
		json_array_append_new(all, node);
	}
	return all;
}

int verb_inspect(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	size_t cut_count;
	json_t *cuts = cuts_json(lab->fabric.cuts, &cut_count);
	json_t *answer = json_pack("{s:s, s:s, s:I, s:b, s:s, s:s, s:I, s:I}", "lab",
				   lab->name, "state", lab_phase_name(lab->phase), "seed",
				   (json_int_t)lab->seed, "seed_drawn", lab->seed_drawn,
				   "topology", lab->plan->file, "run_dir", lab->run.path,
				   "started_at", (json_int_t)lab->info.started_at,
				   "now_ns", (json_int_t)clock_now_ns(lab->clock));

	(void)why;
	if (lab->ready_ns)
		json_object_set_new(answer, "ready_ns",
				    json_integer((json_int_t)lab->ready_ns));
	json_object_set_new(answer, "clock",
			    json_string(lab->vtime ? "virtual" : "real"));
	if (lab->digest)
		json_object_set_new(answer, "digest", digest_json(lab));
	json_object_set_new(answer, "pid", json_integer(lab->info.process.pid));
	json_object_set_new(answer, "nodes", nodes_json(lab));
	json_object_set_new(answer, "directions", fault_all_json(&lab->fabric, true));
	json_object_set_new(answer, "cuts", cuts);
	json_object_set_new(answer, "cut_count", json_integer((json_int_t)cut_count));
	json_object_set_new(answer, "fidelity", fidelity_run(lab->fabric.wire));
	json_object_set_new(answer, "partitions", cuts_partitions_json(lab->fabric.cuts));
	json_object_set_new(answer, "captures", captures_json(lab->fabric.captures));
	json_object_set_new(answer, "plan", plan_to_json(lab->plan));
	call_answer(call, answer);
	return 0;
}
