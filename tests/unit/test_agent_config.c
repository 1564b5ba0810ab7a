/* SPDX-License-Identifier: MIT */
/* From a plan to CONFIG and back; kernel parameters there and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agentproto/config.h"
#include "agentproto/params.h"
#include "agentproto/proto.h"
#include "init/settings.h"
#include "base/cleanup.h"

static struct plan_addr addr(const char *ip, uint8_t prefix)
{
	struct plan_addr a = { .family = strchr(ip, ':') ? AF_INET6 : AF_INET,
			       .prefix = prefix };

	assert_int_equal(inet_pton(a.family, ip, &a.ip), 1);
	return a;
}

static void a_plan_arrives_in_the_guest_as_it_was(void **state)
{
	struct plan_addr addrs[] = { addr("10.0.0.1", 24), addr("fd00::1", 64) };
	struct plan_interface ifaces[] = {
		{ .name = "eth0", .mac = { 2, 0xab, 0, 0, 0, 1 }, .mtu_bytes = 1500,
		  .addrs = addrs, .addr_count = 2 },
		{ .name = "wan", .mac = { 2, 0, 0, 0, 0, 2 }, .mtu_bytes = 9000 },
	};
	struct plan_route routes[] = {
		{ addr("10.2.0.0", 16), addr("10.0.0.2", 0) },
		{ addr("::", 0), addr("fd00::2", 0) },
	};
	struct plan_pair env[] = { { (char *)"Z", (char *)"1" }, { (char *)"A", (char *)"ö" } };
	struct plan_pair sysctls[] = { { (char *)"net.ipv4.tcp_retries2", (char *)"5" } };
	struct plan_file files[] = {
		{ (char *)"/etc/a", (char *)"text\n", NULL, 0600 },
		{ (char *)"/etc/b", NULL, (char *)"conf/b", 0755 },
	};
	struct plan_service services[] = {
		{ (char *)"db", (char *)"db --port 1",
		  { READY_TCP, 6379, NULL, 30000000000ull }, RESTART_NO },
		{ (char *)"x", (char *)"x", { READY_CMD, 0, (char *)"ping", 1 }, RESTART_ALWAYS },
		{ (char *)"y", (char *)"", { READY_FILE, 0, (char *)"/y", 2 }, RESTART_ON_FAILURE },
		{ (char *)"z", (char *)"z", { READY_NONE, 0, NULL, 0 }, RESTART_NO },
	};
	struct plan_node node = {
		.name = "n1", .forward = true, .ipv6 = true,
		.interfaces = ifaces, .interface_count = 2, .routes = routes, .route_count = 2,
		.env = env, .env_count = 2, .sysctls = sysctls, .sysctl_count = 1,
		.files = files, .file_count = 2, .services = services, .service_count = 4,
	};
	struct plan_host hosts[] = { { addr("10.0.0.1", 0), (char *)"n1 n1-eth0" } };
	struct plan plan = { .name = "tri", .nodes = &node, .node_count = 1,
			     .hosts = hosts, .host_count = 1 };
	struct agent_boot boot = { .lab = "tri-2", .wall_ns = 1700000000123456789ull };
	cleanup_free char *text = NULL;
	struct settings s;
	struct why why = { "" };
	size_t size;
	(void)state;

	assert_int_equal(agent_config_text(&plan, 0, &boot, &text, &size, &why), 0);
	if (settings_parse((uint8_t *)text, size, &s, &why))
		fail_msg("%s", why.text);
	assert_string_equal(s.lab, "tri-2");
	assert_string_equal(s.name, "n1");
	assert_true(s.forward && s.ipv6 && s.wall_ns == boot.wall_ns);
	assert_int_equal(s.interface_count, 2);
	assert_string_equal(s.interfaces[1].name, "wan");
	assert_int_equal(s.interfaces[1].mtu_bytes, 9000);
	assert_int_equal(s.interfaces[1].addr_count, 0);
	assert_memory_equal(s.interfaces[0].mac, ifaces[0].mac, 6);
	assert_int_equal(s.interfaces[0].addr_count, 2);
	assert_memory_equal(&s.interfaces[0].addrs[1].ip.v6, &addrs[1].ip.v6, 16);
	assert_int_equal(s.interfaces[0].addrs[1].prefix, 64);
	assert_int_equal(s.route_count, 2);
	assert_int_equal(s.routes[0].to.prefix, 16);
	assert_int_equal(s.routes[0].via.ip.v4.s_addr, routes[0].via.ip.v4.s_addr);
	assert_int_equal(s.routes[1].to.family, AF_INET6);
	assert_int_equal(s.routes[1].to.prefix, 0);
	assert_string_equal(s.hosts[0].addr, "10.0.0.1");
	assert_string_equal(s.hosts[0].names, "n1 n1-eth0");
	assert_string_equal(s.env[0].key, "Z"); /* the order is kept */
	assert_string_equal(s.env[1].value, "ö");
	assert_string_equal(s.sysctls[0].key, "net.ipv4.tcp_retries2");
	assert_string_equal(s.files[0].content, "text\n");
	assert_null(s.files[0].source);
	assert_int_equal(s.files[1].mode, 0755);
	assert_string_equal(s.files[1].source, "conf/b");
	assert_null(s.files[1].content);
	assert_int_equal(s.service_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(s.services[i].name, services[i].name);
		assert_string_equal(s.services[i].cmd, services[i].cmd);
		assert_int_equal(s.services[i].restart, services[i].restart);
		assert_int_equal(s.services[i].ready.kind, services[i].ready.kind);
		assert_int_equal(s.services[i].ready.tcp_port, services[i].ready.tcp_port);
		assert_int_equal(s.services[i].ready.timeout_ns, services[i].ready.timeout_ns);
		if (services[i].ready.text)
			assert_string_equal(s.services[i].ready.text, services[i].ready.text);
	}
	settings_free(&s);
}

