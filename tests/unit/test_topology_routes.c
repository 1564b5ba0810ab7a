/* SPDX-License-Identifier: MIT */
/* Do packets arrive?  Each test compiles a lab and then plays every node's
 * routing table: longest prefix first, next hop by next hop, as kernels do. */
#include <arpa/inet.h>
#include <sys/resource.h>

#include "plan/ipnet.h"
#include "unit/test_topology_help.h"

/* Do two interfaces share a wire? */
static bool same_wire(const struct plan *plan, uint32_t link_a, uint32_t link_b)
{
	const struct plan_link *a = &plan->links[link_a], *b = &plan->links[link_b];

	return link_a == link_b ||
	       (a->b_kind == LINK_TO_SEGMENT && b->b_kind == LINK_TO_SEGMENT &&
		a->segment == b->segment);
}

static bool has_address(const struct plan_interface *interface, const struct ipnet *addr)
{
	for (size_t i = 0; i < interface->addr_count; i++) {
		struct ipnet own = ipnet_from_plan(&interface->addrs[i]);

		if (own.family == addr->family && own.num == addr->num)
			return true;
	}
	return false;
}

static bool is_own(const struct plan_node *node, const struct ipnet *addr)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (has_address(&node->interfaces[i], addr))
			return true;
	return false;
}

/* Who has this address on the wire of that interface?  -1: nobody. */
static long neighbour(const struct plan *plan, uint32_t link, const struct ipnet *addr)
{
	for (size_t n = 0; n < plan->node_count; n++)
		for (size_t i = 0; i < plan->nodes[n].interface_count; i++)
			if (same_wire(plan, link, plan->nodes[n].interfaces[i].link) &&
			    has_address(&plan->nodes[n].interfaces[i], addr))
				return (long)n;
	return -1;
}

/* The interface on whose subnet the address is, or NULL. */
static const struct plan_interface *connected(const struct plan_node *node,
					      const struct ipnet *addr, int *prefix)
{
	const struct plan_interface *best = NULL;

	for (size_t i = 0; i < node->interface_count; i++) {
		for (size_t a = 0; a < node->interfaces[i].addr_count; a++) {
			struct ipnet own = ipnet_from_plan(&node->interfaces[i].addrs[a]);
			struct ipnet net = ipnet_of(&own);

			if (net.family == addr->family &&
			    ipnet_contains(&net, addr->num) && net.prefix > *prefix) {
				*prefix = net.prefix;
				best = &node->interfaces[i];
			}
		}
	}
	return best;
}

/* One step of a packet; the next node or -1. */
static long step(const struct plan *plan, uint32_t at, const struct ipnet *to)
{
	const struct plan_node *node = &plan->nodes[at];
	int prefix = -1;
	const struct plan_interface *out = connected(node, to, &prefix);
	struct ipnet next = *to;

	for (size_t i = 0; i < node->route_count; i++) {
		struct ipnet net = ipnet_from_plan(&node->routes[i].to);

		if (net.family != to->family || net.prefix <= prefix ||
		    !ipnet_contains(&net, to->num))
			continue;
		prefix = net.prefix;
		next = ipnet_from_plan(&node->routes[i].via);
	}
	if (next.num != to->num) {
		prefix = -1;
		out = connected(node, &next, &prefix);
	}
	return out ? neighbour(plan, out->link, &next) : -1;
}

/* Links on the way from a node to an address; -1: it does not arrive. */
static long travel(const struct plan *plan, uint32_t from, const struct ipnet *to)
{
	uint32_t at = from;

	for (long links = 0; links < 64; links++) {
		long next;

		if (is_own(&plan->nodes[at], to))
			return links;
		if (links && !plan->nodes[at].forward)
			return -1;
		next = step(plan, at, to);
		if (next < 0)
			return -1;
		at = (uint32_t)next;
	}
	return -1;
}

