/* SPDX-License-Identifier: MIT */
/* test_topology_help.h - compile a text, and look at what came of it */
#ifndef NL_TEST_TOPOLOGY_HELP_H
#define NL_TEST_TOPOLOGY_HELP_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "topology/compile.h"
#include "plan/plan_json.h"

/* Everything that was wrong, as text; the caller's. */
static inline char *words_of(const struct diagnostics *diags)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	diagnostics_print(diags, to);
	fclose(to);
	return text;
}

static inline struct plan *compile_with(const char *text,
					const struct topology_options *options)
{
	struct diagnostics diags = { .count = 0 };
	struct plan *plan;

	if (topology_compile_text(text, strlen(text), "/lab/t.json", "/lab", options,
				  &plan, &diags)) {
		cleanup_free char *words = words_of(&diags);

		diagnostics_free(&diags);
		fail_msg("%s", words);
	}
	assert_int_equal(diags.total, 0);
	return plan;
}

static inline struct plan *compile(const char *text)
{
	return compile_with(text, NULL);
}

/* It must not compile; returns why not. */
static inline char *refuse_with(const char *text, const struct topology_options *options)
{
	struct diagnostics diags = { .count = 0 };
	struct plan *plan;
	char *words;

	assert_int_equal(topology_compile_text(text, strlen(text), "t.json", "/lab",
					       options, &plan, &diags),
			 -EINVAL);
	assert_null(plan);
	assert_true(diags.total > 0);
	words = words_of(&diags);
	diagnostics_free(&diags);
	return words;
}

static inline char *refuse(const char *text)
{
	return refuse_with(text, NULL);
}

static inline const struct plan_node *node_of(const struct plan *plan, const char *name)
{
	int index = plan_find_node(plan, name);

	if (index < 0)
		fail_msg("no node %s", name);
	return &plan->nodes[index];
}

static inline const struct plan_link *link_of(const struct plan *plan, const char *name)
{
	int index = plan_find_link(plan, name);

	if (index < 0)
		fail_msg("no link %s", name);
	return &plan->links[index];
}

/* "eth0 10.0.0.1/24 fd00::1/64, eth1 -" */
static inline const char *interfaces_of(const struct plan *plan, const char *name)
{
	static char text[2048];
	const struct plan_node *node = node_of(plan, name);
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 i ? ", " : "", interface->name);
		for (size_t a = 0; a < interface->addr_count; a++) {
			char addr[PLAN_ADDR_BYTES_MAX];

			used += (size_t)snprintf(
				text + used, sizeof(text) - used, " %s",
				plan_addr_format(&interface->addrs[a], true, addr));
		}
		if (!interface->addr_count)
			used += (size_t)snprintf(text + used, sizeof(text) - used, " -");
	}
	return text;
}

/* "0.0.0.0/0 via 10.0.0.1, ..." */
static inline const char *routes_of(const struct plan *plan, const char *name)
{
	static char text[4096];
	const struct plan_node *node = node_of(plan, name);
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < node->route_count && used < sizeof(text) - 100; i++) {
		char to[PLAN_ADDR_BYTES_MAX], via[PLAN_ADDR_BYTES_MAX];

		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s via %s", i ? ", " : "",
			plan_addr_format(&node->routes[i].to, true, to),
			plan_addr_format(&node->routes[i].via, false, via));
	}
	return text;
}

/* Names of all links, in order. */
static inline const char *links_of(const struct plan *plan)
{
	static char text[4096];
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < plan->link_count && used < sizeof(text) - 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 i ? " " : "", plan->links[i].name);
	return text;
}

#endif
