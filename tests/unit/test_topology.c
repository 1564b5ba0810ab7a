/* SPDX-License-Identifier: MIT */
/* What a topology file means: nodes, inheritance, wiring, names, addresses. */
#include "unit/test_topology_help.h"

static void count_and_ranges_make_nodes_in_the_order_of_the_file(void **state)
{
	struct plan *plan = compile("{\"nodes\":{\"n\":{\"count\":3},\"db[2,8-9]-x\":{},"
				    "\"z[08-10]\":{},\"one\":{\"count\":1}}}");
	static const char *const names[] = { "n1",    "n2",  "n3",  "db2-x", "db8-x",
					     "db9-x", "z08", "z09", "z10",   "one1" };

	(void)state;
	assert_int_equal(plan->node_count, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_string_equal(plan->nodes[i].name, names[i]);
		assert_int_equal(plan_find_node(plan, names[i]), i);
	}
	assert_int_equal(plan_find_node(plan, "n"), -1);
	plan_free(plan);
}

static void a_counted_key_stands_for_all_its_nodes(void **state)
{
	struct plan *plan = compile("{\"nodes\":{\"n\":{\"count\":3}},"
				    "\"networks\":{\"lan\":{\"members\":[\"n\"]}}}");

	(void)state;
	assert_string_equal(links_of(plan), "lan.n1 lan.n2 lan.n3");
	plan_free(plan);
}

static const char *env_of(const struct plan_node *node, const char *key)
{
	for (size_t i = 0; i < node->env_count; i++)
		if (!strcmp(node->env[i].key, key))
			return node->env[i].value;
	return "(none)";
}

static void the_node_wins_over_its_groups_its_kind_and_the_defaults(void **state)
{
	struct plan *plan = compile(
		"{\"defaults\":{\"memory\":\"32M\",\"env\":{\"A\":\"d\",\"B\":\"d\","
		"\"C\":\"d\",\"D\":\"d\",\"E\":\"d\"},\"run\":[{\"cmd\":\"d\"}]},"
		"\"kinds\":{\"uml\":{\"memory\":\"33M\",\"env\":{\"B\":\"k\",\"C\":\"k\","
		"\"D\":\"k\",\"E\":\"k\"}}},"
		"\"groups\":{\"g\":{\"memory\":\"34M\",\"env\":{\"C\":\"g\",\"D\":\"g\","
		"\"E\":\"g\"},\"run\":[{\"cmd\":\"g1\"},{\"cmd\":\"g2\"}]},"
		"\"h\":{\"env\":{\"D\":\"h\",\"E\":\"h\"}}},"
		"\"nodes\":{\"a\":{\"group\":[\"g\",\"h\"],\"env\":{\"E\":\"n\"}},"
		"\"b\":{\"group\":[\"h\",\"g\"],\"memory\":\"35M\",\"run\":[]},\"c\":{}}"
		"}");
	const struct plan_node *a = node_of(plan, "a"), *b = node_of(plan, "b");
	const struct plan_node *c = node_of(plan, "c");

	(void)state;
	assert_int_equal(a->memory_bytes, UINT64_C(34) << 20);
	assert_int_equal(b->memory_bytes, UINT64_C(35) << 20);
	assert_int_equal(c->memory_bytes, UINT64_C(33) << 20);
	assert_string_equal(env_of(a, "A"), "d");
	assert_string_equal(env_of(a, "B"), "k");
	assert_string_equal(env_of(a, "C"), "g");
	assert_string_equal(env_of(a, "D"), "h");
	assert_string_equal(env_of(a, "E"), "n");
	assert_string_equal(env_of(b, "D"), "g");
	assert_int_equal(a->env_count, 5);
	/* run is not merged: the last level that has it is all. */
	assert_int_equal(a->service_count, 2);
	assert_string_equal(a->services[0].cmd, "g1");
	assert_int_equal(b->service_count, 0);
	assert_int_equal(c->service_count, 1);
	plan_free(plan);
}