static const struct ipnet *name_of(const struct plan *plan, uint32_t node, int family)
{
	static struct ipnet addr;
	size_t size = strlen(plan->nodes[node].name);

	for (size_t i = 0; i < plan->host_count; i++) {
		if (plan->hosts[i].addr.family != family ||
		    strncmp(plan->hosts[i].names, plan->nodes[node].name, size) ||
		    (plan->hosts[i].names[size] && plan->hosts[i].names[size] != ' '))
			continue;
		addr = ipnet_from_plan(&plan->hosts[i].addr);
		return &addr;
	}
	return NULL;
}

static bool share_wire(const struct plan *plan, size_t a, size_t b)
{
	for (size_t i = 0; i < plan->nodes[a].interface_count; i++)
		for (size_t j = 0; j < plan->nodes[b].interface_count; j++)
			if (same_wire(plan, plan->nodes[a].interfaces[i].link,
				      plan->nodes[b].interfaces[j].link))
				return true;
	return false;
}

/* Every node reaches every name, over as few links as there are (may_forward:
 * by the file), and every address somehow.  The distances are found by another
 * way than the compiler's: Floyd and Warshall's. */
static void check_all(const struct plan *plan, int family,
		      bool (*may_forward)(const char *))
{
	size_t n = plan->node_count;
	unsigned *d = calloc(n * n, sizeof(*d));

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			d[i * n + j] = i == j ? 0 : share_wire(plan, i, j) ? 1 : 1000;
	for (size_t k = 0; k < n; k++) {
		if (may_forward && !may_forward(plan->nodes[k].name))
			continue;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				if (d[i * n + k] + d[k * n + j] < d[i * n + j])
					d[i * n + j] = d[i * n + k] + d[k * n + j];
	}
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < n; j++) {
			long links = travel(plan, i, name_of(plan, j, family));
			long want = d[i * n + j] >= 1000 ? -1 : (long)d[i * n + j];

			if (links != want)
				fail_msg("%s to %s: %ld links, not %ld",
					 plan->nodes[i].name, plan->nodes[j].name, links,
					 want);
		}
		for (size_t h = 0; h < plan->host_count && !may_forward; h++) {
			struct ipnet to = ipnet_from_plan(&plan->hosts[h].addr);

			if (to.family == family && travel(plan, i, &to) < 0)
				fail_msg("%s does not reach %s", plan->nodes[i].name,
					 plan->hosts[h].names);
		}
	}
	free(d);
}

static void every_name_is_reached_over_the_fewest_links(void **state)
{
	static const char *const labs[] = {
		"{\"nodes\":{\"n\":{\"count\":3}},\"patterns\":[{\"pattern\":\"ring\","
		"\"nodes\":[\"n\"]}]}",
		"{\"nodes\":{\"n\":{\"count\":9}},\"patterns\":[{\"pattern\":\"ring\","
		"\"nodes\":[\"n\"]}]}",
		"{\"nodes\":{\"n\":{\"count\":12}},\"patterns\":[{\"pattern\":\"line\","
		"\"nodes\":[\"n\"]}]}",
		"{\"nodes\":{\"n\":{\"count\":7}},\"patterns\":[{\"pattern\":\"mesh\","
		"\"nodes\":[\"n\"]}]}",
		"{\"nodes\":{\"n\":{\"count\":15}},\"patterns\":[{\"pattern\":\"tree\","
		"\"nodes\":[\"n\"]}]}",
		"{\"nodes\":{\"a[1-4]\":{},\"b[1-4]\":{},\"g[1-2]\":{}},\"networks\":{"
		"\"x\":{"
		"\"members\":[\"a[1-4]\",\"g1\"]},\"y\":{\"members\":[\"b[1-4]\",\"g2\"]}"
		"},"
		"\"links\":[{\"endpoints\":[\"g1\",\"g2\"]},{\"endpoints\":[\"a1\","
		"\"b1\"]}]}",
		"{\"nodes\":{\"n\":{\"count\":6}},\"networks\":{\"x\":{\"members\":["
		"\"n\"]},"
		"\"y\":{\"members\":[\"n[1-3]\"]},\"z\":{\"members\":[\"n[3-6]\"]}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labs); i++) {
		struct plan *plan = compile(labs[i]);

		check_all(plan, AF_INET, NULL);
		plan_free(plan);
	}
}

