/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

static void free_pairs(struct plan_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
	free(pairs);
}

static void free_node(struct plan_node *node)
{
	free(node->kind);
	free(node->image);
	free(node->kernel);
	for (size_t i = 0; i < node->interface_count; i++)
		free(node->interfaces[i].addrs);
	free(node->interfaces);
	free(node->routes);
	free_pairs(node->env, node->env_count);
	free_pairs(node->sysctls, node->sysctl_count);
	for (size_t i = 0; i < node->file_count; i++) {
		free(node->files[i].path);
		free(node->files[i].content);
		free(node->files[i].source);
	}
	free(node->files);
	for (size_t i = 0; i < node->service_count; i++) {
		free(node->services[i].name);
		free(node->services[i].cmd);
		free(node->services[i].ready.text);
	}
	free(node->services);
	free(node->depends);
}

static void free_link(struct plan_link *link)
{
	free(link->name);
	for (int dir = 0; dir < DIRS; dir++)
		fault_spec_free(link->fault[dir]);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->node_count; i++)
		free_node(&plan->nodes[i]);
	for (size_t i = 0; i < plan->link_count; i++)
		free_link(&plan->links[i]);
	for (size_t i = 0; i < plan->partition_count; i++)
		free(plan->partitions[i].part_of);
	for (size_t i = 0; i < plan->host_count; i++)
		free(plan->hosts[i].names);
	free(plan->nodes);
	free(plan->links);
	free(plan->segments);
	free(plan->partitions);
	for (size_t i = 0; i < plan->profile_count; i++)
		fault_spec_free(plan->profiles[i].spec);
	free(plan->profiles);
	free(plan->hosts);
	free(plan->dir);
	free(plan->file);
	free(plan);
}

int plan_find_node(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->node_count; i++)
		if (!strcmp(plan->nodes[i].name, name))
			return (int)i;
	return -1;
}

int plan_find_link(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->link_count; i++)
		if (!strcmp(plan->links[i].name, name))
			return (int)i;
	return -1;
}