static void services_are_named_after_their_command_and_never_alike(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{\"run\":[{\"cmd\":\"A=1 B=2 /usr/bin/redis-server "
		"--x\"},"
		"{\"cmd\":\"redis-server\"},{\"cmd\":\"x\",\"name\":\"redis-server-2\"},"
		"{\"cmd\":\"((\"},{\"cmd\":\"  sleep 1\"}]}}}");
	const struct plan_node *a = node_of(plan, "a");

	(void)state;
	assert_string_equal(a->services[0].name, "redis-server");
	assert_string_equal(a->services[1].name, "redis-server-3");
	assert_string_equal(a->services[2].name, "redis-server-2");
	assert_string_equal(a->services[3].name, "service");
	assert_string_equal(a->services[4].name, "sleep");
	plan_free(plan);
}

static void readiness_has_its_test_and_its_time(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{\"run\":[{\"cmd\":\"a\",\"ready\":{\"tcp\":6379}},"
		"{\"cmd\":\"b\",\"ready\":{\"file\":\"/x\"},\"timeout\":\"5s\"},"
		"{\"cmd\":\"c\",\"ready\":{\"cmd\":\"true\"}},{\"cmd\":\"d\"}]}}}");
	const struct plan_service *s = node_of(plan, "a")->services;

	(void)state;
	assert_int_equal(s[0].ready.kind, READY_TCP);
	assert_int_equal(s[0].ready.tcp_port, 6379);
	assert_int_equal(s[0].ready.timeout_ns, UINT64_C(60000000000));
	assert_int_equal(s[1].ready.kind, READY_FILE);
	assert_string_equal(s[1].ready.text, "/x");
	assert_int_equal(s[1].ready.timeout_ns, UINT64_C(5000000000));
	assert_int_equal(s[2].ready.kind, READY_CMD);
	assert_int_equal(s[3].ready.kind, READY_NONE);
	plan_free(plan);
}

static void a_service_says_if_it_is_restarted(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{\"run\":[{\"cmd\":\"a\"},"
		"{\"cmd\":\"b\",\"restart\":\"always\"},"
		"{\"cmd\":\"c\",\"restart\":\"on-failure\"},"
		"{\"cmd\":\"d\",\"restart\":\"no\"}]}}}");
	const struct plan_service *s = node_of(plan, "a")->services;

	(void)state;
	assert_int_equal(s[0].restart, RESTART_NO);
	assert_int_equal(s[1].restart, RESTART_ALWAYS);
	assert_int_equal(s[2].restart, RESTART_ON_FAILURE);
	assert_int_equal(s[3].restart, RESTART_NO);
	plan_free(plan);
}

static void links_have_the_names_that_plan_h_says(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"b\":{},\"c\":{}},"
		"\"networks\":{\"lan\":{\"members\":[\"a\",\"a:eth9\",\"b\"]}},"
		"\"links\":[{\"endpoints\":[\"a\",\"b\"]},{\"endpoints\":[\"b\",\"a\"]},"
		"{\"endpoints\":[\"c\",\"a\"]},{\"endpoints\":[\"c\",\"a\"],\"name\":"
		"\"x\"}],"
		"\"patterns\":[{\"pattern\":\"line\",\"nodes\":[\"a\",\"b\",\"c\"],"
		"\"name\":\"p\"}]}");

	(void)state;
	assert_string_equal(links_of(plan),
			    "lan.a:eth0 lan.a:eth9 lan.b a:eth1--b:eth1 b:eth2--a:eth2 "
			    "c--a x p.a--b p.b--c");
	assert_int_equal(plan_find_link(plan, "x"), 6);
	assert_int_equal(plan_find_link(plan, "y"), -1);
	plan_free(plan);
}

