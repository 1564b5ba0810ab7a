/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "plan/plan_json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/arena.h"
#include "plan/epoch.h"
#include "faultwords/fault_words.h"
#include "partition/partition.h"
#include "base/utf8.h"

const char *plan_addr_format(const struct plan_addr *addr, bool with_prefix,
			     char text[PLAN_ADDR_BYTES_MAX])
{
	size_t used;

	inet_ntop(addr->family, &addr->ip, text, PLAN_ADDR_BYTES_MAX);
	used = strlen(text);
	if (with_prefix)
		snprintf(text + used, PLAN_ADDR_BYTES_MAX - used, "/%u", addr->prefix);
	return text;
}

const char *plan_mac_format(const uint8_t mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
}

/* A path of the host can be any bytes; JSON cannot. */
static json_t *path_json(const char *path)
{
	cleanup_free char *text = strdup(path);

	if (!text)
		return NULL;
	utf8_clean(text);
	return json_string(text);
}

static json_t *pairs_json(const struct plan_pair *pairs, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, pairs[i].key, json_string(pairs[i].value));
	return object;
}

static json_t *interface_json(const struct plan *plan,
			      const struct plan_interface *interface)
{
	json_t *addresses = json_array();
	char mac[18];

	for (size_t i = 0; i < interface->addr_count; i++) {
		char text[PLAN_ADDR_BYTES_MAX];

		plan_addr_format(&interface->addrs[i], true, text);
		json_array_append_new(addresses, json_string(text));
	}
	return json_pack("{s:s,s:s,s:i,s:s,s:o}", "name", interface->name, "mac",
			 plan_mac_format(interface->mac, mac), "mtu",
			 (int)interface->mtu_bytes, "link",
			 plan->links[interface->link].name, "addresses", addresses);
}

static json_t *routes_json(const struct plan_node *node)
{
	json_t *routes = json_array();

	for (size_t i = 0; i < node->route_count; i++) {
		const struct plan_route *route = &node->routes[i];
		char to[PLAN_ADDR_BYTES_MAX], via[PLAN_ADDR_BYTES_MAX];

		json_array_append_new(
			routes, json_pack("{s:s,s:s}", "to",
					  plan_addr_format(&route->to, true, to), "via",
					  plan_addr_format(&route->via, false, via)));
	}
	return routes;
}

static json_t *ready_json(const struct plan_ready *ready)
{
	switch (ready->kind) {
	case READY_TCP:
		return json_pack("{s:i}", "tcp", (int)ready->tcp_port);
	case READY_FILE:
		return json_pack("{s:s}", "file", ready->text);
	case READY_CMD:
		return json_pack("{s:s}", "cmd", ready->text);
	default:
		return NULL;
	}
}

static json_t *run_json(const struct plan_node *node)
{
	json_t *run = json_array();

	for (size_t i = 0; i < node->service_count; i++) {
		const struct plan_service *service = &node->services[i];
		char timeout[UNITS_TEXT_BYTES_MAX];
		json_t *object = json_pack("{s:s,s:s}", "name", service->name, "cmd",
					   service->cmd);

		if (service->ready.kind != READY_NONE) {
			units_format_ns(timeout, service->ready.timeout_ns);
			json_object_set_new(object, "ready", ready_json(&service->ready));
			json_object_set_new(object, "timeout", json_string(timeout));
		}
		if (service->restart != RESTART_NO)
			json_object_set_new(object, "restart",
					    json_string(restart_name(service->restart)));
		json_array_append_new(run, object);
	}
	return run;
}

static json_t *files_json(const struct plan_node *node)
{
	json_t *files = json_object();

	for (size_t i = 0; i < node->file_count; i++) {
		const struct plan_file *file = &node->files[i];
		char mode[16];

		snprintf(mode, sizeof(mode), "%04o", file->mode);
		json_object_set_new(
			files, file->path,
			json_pack("{s:s,s:s}", file->content ? "content" : "source",
				  file->content ? file->content : file->source, "mode",
				  mode));
	}
	return files;
}

static json_t *cost_json(const struct plan_cost *cost)
{
	char syscall[UNITS_TEXT_BYTES_MAX], change[UNITS_TEXT_BYTES_MAX];

	return json_pack("{s:s,s:s}", "syscall",
			 cost->syscall_given ? units_format_ns(syscall, cost->syscall_ns)
					     : "rising",
			 "switch",
			 units_format_ns(change, cost->switch_ns));
}

static json_t *clock_json(const struct plan_clock *clock)
{
	char offset[UNITS_TEXT_BYTES_MAX], drift[UNITS_TEXT_BYTES_MAX];

	return json_pack("{s:s,s:s}", "offset",
			 units_format_signed_ns(offset, clock->offset_ns), "drift",
			 units_format_signed_ppb(drift, clock->drift_ppb));
}

