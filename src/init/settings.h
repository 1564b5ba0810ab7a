/* SPDX-License-Identifier: MIT */
/* settings.h - the guest's side of CONFIG: read and checked, nothing done yet
 *
 * Unknown keys are an error: lab and agent are built together, so an unknown key
 * means that they were not.
 *
 * Errors:    0, or -EINVAL with the JSON path and what is wrong.
 * Ownership: settings_free() frees everything below; strings are never NULL
 *            unless the comment says so.
 * Threads:   pure.
 */
#ifndef NL_INIT_SETTINGS_H
#define NL_INIT_SETTINGS_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "plan/plan.h"

/* The plan's own structs serve again where they mean the same: plan_addr,
 * plan_route, plan_pair, plan_file, plan_service. */
struct settings_interface {
	char name[PLAN_IFNAME_BYTES_MAX];
	uint8_t mac[6];
	uint32_t mtu_bytes;
	struct plan_addr *addrs;
	size_t addr_count;
};

struct settings_host {
	char *addr;
	char *names;
};

struct settings {
	json_t *json; /* owns every string below */
	const char *lab, *name;
	bool forward, ipv6;
	uint64_t wall_ns; /* 0: leave the clock */
	struct settings_interface *interfaces;
	size_t interface_count;
	struct plan_route *routes;
	size_t route_count;
	struct settings_host *hosts;
	size_t host_count;
	struct plan_pair *sysctls, *env;
	size_t sysctl_count, env_count;
	struct plan_file *files;
	size_t file_count;
	struct plan_service *services;
	size_t service_count;
};

int settings_parse(const uint8_t *text, size_t size, struct settings *out,
		   struct why *why);
void settings_free(struct settings *settings); /* all zeros: does nothing */

/* "02:00:00:00:00:01" */
void settings_mac_text(const uint8_t mac[6], char out[18]);

#endif