static void every_interface_is_an_end_of_exactly_one_link(void **state)
{
	struct plan *plan =
		compile("{\"nodes\":{\"n\":{\"count\":6}},\"networks\":{\"lan\":{"
			"\"members\":[\"n\"]}},"
			"\"patterns\":[{\"pattern\":\"mesh\",\"nodes\":[\"n\"]}]}");
	unsigned ends = 0;

	(void)state;
	for (uint32_t i = 0; i < plan->link_count; i++) {
		const struct plan_link *link = &plan->links[i];

		assert_int_equal(
			plan->nodes[link->a.node].interfaces[link->a.interface].link, i);
		ends++;
		if (link->b_kind != LINK_TO_INTERFACE)
			continue;
		assert_int_equal(
			plan->nodes[link->b.node].interfaces[link->b.interface].link, i);
		ends++;
	}
	for (size_t i = 0; i < plan->node_count; i++)
		ends -= (unsigned)plan->nodes[i].interface_count;
	assert_int_equal(ends, 0);
	assert_int_equal(plan->link_count, 6 + 15);
	plan_free(plan);
}

static void interfaces_are_named_networks_first_around_the_given_names(void **state)
{
	struct plan *plan = compile("{\"nodes\":{\"a\":{},\"b\":{},\"c\":{}},\"links\":[{"
				    "\"endpoints\":[\"a\","
				    "\"b\"]},{\"endpoints\":[\"a:eth0\",\"c\"]}],"
				    "\"networks\":{\"lan\":{\"members\":[\"a\"]}}}");

	(void)state;
	assert_string_equal(interfaces_of(plan, "a"),
			    "eth0 10.128.0.5/30, eth1 10.0.0.1/24, eth2 10.128.0.1/30");
	plan_free(plan);
}

static void addresses_are_derived_around_the_given_ones(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"n\":{\"count\":4}},\"networks\":{"
		"\"a\":{\"members\":[\"n\"]},"
		"\"b\":{\"subnet\":\"10.0.1.0/"
		"29\",\"members\":[{\"node\":\"n1\",\"ipv4\":"
		"\"10.0.1.2\"},\"n2\",\"n3\",{\"node\":\"n4\",\"ipv4\":\"10.0.1.1\"}]},"
		"\"c\":{\"members\":[\"n1\",{\"node\":\"n2\",\"ipv4\":\"none\"},\"n3\"]},"
		"\"d\":{\"subnet\":\"none\",\"members\":[\"n4\"]}}}");

	(void)state;
	assert_string_equal(interfaces_of(plan, "n1"),
			    "eth0 10.0.0.1/24, eth1 10.0.1.2/29, eth2 10.0.2.1/24");
	assert_string_equal(interfaces_of(plan, "n2"),
			    "eth0 10.0.0.2/24, eth1 10.0.1.3/29, eth2 -");
	assert_string_equal(interfaces_of(plan, "n3"),
			    "eth0 10.0.0.3/24, eth1 10.0.1.4/29, eth2 10.0.2.2/24");
	assert_string_equal(interfaces_of(plan, "n4"),
			    "eth0 10.0.0.4/24, eth1 10.0.1.1/29, eth2 -");
	plan_free(plan);
}

static void ipv6_is_there_only_where_it_is_asked_for(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"b\":{},\"c\":{}},\"networks\":{\"x\":{"
		"\"subnet6\":"
		"\"auto\",\"members\":[\"a\",\"b\"]},\"y\":{\"members\":[\"b\",\"c\"]}},"
		"\"links\":[{\"endpoints\":[\"a\",{\"node\":\"b\",\"ipv6\":\"fd00:5::1/"
		"127\"}],"
		"\"subnet\":\"none\"}]}");

	(void)state;
	assert_string_equal(interfaces_of(plan, "a"),
			    "eth0 10.0.0.1/24 fd00:6e6c::1/64, eth1 fd00:5::/127");
	assert_string_equal(interfaces_of(plan, "b"),
			    "eth0 10.0.0.2/24 fd00:6e6c::2/64, eth1 10.0.1.1/24, eth2 "
			    "fd00:5::1/127");
	assert_true(node_of(plan, "a")->ipv6);
	assert_false(node_of(plan, "c")->ipv6);
	plan_free(plan);
}

