/* SPDX-License-Identifier: MIT */
#include "agentproto/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agentproto/proto.h"
#include "base/check.h"

enum {
	ADDR_TEXT_BYTES = INET6_ADDRSTRLEN + 4,
	BOOT_BYTES = 128, /* what struct agent_boot can add */
};

/* "10.0.0.1", or "10.0.0.1/24". */
static json_t *addr_json(const struct plan_addr *addr, bool with_prefix)
{
	char ip[INET6_ADDRSTRLEN], text[ADDR_TEXT_BYTES];

	if (!inet_ntop(addr->family, &addr->ip, ip, sizeof(ip)))
		return NULL;
	if (!with_prefix)
		return json_string(ip);
	snprintf(text, sizeof(text), "%s/%u", ip, addr->prefix);
	return json_string(text);
}

static json_t *interface_json(const struct plan_interface *iface)
{
	json_t *addrs = json_array();
	const uint8_t *m = iface->mac;
	char mac[18];

	for (size_t i = 0; i < iface->addr_count; i++)
		json_array_append_new(addrs, addr_json(&iface->addrs[i], true));
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
		 m[4], m[5]);
	return json_pack("{s:s, s:s, s:I, s:o}", "name", iface->name, "mac", mac, "mtu",
			 (json_int_t)iface->mtu_bytes, "addrs", addrs);
}

static json_t *interfaces_json(const struct plan_node *node)
{
	json_t *all = json_array();

	for (size_t i = 0; i < node->interface_count; i++)
		json_array_append_new(all, interface_json(&node->interfaces[i]));
	return all;
}

static json_t *routes_json(const struct plan_node *node)
{
	json_t *all = json_array();

	for (size_t i = 0; i < node->route_count; i++)
		json_array_append_new(
			all, json_pack("{s:o, s:o}", "to", addr_json(&node->routes[i].to, true),
				       "via", addr_json(&node->routes[i].via, false)));
	return all;
}

static json_t *hosts_json(const struct plan *plan)
{
	json_t *all = json_array();

	for (size_t i = 0; i < plan->host_count; i++)
		json_array_append_new(all, json_pack("{s:o, s:s}", "addr",
						     addr_json(&plan->hosts[i].addr, false),
						     "names", plan->hosts[i].names));
	return all;
}

static json_t *pairs_json(const struct plan_pair *pairs, size_t count)
{
	json_t *all = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(all, pairs[i].key, json_string(pairs[i].value));
	return all;
}

static json_t *files_json(const struct plan_node *node)
{
	json_t *all = json_array();

	for (size_t i = 0; i < node->file_count; i++) {
		const struct plan_file *file = &node->files[i];

		json_array_append_new(all, json_pack("{s:s, s:I, s:s*, s:s*}", "path",
						     file->path, "mode",
						     (json_int_t)file->mode, "content",
						     file->content, "source",
						     file->content ? NULL : file->source));
	}
	return all;
}

static json_t *ready_json(const struct plan_ready *ready)
{
	static const char *const keys[] = { [READY_FILE] = "file", [READY_CMD] = "cmd" };
	json_t *test = json_pack("{s:I}", "timeout_ns", (json_int_t)ready->timeout_ns);

	if (ready->kind == READY_TCP)
		json_object_set_new(test, "tcp", json_integer(ready->tcp_port));
	else
		json_object_set_new(test, keys[ready->kind], json_string(ready->text));
	return test;
}

static json_t *services_json(const struct plan_node *node)
{
	json_t *all = json_array();

	for (size_t i = 0; i < node->service_count; i++) {
		const struct plan_service *service = &node->services[i];
		json_t *one = json_pack("{s:s, s:s}", "name", service->name, "cmd",
					service->cmd);

		if (service->ready.kind != READY_NONE)
			json_object_set_new(one, "ready", ready_json(&service->ready));
		if (service->restart != RESTART_NO)
			json_object_set_new(one, "restart",
					    json_string(restart_name(service->restart)));
		json_array_append_new(all, one);
	}
	return all;
}

/* hosts is taken over. */
static json_t *config_json(const struct plan *plan, size_t node,
			   const struct agent_boot *boot, json_t *hosts)
{
	const struct plan_node *n;
	json_t *all;

	ASSERT(node < plan->node_count);
	n = &plan->nodes[node];
	all = json_pack("{s:i, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			"version", PROTO_VERSION, "lab",
			boot && boot->lab ? boot->lab : plan->name, "name", n->name,
			"forward", n->forward, "ipv6", n->ipv6, "interfaces",
			interfaces_json(n), "routes", routes_json(n), "hosts",
			hosts, "sysctls", pairs_json(n->sysctls, n->sysctl_count),
			"env", pairs_json(n->env, n->env_count), "files", files_json(n),
			"services", services_json(n));
	if (all && boot && boot->wall_ns)
		json_object_set_new(all, "wall_ns", json_integer((json_int_t)boot->wall_ns));
	return all;
}

json_t *agent_config_json(const struct plan *plan, size_t node,
			  const struct agent_boot *boot)
{
	return config_json(plan, node, boot, hosts_json(plan));
}

static int too_large(const char *name, size_t size, struct why *why)
{
	return why_set(why, -E2BIG,
		       "node %s: its configuration has %zu bytes, at most %u fit; put "
		       "large files into the topology's folder and use \"source\"",
		       name, size, PROTO_PAYLOAD_BYTES_MAX);
}

/* json is taken over; SIZE_MAX: out of memory. */
static size_t text_size(json_t *json)
{
	char *dump = json ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t size = dump ? strlen(dump) : SIZE_MAX;

	json_decref(json);
	free(dump);
	return size;
}

int agent_config_check(const struct plan *plan, struct why *why)
{
	size_t hosts = text_size(hosts_json(plan)); /* the same for all */

	for (size_t node = 0; node < plan->node_count; node++) {
		const char *name = plan->nodes[node].name;
		size_t own = text_size(config_json(plan, node, NULL, json_array()));

		if (hosts == SIZE_MAX || own == SIZE_MAX)
			return why_set(why, -ENOMEM,
				       "node %s: out of memory for its configuration", name);
		if (own + hosts + BOOT_BYTES > PROTO_PAYLOAD_BYTES_MAX)
			return too_large(name, own + hosts, why);
	}
	return 0;
}

int agent_config_text(const struct plan *plan, size_t node, const struct agent_boot *boot,
		      char **text, size_t *size, struct why *why)
{
	const char *name = plan->nodes[node].name;
	json_t *json = agent_config_json(plan, node, boot);
	char *dump = json ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t length;

	json_decref(json);
	if (!dump)
		return why_set(why, -ENOMEM, "node %s: out of memory for its configuration",
			       name);
	length = strlen(dump);
	if (length > PROTO_PAYLOAD_BYTES_MAX) {
		free(dump);
		return too_large(name, length, why);
	}
	*text = dump;
	*size = length;
	return 0;
}
