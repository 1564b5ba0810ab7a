/* SPDX-License-Identifier: MIT */
/* Interfaces, addresses and routes, in a network namespace of our own. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/net.h"
#include "init/rtnl.h"
#include "base/cleanup.h"
#include "base/fdio.h"

static const char *why_not; /* why the host cannot do this, or NULL */

static int shell(const char *script)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-ec", script, NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return status;
}

static int write_text(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fdio_write(fd, text, strlen(text));
}

static bool enter_namespaces(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char map[64];

	if (uid == 0)
		return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_text("/proc/self/uid_map", map) || write_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map) == 0;
}

/* Two cards whose names are the wrong way round. */
static int setup(void **state)
{
	(void)state;
	if (!enter_namespaces())
		why_not = "this host gives no network namespace";
	else if (shell("ip link add eth0 address 02:00:00:00:00:02 type veth peer name p0;"
		       "ip link add eth1 address 02:00:00:00:00:01 type veth peer name p1;"
		       "ip link set p0 up; ip link set p1 up") != 0)
		why_not = "no veth interfaces here (ip link add ... type veth)";
	else if (access("/proc/sys/net/ipv4/ip_forward", W_OK) < 0)
		why_not = "/proc/sys/net cannot be written";
	return 0;
}

static void parse(struct settings *settings, const char *members)
{
	struct why why = { "" };
	char text[2048];

	snprintf(text, sizeof(text), "{\"version\":1,\"lab\":\"t\",\"name\":\"n1\",%s}", members);
	if (settings_parse((uint8_t *)text, strlen(text), settings, &why))
		fail_msg("%s", why.text);
}

static void need_namespace(void)
{
	if (why_not) {
		print_message("skipped: %s\n", why_not);
		skip();
	}
}

static void assert_says(const char *command, const char *expected)
{
	char out[4096] = "";
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(99);
	}
	close(fds[1]);
	assert_true(fdio_read(fds[0], out, sizeof(out) - 1) >= 0);
	close(fds[0]);
	waitpid(pid, &status, 0);
	assert_string_equal(out, expected);
}

static void names_follow_the_hardware_addresses(void **state)
{
	struct settings settings;
	struct why why = { "" };
	(void)state;

	need_namespace();
	parse(&settings,
	      "\"forward\":true,\"ipv6\":false,\"interfaces\":["
	      "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400,"
	      "\"addrs\":[\"10.0.0.1/24\",\"10.0.7.1/31\"]},"
	      "{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:02\",\"mtu\":1500,\"addrs\":[]}],"
	      "\"sysctls\":{\"net.ipv4.conf.eth0.arp_ignore\":\"2\"},"
	      "\"routes\":[{\"to\":\"10.9.0.0/16\",\"via\":\"10.0.0.2\"},"
	      "{\"to\":\"0.0.0.0/0\",\"via\":\"10.0.0.3\"}]");
	if (net_apply(&settings, &why))
		fail_msg("%s", why.text);
	settings_free(&settings);
	assert_says("cat /sys/class/net/x 2>/dev/null; ip -o link show | "
		    "sed -n 's/^[0-9]*: \\(eth[0-9]\\)@.* mtu \\([0-9]*\\) .*ether \\([^ ]*\\).*"
		    "/\\1 \\2 \\3/p' | sort",
		    "eth0 1400 02:00:00:00:00:01\neth1 1500 02:00:00:00:00:02\n");
	assert_says("ip -4 -o addr show eth0 | sed 's/.*inet //; s/ scope.*//'",
		    "10.0.0.1/24 brd 10.0.0.255\n10.0.7.1/31\n");
	assert_says("ip route show proto static | sed 's/ *$//'",
		    "default via 10.0.0.3 dev eth0\n10.9.0.0/16 via 10.0.0.2 dev eth0\n");
	assert_says("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth0/rp_filter "
		    "/proc/sys/net/ipv4/conf/eth0/arp_ignore", "1\n0\n2\n");
	/* Off where there is IPv6 at all. */
	assert_says("cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6 2>/dev/null || echo 1", "1\n");
	assert_says("ip -o -4 addr show lo | grep -c 127.0.0.1", "1\n");
}

static void a_missing_card_is_named_with_those_that_are_there(void **state)
{
	struct settings settings;
	struct why why = { "" };
	(void)state;

	need_namespace();
	parse(&settings, "\"interfaces\":[{\"name\":\"eth7\",\"mac\":\"02:00:00:00:00:77\","
			 "\"mtu\":1500}]");
	assert_int_equal(net_apply(&settings, &why), -ENODEV);
	settings_free(&settings);
	assert_memory_equal(why.text,
			    "interface eth7 (02:00:00:00:00:77) not found; the machine has ", 61);
	assert_non_null(strstr(why.text, "eth0 (02:00:00:00:00:01)"));
	assert_non_null(strstr(why.text, "eth1 (02:00:00:00:00:02)"));
}

static void what_the_kernel_refuses_is_named(void **state)
{
	static const char *const cases[][2] = {
		{ "\"routes\":[{\"to\":\"10.77.0.0/16\",\"via\":\"192.0.2.1\"}]",
		  "route to 10.77.0.0/16 via 192.0.2.1: Nexthop has invalid gateway" },
		{ "\"interfaces\":[{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:02\",\"mtu\":1500,"
		  "\"addrs\":[\"10.5.0.1/24\",\"10.5.0.1/24\"]}]",
		  "interface eth1: address 10.5.0.1/24: " },
		{ "\"sysctls\":{\"net.ipv4.no_such\":\"1\"}",
		  "sysctl net.ipv4.no_such: this kernel has no such setting" },
	};
	(void)state;

	need_namespace();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings;
		struct why why = { "" };

		parse(&settings, cases[i][0]);
		assert_true(net_apply(&settings, &why) < 0);
		settings_free(&settings);
		assert_memory_equal(why.text, cases[i][1], strlen(cases[i][1]));
	}
}

static void ipv6_is_quiet_when_it_is_on(void **state)
{
	struct settings settings;
	struct why why = { "" };
	(void)state;

	need_namespace();
	if (access("/proc/sys/net/ipv6", F_OK) < 0) {
		print_message("skipped: this host has no IPv6\n");
		skip();
	}
	parse(&settings,
	      "\"ipv6\":true,\"interfaces\":[{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:02\","
	      "\"mtu\":1500,\"addrs\":[\"fd00::1/64\"]}],"
	      "\"routes\":[{\"to\":\"fd01::/64\",\"via\":\"fd00::2\"}]");
	if (net_apply(&settings, &why))
		fail_msg("%s", why.text);
	settings_free(&settings);
	assert_says("ip -6 -o addr show eth1 | sed 's/.*inet6 //; s/ scope.*//'",
		    "fd00::1/64\n");
	assert_says("ip -6 -o addr show eth1 tentative", "");
	assert_says("cd /proc/sys/net/ipv6/conf/eth1; cat disable_ipv6 accept_ra accept_dad "
		    "router_solicitations addr_gen_mode", "0\n0\n0\n0\n1\n");
	assert_says("ip -6 route show proto static | sed 's/ metric.*//'",
		    "fd01::/64 via fd00::2 dev eth1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_follow_the_hardware_addresses),
		cmocka_unit_test(a_missing_card_is_named_with_those_that_are_there),
		cmocka_unit_test(what_the_kernel_refuses_is_named),
		cmocka_unit_test(ipv6_is_quiet_when_it_is_on),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