static void random_labs_are_routed_in_both_families(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct topology_options options = { .seed_given = true, .seed = seed };
		char text[512];
		struct plan *plan;

		snprintf(
			text, sizeof(text),
			"{\"nodes\":{\"n\":{\"count\":%d}},\"networks\":{\"lan\":{"
			"\"members\":"
			"[\"n[2-5]\"],\"subnet6\":\"auto\"}},\"patterns\":[{\"pattern\":"
			"\"random\",\"nodes\":[\"n\"],\"edges\":%d,\"pool6\":\"auto\"}]}",
			8 + (int)(seed % 13), 12 + (int)(seed % 9) + (int)(seed % 13));
		plan = compile_with(text, &options);
		check_all(plan, AF_INET, NULL);
		check_all(plan, AF_INET6, NULL);
		plan_free(plan);
	}
}

static bool not_m(const char *name)
{
	return *name != 'm';
}

static void nothing_is_routed_over_a_node_that_must_not_forward(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"n\":{\"count\":4},\"m\":{\"forward\":false}},\"links\":[{"
		"\"endpoints\":[\"n1\",\"m\"]},{\"endpoints\":[\"m\",\"n4\"]}],"
		"\"patterns\":[{"
		"\"pattern\":\"line\",\"nodes\":[\"n\"]}]}");

	(void)state;
	assert_false(node_of(plan, "m")->forward);
	assert_true(node_of(plan, "n2")->forward);
	check_all(plan, AF_INET, not_m);
	plan_free(plan);
}

static void a_lab_in_two_parts_has_no_routes_between_them(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"m\":{\"forward\":false},\"b\":{}},\"links\":[{"
		"\"endpoints\":[\"a\",\"m\"]},{\"endpoints\":[\"m\",\"b\"]}]}");

	(void)state;
	check_all(plan, AF_INET, not_m);
	assert_string_equal(routes_of(plan, "m"), "");
	plan_free(plan);
}

static void a_host_has_a_default_route_and_a_router_has_none(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"h1\":{},\"h2\":{},\"r1\":{},\"r2\":{}},\"links\":[{"
		"\"endpoints\":"
		"[\"h1\",\"r1\"]},{\"endpoints\":[\"r1\",\"r2\"]},{\"endpoints\":[\"r2\","
		"\"h2\"]}]}");

	(void)state;
	assert_string_equal(routes_of(plan, "h1"), "0.0.0.0/0 via 10.128.0.2");
	assert_string_equal(routes_of(plan, "r1"), "10.128.0.8/30 via 10.128.0.6");
	assert_true(node_of(plan, "r1")->forward);
	assert_true(node_of(plan, "r2")->forward);
	assert_false(node_of(plan, "h1")->forward);
	plan_free(plan);
}