static void a_large_network_gets_a_large_subnet(void **state)
{
	struct plan *plan = compile("{\"nodes\":{\"n\":{\"count\":1000}},\"networks\":{"
				    "\"small\":{\"members\":"
				    "[\"n1\"]},\"large\":{\"members\":[\"n\"]},\"next\":{"
				    "\"members\":[\"n1\"]}}}");

	(void)state;
	assert_string_equal(interfaces_of(plan, "n1"),
			    "eth0 10.0.0.1/24, eth1 10.0.4.1/22, eth2 10.0.8.1/24");
	assert_string_equal(interfaces_of(plan, "n1000"), "eth0 10.0.7.232/22");
	plan_free(plan);
}

static void network_faults_stand_on_the_way_from_the_member(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"b\":{},\"c\":{}},\"networks\":{\"lan\":{"
		"\"delay\":"
		"\"1ms\",\"rate\":\"1Mbit\",\"members\":[\"a\",{\"node\":\"b\",\"delay\":"
		"\"5ms\",\"loss\":\"1%\",\"in\":{\"loss\":\"2%\"}},{\"node\":\"c\","
		"\"rate\":"
		"\"none\"}]}}}");
	const struct plan_link *a = link_of(plan, "lan.a"), *b = link_of(plan, "lan.b");
	const struct plan_link *c = link_of(plan, "lan.c");

	(void)state;
	assert_int_equal(a->b_kind, LINK_TO_SEGMENT);
	assert_int_equal(a->fault[DIR_AB]->rule[0].delay_ns, 1000000);
	assert_int_equal(a->fault[DIR_AB]->rule[0].rate_bps, 1000000);
	assert_true(fault_spec_is_perfect(a->fault[DIR_BA]));
	assert_int_equal(b->fault[DIR_AB]->rule[0].delay_ns, 5000000);
	assert_int_equal(b->fault[DIR_AB]->rule[0].loss.p_ppb, 10000 * FAULT_PPM);
	assert_int_equal(b->fault[DIR_AB]->rule[0].rate_bps, 1000000);
	assert_int_equal(b->fault[DIR_BA]->rule[0].loss.p_ppb, 20000 * FAULT_PPM);
	assert_int_equal(b->fault[DIR_BA]->rule[0].delay_ns, 0);
	assert_int_equal(c->fault[DIR_AB]->rule[0].rate_bps, 0);
	plan_free(plan);
}

static void a_direction_of_a_link_has_its_own_faults(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"a\":{},\"b\":{}},\"links\":[{\"name\":\"x\",\"endpoints\":"
		"[\"a:eth3\",\"b\"],\"delay\":\"1ms\",\"loss\":\"1%\",\"b->a:eth3\":{"
		"\"loss\":"
		"\"0%\",\"down\":true},\"a->b\":{\"delay\":\"7ms\"}}]}");
	const struct plan_link *x = link_of(plan, "x");

	(void)state;
	assert_int_equal(x->fault[DIR_AB]->rule[0].delay_ns, 7000000);
	assert_int_equal(x->fault[DIR_AB]->rule[0].loss.p_ppb, 10000 * FAULT_PPM);
	assert_false(x->fault[DIR_AB]->rule[0].down);
	assert_int_equal(x->fault[DIR_BA]->rule[0].delay_ns, 1000000);
	assert_int_equal(x->fault[DIR_BA]->rule[0].loss.p_ppb, 0);
	assert_true(x->fault[DIR_BA]->rule[0].down);
	plan_free(plan);
}

static void hardware_addresses_are_local_different_and_not_of_the_seed(void **state)
{
	struct topology_options seed = { .seed_given = true, .seed = 99 };
	const char *text =
		"{\"name\":\"m\",\"nodes\":{\"n\":{\"count\":500}},\"networks\":"
		"{\"lan\":{\"members\":[\"n\"]}}}";
	struct plan *one = compile(text), *two = compile_with(text, &seed);

	(void)state;
	assert_int_equal(two->seed, 99);
	for (size_t i = 0; i < one->node_count; i++) {
		const uint8_t *mac = one->nodes[i].interfaces[0].mac;

		assert_int_equal(mac[0], 0x02);
		assert_memory_equal(mac, two->nodes[i].interfaces[0].mac, 6);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(mac, one->nodes[j].interfaces[0].mac, 6);
	}
	plan_free(one);
	plan_free(two);
}