static void a_configuration_that_does_not_fit_says_what_to_do(void **state)
{
	char *content = malloc(PROTO_PAYLOAD_BYTES_MAX + 1);
	struct plan_file file = { .path = (char *)"/big", .content = content };
	struct plan_node node = { .name = "n1", .files = &file, .file_count = 1 };
	struct plan plan = { .nodes = &node, .node_count = 1 };
	struct why why = { "" };
	char *text;
	size_t size;
	(void)state;

	memset(content, 'x', PROTO_PAYLOAD_BYTES_MAX);
	content[PROTO_PAYLOAD_BYTES_MAX] = 0;
	assert_int_equal(agent_config_text(&plan, 0, NULL, &text, &size, &why), -E2BIG);
	assert_non_null(strstr(why.text, "use \"source\""));
	*why.text = 0;
	assert_int_equal(agent_config_check(&plan, &why), -E2BIG);
	assert_non_null(strstr(why.text, "node n1: its configuration has"));
	/* What both say is the same, but for a name that may be a little longer. */
	content[PROTO_PAYLOAD_BYTES_MAX - 1024] = 0;
	assert_int_equal(agent_config_check(&plan, &why), 0);
	assert_int_equal(agent_config_text(&plan, 0, NULL, &text, &size, &why), 0);
	free(text);
	free(content);
}

static void names_of_others_count_for_each(void **state)
{
	enum { HOSTS = 30000 };
	struct plan_host *hosts = calloc(HOSTS, sizeof(*hosts));
	struct plan_node nodes[2] = { { .name = "n1" }, { .name = "n2" } };
	struct plan plan = { .nodes = nodes, .node_count = 2, .hosts = hosts };
	struct why why;
	char *text;
	size_t size;

	(void)state;
	for (size_t i = 0; i < HOSTS; i++)
		hosts[i] = (struct plan_host){ .addr = { .family = AF_INET },
					       .names = (char *)"a-name-of-no-small-length" };
	for (plan.host_count = HOSTS; plan.host_count > 10000; plan.host_count -= 997) {
		int err = agent_config_text(&plan, 1, NULL, &text, &size, NULL);

		assert_int_equal(agent_config_check(&plan, &why), err);
		if (!err)
			free(text);
	}
	free(hosts);
}