static json_t *node_json(const struct plan *plan, const struct plan_node *node)
{
	json_t *interfaces = json_array(), *depends = json_array();
	char memory[UNITS_TEXT_BYTES_MAX];
	json_t *object;

	for (size_t i = 0; i < node->interface_count; i++)
		json_array_append_new(interfaces,
				      interface_json(plan, &node->interfaces[i]));
	for (size_t i = 0; i < node->depend_count; i++)
		json_array_append_new(depends,
				      json_string(plan->nodes[node->depends[i]].name));
	object = json_pack("{s:s,s:s,s:o,s:o*,s:s,s:b}", "name", node->name, "kind",
			   node->kind, "image",
			   path_json(node->image ? node->image : "host"), "kernel",
			   node->kernel ? path_json(node->kernel) : NULL, "memory",
			   units_format_memory(memory, node->memory_bytes), "forward",
			   (int)node->forward);
	json_object_set_new(object, "cost", cost_json(&node->cost));
	json_object_set_new(object, "clock", clock_json(&node->clock));
	json_object_set_new(object, "interfaces", interfaces);
	json_object_set_new(object, "routes", routes_json(node));
	json_object_set_new(object, "env", pairs_json(node->env, node->env_count));
	json_object_set_new(object, "sysctl",
			    pairs_json(node->sysctls, node->sysctl_count));
	json_object_set_new(object, "files", files_json(node));
	json_object_set_new(object, "run", run_json(node));
	json_object_set_new(object, "depends", depends);
	return object;
}

static json_t *endpoint_json(const struct plan *plan, const struct plan_endpoint *end)
{
	const struct plan_node *node = &plan->nodes[end->node];

	return json_sprintf("%s:%s", node->name, node->interfaces[end->interface].name);
}

static json_t *link_json(const struct plan *plan, const struct plan_link *link)
{
	bool is_member = link->b_kind == LINK_TO_SEGMENT;
	json_t *object = json_pack("{s:s,s:o}", "name", link->name, "a",
				   endpoint_json(plan, &link->a));

	if (is_member)
		json_object_set_new(object, "network",
				    json_string(plan->segments[link->segment].name));
	else
		json_object_set_new(object, "b", endpoint_json(plan, &link->b));
	json_object_set_new(object, "faults",
			    json_pack("{s:o,s:o}", "a->b",
				      fault_words_to_json(link->fault[DIR_AB]), "b->a",
				      fault_words_to_json(link->fault[DIR_BA])));
	return object;
}

/* The nodes of that side, or with that part. */
static json_t *part_json(const struct plan *plan, const struct partition *partition,
			 uint32_t part)
{
	json_t *names = json_array();

	for (size_t i = 0; i < plan->node_count; i++)
		if (partition->part_of[i] == part)
			json_array_append_new(names, json_string(plan->nodes[i].name));
	return names;
}

static void put_text(json_t *object, const char *key, uint64_t ns)
{
	char text[UNITS_TEXT_BYTES_MAX];

	if (ns)
		json_object_set_new(object, key, json_string(units_format_ns(text, ns)));
}

json_t *plan_partition_json(const struct plan *plan,
			    const struct partition *partition)
{
	json_t *json = json_object(), *sides, *picked;

	if (*partition->name)
		json_object_set_new(json, "name", json_string(partition->name));
	if (partition->kind == PARTITION_SIDES) {
		sides = json_array();
		for (uint32_t side = 1; side <= partition->side_count; side++)
			json_array_append_new(sides, part_json(plan, partition, side));
		json_object_set_new(json, "sides", sides);
	} else {
		json_object_set_new(json, "kind",
				    json_string(partition_kind_name(partition->kind)));
		picked = part_json(plan, partition, PART_PICKED);
		if (json_array_size(picked))
			json_object_set(json, "nodes", picked);
		json_decref(picked);
		json_object_set_new(json, "among",
				    part_json(plan, partition, PART_MEMBER));
	}
	json_object_set_new(json, "one-way", json_boolean(partition->one_way));
	put_text(json, "every", partition->every_ns);
	put_text(json, "min-stable", partition->stable_ns);
	return json;
}

static json_t *hosts_json(const struct plan *plan)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < plan->host_count; i++) {
		char address[PLAN_ADDR_BYTES_MAX];

		plan_addr_format(&plan->hosts[i].addr, false, address);
		json_array_append_new(hosts, json_pack("{s:s,s:s}", "address", address,
						       "names", plan->hosts[i].names));
	}
	return hosts;
}

static json_t *networks_json(const struct plan *plan)
{
	json_t *networks = json_array();

	for (size_t i = 0; i < plan->segment_count; i++) {
		char ageing[UNITS_TEXT_BYTES_MAX];

		units_format_ns(ageing, plan->segments[i].ageing_ns);
		json_array_append_new(networks, json_pack("{s:s,s:s}", "name",
							  plan->segments[i].name,
							  "ageing", ageing));
	}
	return networks;
}

json_t *plan_to_json(const struct plan *plan)
{
	json_t *nodes = json_array(), *links = json_array(), *partitions = json_array();
	char epoch[EPOCH_TEXT_BYTES];

	for (size_t i = 0; i < plan->node_count; i++)
		json_array_append_new(nodes, node_json(plan, &plan->nodes[i]));
	for (size_t i = 0; i < plan->link_count; i++)
		json_array_append_new(links, link_json(plan, &plan->links[i]));
	for (size_t i = 0; i < plan->partition_count; i++)
		json_array_append_new(partitions,
				      plan_partition_json(plan, &plan->partitions[i]));
	return json_pack(
		"{s:s,s:o,s:s,s:s*,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", plan->name, "seed",
		plan->seed_given ? json_integer((json_int_t)plan->seed) : json_null(),
		"clock", plan->virtual_time ? "virtual" : "real", "epoch",
		plan->epoch_s ? epoch_format(epoch, plan->epoch_s) : NULL,
		"file", path_json(plan->file), "dir", path_json(plan->dir), "nodes",
		nodes, "networks", networks_json(plan), "links", links, "partitions",
		partitions, "hosts", hosts_json(plan));
}