static void of_two_ways_the_one_over_the_first_name_is_taken(void **state)
{
	/* By number, not by letter, and wherever they stand in the file. */
	struct plan *plan = compile(
		"{\"nodes\":{\"h\":{},\"r10\":{},\"r2\":{},\"k\":{}},\"networks\":{\"x\":"
		"{"
		"\"members\":[\"h\",\"r10\",\"r2\"]},\"y\":{\"members\":[\"k\",\"r10\","
		"\"r2\"]}}}");

	(void)state;
	assert_string_equal(routes_of(plan, "h"), "0.0.0.0/0 via 10.0.0.3");
	/* Besides, r10 is called by its address on x, and is nearer over y. */
	assert_string_equal(routes_of(plan, "k"),
			    "0.0.0.0/0 via 10.0.1.3, 10.0.0.2/32 via 10.0.1.2");
	assert_false(node_of(plan, "r10")->forward);
	plan_free(plan);
	/* The same when they are on different wires. */
	plan = compile("{\"nodes\":{\"h\":{},\"r10\":{},\"r2\":{},\"k\":{}},\"links\":["
		       "{\"endpoints\":[\"h\",\"r10\"]},{\"endpoints\":[\"h\",\"r2\"]}],"
		       "\"networks\":{\"y\":{\"members\":[\"k\",\"r10\",\"r2\"]}}}");
	assert_string_equal(routes_of(plan, "h"),
			    "10.0.0.0/24 via 10.128.0.6, 10.0.0.2/32 "
			    "via 10.128.0.2");
	plan_free(plan);
}

static void neighbouring_subnets_become_one_route(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"b\":{\"forward\":true},\"x\":{\"forward\":true}},"
		"\"networks\":{\"p\":{\"subnet\":\"10.0.0.0/24\",\"members\":[\"a\"]},"
		"\"q\":{\"subnet\":\"10.0.1.0/24\",\"members\":[\"a\"]},"
		"\"r\":{\"subnet\":\"10.0.2.0/23\",\"members\":[\"a\"]},"
		"\"s\":{\"subnet\":\"10.0.5.0/24\",\"members\":[\"a\"]},"
		"\"t\":{\"subnet\":\"10.0.6.0/24\",\"members\":[\"a\"]}},"
		"\"links\":[{\"endpoints\":[\"a\",\"b\"]},{\"endpoints\":[\"b\",\"x\"]}]"
		"}");

	(void)state;
	assert_string_equal(routes_of(plan, "b"),
			    "10.0.0.0/22 via 10.128.0.1, 10.0.5.0/24 via 10.128.0.1, "
			    "10.0.6.0/24 via 10.128.0.1");
	plan_free(plan);
}

static void routing_none_means_none(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"b\":{},\"c\":{\"forward\":true}},\"links\":["
		"{\"endpoints\":[\"a\",\"b\"]},{\"endpoints\":[\"b\",\"c\"]}],"
		"\"routing\":\"none\"}");

	(void)state;
	for (size_t i = 0; i < plan->node_count; i++)
		assert_int_equal(plan->nodes[i].route_count, 0);
	assert_false(node_of(plan, "b")->forward);
	assert_true(node_of(plan, "c")->forward);
	plan_free(plan);
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
}

/* CPU time, so that a busy machine does not fail it; sanitizers take ten times
 * as long as the real thing, which needs about 0.05 s. */
static void a_thousand_nodes_are_routed_in_no_time(void **state)
{
	static const char *const labs[] = {
		"{\"nodes\":{\"n\":{\"count\":1024}},\"patterns\":[{\"pattern\":\"ring\","
		"\"nodes\":[\"n\"]}]}",
		"{\"nodes\":{\"n\":{\"count\":1000}},\"networks\":{\"lan\":{\"members\":"
		"[\"n\"]}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labs); i++) {
		double start = cpu_seconds();
		struct plan *plan = compile(labs[i]);

		assert_true(cpu_seconds() - start < 5);
		plan_free(plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_reached_over_the_fewest_links),
		cmocka_unit_test(random_labs_are_routed_in_both_families),
		cmocka_unit_test(nothing_is_routed_over_a_node_that_must_not_forward),
		cmocka_unit_test(a_lab_in_two_parts_has_no_routes_between_them),
		cmocka_unit_test(a_host_has_a_default_route_and_a_router_has_none),
		cmocka_unit_test(of_two_ways_the_one_over_the_first_name_is_taken),
		cmocka_unit_test(neighbouring_subnets_become_one_route),
		cmocka_unit_test(routing_none_means_none),
		cmocka_unit_test(a_thousand_nodes_are_routed_in_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