static void what_is_wrong_in_a_configuration_is_named(void **state)
{
	static const char *const cases[][2] = {
		{ "[]", "CONFIG: /: expected an object" },
		{ "\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00\",\"mtu\":1500}]",
		  "CONFIG: /interfaces/0/mac: expected 02:00:00:00:00:01" },
		{ "\"interfaces\":[{\"name\":\"a/b\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500}]",
		  "CONFIG: /interfaces/0/name: no name for an interface" },
		{ "\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":15,"
		  "\"addrs\":[]}]",
		  "CONFIG: /interfaces/0/mtu: 15 is not within 68 to 65535" },
		{ "\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,"
		  "\"addrs\":[\"10.0.0.1/33\"]}]",
		  "CONFIG: /interfaces/0/addrs/0: expected an address with its prefix" },
		{ "\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,"
		  "\"addrs\":[\"10.0.0.1\"]}]",
		  "CONFIG: /interfaces/0/addrs/0: expected an address with its prefix" },
		{ "\"routes\":[{\"to\":\"0.0.0.0/0\",\"via\":\"fd00::1\"}]",
		  "CONFIG: /routes/0/via: expected an address of the same kind" },
		{ "\"files\":[{\"path\":\"etc\",\"mode\":0,\"content\":\"\"}]",
		  "CONFIG: /files/0/path: not absolute" },
		{ "\"files\":[{\"path\":\"/etc\",\"mode\":0}]",
		  "CONFIG: /files/0: needs either content or source" },
		{ "\"files\":[{\"path\":\"/a\\u0000b\",\"mode\":0,\"content\":\"\"}]", NULL },
		{ "\"services\":[{\"name\":\"a\",\"cmd\":\"b\",\"ready\":{\"timeout_ns\":1}}]",
		  "CONFIG: /services/0/ready: needs one of tcp, file, cmd" },
		{ "\"services\":[{\"name\":\"a\",\"cmd\":\"b\",\"ready\":{\"timeout_ns\":1,"
		  "\"tcp\":70000}}]",
		  "CONFIG: /services/0/ready/tcp: 70000 is not within 1 to 65535" },
		{ "\"forward\":1", "CONFIG: /forward: expected true or false" },
		{ "\"env\":{\"A\":\"1\",\"A\":\"2\"}", NULL },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings s;
		struct why why = { "" };
		char text[512];

		snprintf(text, sizeof(text), *cases[i][0] == '[' ? "%s" :
			 "{\"version\":1,\"lab\":\"t\",\"name\":\"n\",%s}", cases[i][0]);
		assert_true(settings_parse((uint8_t *)text, strlen(text), &s, &why) < 0);
		if (cases[i][1])
			assert_string_equal(why.text, cases[i][1]);
	}
}

static void parameters_survive_the_command_line(void **state)
{
	struct params in = { .image_kind = IMAGE_DIR, .image = "/a b/%41/\"q\"/\tx/ü",
			     .modules = "/usr/lib/uml/modules/6.1", .lab = "/home/x y" };
	char words[2048], line[4096];
	struct params out;
	struct why why = { "" };
	(void)state;

	assert_int_equal(params_format(&in, words, sizeof(words), &why), 0);
	assert_null(strpbrk(words, "\"\t"));
	snprintf(line, sizeof(line), "mem=64M %s con0=fd:0,fd:1 root=98:0\n", words);
	assert_int_equal(params_parse(line, &out, &why), 0);
	assert_string_equal(out.image, in.image);
	assert_string_equal(out.modules, in.modules);
	assert_string_equal(out.lab, in.lab);
	assert_int_equal(out.image_kind, IMAGE_DIR);
	for (size_t room = 1; room <= strlen(words); room++)
		assert_int_equal(params_format(&in, line, room, &why), -ENAMETOOLONG);

	in = (struct params){ .image_kind = IMAGE_HOST };
	assert_int_equal(params_format(&in, words, sizeof(words), &why), 0);
	assert_string_equal(words, "netlab.image=host");
	assert_int_equal(params_parse("netlab.image=file", &out, &why), 0);
	assert_int_equal(out.image_kind, IMAGE_FILE);
}

static void parameters_that_make_no_sense_are_named(void **state)
{
	static const char *const cases[][2] = {
		{ "netlab.imge=host",
		  "kernel parameter netlab.imge: not known; there are image, modules, lab" },
		{ "netlab.image=dir:x",
		  "kernel parameter netlab.image: x is not an absolute path" },
		{ "netlab.image=",
		  "kernel parameter netlab.image:  is none of host, dir:PATH, file" },
		{ "netlab.lab=/a%4", "kernel parameter netlab.lab: bad %XX in /a%4" },
		{ "netlab.lab=/a%00", "kernel parameter netlab.lab: bad %XX in /a%00" },
		{ "netlab.lab", "kernel parameter netlab.lab:  is not an absolute path" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct params out;
		struct why why = { "" };

		assert_true(params_parse(cases[i][0], &out, &why) < 0);
		assert_string_equal(why.text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_arrives_in_the_guest_as_it_was),
		cmocka_unit_test(a_configuration_that_does_not_fit_says_what_to_do),
		cmocka_unit_test(names_of_others_count_for_each),
		cmocka_unit_test(what_is_wrong_in_a_configuration_is_named),
		cmocka_unit_test(parameters_survive_the_command_line),
		cmocka_unit_test(parameters_that_make_no_sense_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