static void a_derived_hardware_address_keeps_clear_of_the_given_ones(void **state)
{
	const char *like =
		"{\"name\":\"m\",\"nodes\":{\"a\":{},\"b\":{}},\"networks\":{"
		"\"lan\":{\"members\":[{\"node\":\"a\",\"mac\":\"%s\"},\"b\"]}}}";
	char text[256], mac[18];
	uint8_t alone[6];
	struct plan *plan;

	(void)state;
	snprintf(text, sizeof(text), like, "02:00:00:00:00:01");
	plan = compile(text);
	memcpy(alone, node_of(plan, "b")->interfaces[0].mac, 6);
	plan_free(plan);
	/* What b would have, a has been given. */
	snprintf(text, sizeof(text), like, plan_mac_format(alone, mac));
	plan = compile(text);
	assert_memory_equal(node_of(plan, "a")->interfaces[0].mac, alone, 6);
	assert_memory_not_equal(node_of(plan, "b")->interfaces[0].mac, alone, 6);
	plan_free(plan);
}

static void hosts_name_each_node_once_a_family_and_each_interface(void **state)
{
	struct plan *plan = compile("{\"nodes\":{\"a\":{},\"b\":{},\"a-eth1\":{}},"
				    "\"networks\":{\"x\":{\"members\":"
				    "[\"a\",\"b\",\"a-eth1\"],\"subnet6\":\"auto\"},"
				    "\"y\":{\"members\":[\"a\"]},"
				    "\"z\":{\"members\":[\"a\"]}}}");
	static const char *const want[] = {
		"a a-eth0",	     "a a-eth0", "a-eth2",
		"b b-eth0",	     "b b-eth0", "a-eth1 a-eth1-eth0",
		"a-eth1 a-eth1-eth0"
	};

	(void)state;
	/* a's eth1 has no line: a-eth1 is a node. */
	assert_int_equal(plan->host_count, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(plan->hosts[i].names, want[i]);
	plan_free(plan);
}

static void partitions_put_nodes_on_sides(void **state)
{
	struct plan *plan =
		compile("{\"nodes\":{\"n\":{\"count\":5}},\"partitions\":[{"
			"\"sides\":[[\"n1\"],[\"n[3-4]\"]],\"one-way\":true}]}");

	(void)state;
	assert_int_equal(plan->partition_count, 1);
	assert_true(plan->partitions[0].one_way);
	assert_int_equal(plan->partitions[0].side_count, 2);
	assert_int_equal(plan->partitions[0].part_of[0], 1);
	assert_int_equal(plan->partitions[0].part_of[1], 0);
	assert_int_equal(plan->partitions[0].part_of[2], 2);
	assert_int_equal(plan->partitions[0].part_of[3], 2);
	plan_free(plan);
}

static void the_lab_is_named_after_its_file_if_it_has_no_name(void **state)
{
	static const struct {
		const char *file, *name;
	} cases[] = {
		{ "/x/two-sites.json", "two-sites" },
		{ "my lab (2).json", "my-lab-2" },
		{ "10nodes.json", "lab-10nodes" },
		{ "/x/.json", "json" },
		{ "---", "lab" },
		{ "all.json", "lab" },
		{ "a.b.json", "a-b" },
		{ "abcdefghijklmnopqrstuvwxyz-abcd-efgh.json",
		  "abcdefghijklmnopqrstuvwxyz-abcd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diagnostics diags = { .count = 0 };
		const char *text = "{\"nodes\":{\"a\":{}}}";
		struct plan *plan;

		assert_int_equal(topology_compile_text(text, strlen(text), cases[i].file,
						       "/", NULL, &plan, &diags),
				 0);
		assert_string_equal(plan->name, cases[i].name);
		plan_free(plan);
	}
}

static enum path_kind probe(void *ctx, const char *path)
{
	(void)ctx;
	return !strcmp(path, "/lab/root")	? PATH_DIR
	       : !strcmp(path, "/img/disk.img") ? PATH_FILE
	       : !strcmp(path, "/lab/etc/conf") ? PATH_FILE
	       : !strcmp(path, "/dev/null")	? PATH_OTHER
						: PATH_MISSING;
}

static void paths_start_from_the_topologys_folder(void **state)
{
	struct topology_options options = { .probe = probe };
	struct plan *plan = compile_with(
		"{\"nodes\":{\"a\":{\"image\":\"./root\",\"files\":{\"/c\":{\"source\":"
		"\"etc/conf\",\"mode\":\"0755\"},\"/d\":\"text\"}},\"b\":{\"image\":"
		"\"/img/disk.img\",\"kernel\":\"/img/disk.img\"},\"c\":{}}}",
		&options);
	const struct plan_node *a = node_of(plan, "a"), *b = node_of(plan, "b");
	cleanup_free char *words = NULL;

	(void)state;
	assert_int_equal(a->image_kind, IMAGE_DIR);
	assert_string_equal(a->image, "/lab/root");
	assert_string_equal(a->files[0].source, "etc/conf");
	assert_null(a->files[0].content);
	assert_int_equal(a->files[0].mode, 0755);
	assert_string_equal(a->files[1].content, "text");
	assert_int_equal(a->files[1].mode, 0644);
	assert_int_equal(b->image_kind, IMAGE_FILE);
	assert_string_equal(b->kernel, "/img/disk.img");
	assert_int_equal(node_of(plan, "c")->image_kind, IMAGE_HOST);
	assert_null(node_of(plan, "c")->image);
	plan_free(plan);
	words = refuse_with("{\"nodes\":{\"a\":{\"image\":\"/dev/null\"}}}", &options);
	assert_non_null(strstr(words, "neither a folder nor a regular file"));
}

static void random_wiring_is_a_function_of_seed_and_name(void **state)
{
	const char *text = "{\"seed\":1,\"nodes\":{\"n\":{\"count\":30}},\"patterns\":[{"
			   "\"pattern\":\"random\",\"name\":\"w\",\"nodes\":[\"n\"],"
			   "\"edges\":60}]}";
	const char *more = "{\"seed\":1,\"nodes\":{\"n\":{\"count\":30}},\"patterns\":[{"
			   "\"pattern\":\"line\",\"nodes\":[\"n\"]},{"
			   "\"pattern\":\"random\",\"name\":\"w\",\"nodes\":[\"n\"],"
			   "\"edges\":60}]}";
	struct topology_options other = { .seed_given = true, .seed = 2 };
	struct plan *one = compile(text), *same = compile(more);
	struct plan *two = compile_with(text, &other);
	unsigned differ = 0;

	(void)state;
	assert_int_equal(one->link_count, 60);
	for (size_t i = 0; i < 60; i++) {
		/* Another pattern before it changes nothing. */
		assert_string_equal(one->links[i].name, same->links[29 + i].name);
		differ += strcmp(one->links[i].name, two->links[i].name) != 0;
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(one->links[i].name, one->links[j].name);
	}
	assert_true(differ > 40);
	plan_free(one);
	plan_free(same);
	plan_free(two);
}

static void patterns_make_the_links_that_they_are_named_for(void **state)
{
	static const struct {
		const char *pattern, *links;
	} cases[] = {
		{ "\"line\"", "n1--n2 n2--n3 n3--n4 n4--n5" },
		{ "\"ring\"", "n1--n2 n2--n3 n3--n4 n4--n5 n5--n1" },
		{ "\"star\"", "n1--n2 n1--n3 n1--n4 n1--n5" },
		{ "\"star\",\"center\":\"n3\"", "n3--n1 n3--n2 n3--n4 n3--n5" },
		{ "\"star\",\"center\":\"m\"", "m--n1 m--n2 m--n3 m--n4 m--n5" },
		{ "\"tree\"", "n1--n2 n1--n3 n2--n4 n2--n5" },
		{ "\"tree\",\"arity\":3", "n1--n2 n1--n3 n1--n4 n2--n5" },
		{ "\"tree\",\"arity\":1", "n1--n2 n2--n3 n3--n4 n4--n5" },
		{ "\"mesh\"", "n1--n2 n1--n3 n1--n4 n1--n5 n2--n3 n2--n4 n2--n5 n3--n4 "
			      "n3--n5 n4--n5" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];
		struct plan *plan;

		snprintf(text, sizeof(text),
			 "{\"nodes\":{\"n\":{\"count\":5},\"m\":{}},\"patterns\":[{"
			 "\"nodes\":"
			 "[\"n\"],\"pattern\":%s}]}",
			 cases[i].pattern);
		plan = compile(text);
		assert_string_equal(links_of(plan), cases[i].links);
		plan_free(plan);
	}
}

static void a_pool_is_cut_into_pieces_around_what_is_taken(void **state)
{
	struct plan *plan = compile(
		"{\"nodes\":{\"n\":{\"count\":4}},\"networks\":{\"lan\":{\"subnet\":"
		"\"10.5.0.4/"
		"30\",\"members\":[\"n1\"]}},\"patterns\":[{\"pattern\":\"line\","
		"\"nodes\":[\"n\"],\"pool\":\"10.5.0.0/28\",\"pool6\":\"fd00:9::/62\"},"
		"{\"pattern\":\"line\",\"nodes\":[\"n1\",\"n2\"]}]}");

	(void)state;
	assert_string_equal(interfaces_of(plan, "n1"),
			    "eth0 10.5.0.5/30, eth1 10.5.0.1/30 fd00:9::1/64, eth2 "
			    "10.128.0.1/30");
	assert_string_equal(interfaces_of(plan, "n4"),
			    "eth0 10.5.0.14/30 fd00:9:0:2::2/64");
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(count_and_ranges_make_nodes_in_the_order_of_the_file),
		cmocka_unit_test(a_counted_key_stands_for_all_its_nodes),
		cmocka_unit_test(the_node_wins_over_its_groups_its_kind_and_the_defaults),
		cmocka_unit_test(services_are_named_after_their_command_and_never_alike),
		cmocka_unit_test(readiness_has_its_test_and_its_time),
		cmocka_unit_test(a_service_says_if_it_is_restarted),
		cmocka_unit_test(links_have_the_names_that_plan_h_says),
		cmocka_unit_test(every_interface_is_an_end_of_exactly_one_link),
		cmocka_unit_test(
			interfaces_are_named_networks_first_around_the_given_names),
		cmocka_unit_test(addresses_are_derived_around_the_given_ones),
		cmocka_unit_test(ipv6_is_there_only_where_it_is_asked_for),
		cmocka_unit_test(a_large_network_gets_a_large_subnet),
		cmocka_unit_test(network_faults_stand_on_the_way_from_the_member),
		cmocka_unit_test(a_direction_of_a_link_has_its_own_faults),
		cmocka_unit_test(
			hardware_addresses_are_local_different_and_not_of_the_seed),
		cmocka_unit_test(
			a_derived_hardware_address_keeps_clear_of_the_given_ones),
		cmocka_unit_test(hosts_name_each_node_once_a_family_and_each_interface),
		cmocka_unit_test(partitions_put_nodes_on_sides),
		cmocka_unit_test(the_lab_is_named_after_its_file_if_it_has_no_name),
		cmocka_unit_test(paths_start_from_the_topologys_folder),
		cmocka_unit_test(random_wiring_is_a_function_of_seed_and_name),
		cmocka_unit_test(patterns_make_the_links_that_they_are_named_for),
		cmocka_unit_test(a_pool_is_cut_into_pieces_around_what_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
