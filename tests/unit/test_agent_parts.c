/* SPDX-License-Identifier: MIT */
/* The agent's small parts: module tables, sockets that listen, files, the archive. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/initctl.h"
#include "init/environ.h"
#include "init/modprobe.h"
#include "init/modules.h"
#include "init/oom.h"
#include "agent/ready.h"
#include "init/setup.h"
#include "init/timekeep.h"
#include "base/cleanup.h"
#include "base/fdio.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/agent-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	cleanup_close int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	return fdio_remove_tree(tmp, strrchr(dir, '/') + 1, NULL);
}

static const char *in_dir(const char *path)
{
	static char full[256];

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	return full;
}

static void assert_file(const char *path, const char *content, unsigned mode)
{
	cleanup_free char *bytes = NULL;
	struct stat st;
	size_t size;

	assert_int_equal(fdio_read_file(AT_FDCWD, in_dir(path), 1 << 20, &bytes, &size, NULL), 0);
	assert_string_equal(bytes, content);
	assert_int_equal(lstat(in_dir(path), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
}

static void put(const char *path, const char *content)
{
	assert_int_equal(fdio_write_file(AT_FDCWD, in_dir(path), content, strlen(content), 0644,
					 NULL), 0);
}

static void a_module_is_found_by_its_name_and_no_other(void **state)
{
	static const char dep[] = "kernel/a/net_failover.ko: kernel/b/failover.ko\n"
				  "kernel/b/failover.ko:\n"
				  "kernel/c/virtio-net.ko.xz: kernel/a/net_failover.ko\n"
				  "kernel/virtio_net/x.ko:\n"
				  "kernel/last.ko:";
	const char *line;
	size_t size;
	(void)state;

	line = modules_find(dep, "failover", &size);
	assert_int_equal(size, strlen("kernel/b/failover.ko:"));
	assert_memory_equal(line, "kernel/b/failover.ko:", size);
	line = modules_find(dep, "virtio_net", &size);
	assert_memory_equal(line, "kernel/c/virtio-net.ko.xz:", 26);
	assert_non_null(modules_find(dep, "net-failover", &size));
	line = modules_find(dep, "last", &size);
	assert_int_equal(size, strlen("kernel/last.ko:"));
	assert_non_null(line);
	assert_null(modules_find(dep, "fail", &size));
	assert_null(modules_find(dep, "failover2", &size));
	assert_null(modules_find(dep, "kernel", &size));
	assert_null(modules_find("", "failover", &size));
}

static void what_the_kernel_asks_for_names_modules_by_patterns(void **state)
{
	static const char text[] = "# Aliases extracted from modules themselves.\n"
				   "alias fs-nfs4 nfsv4\n"
				   "alias rtnl-link-bond bonding\n"
				   "alias char-major-10-* misc_any\n"
				   "alias virtio:d0000000[1-3]v* virtio_some\n"
				   "alias fs_nfs4 another\n"
				   "alias short\n";
	const char *at = text, *found;
	size_t size;
	(void)state;

	found = modprobe_alias(&at, "fs-nfs4", &size);
	assert_int_equal(size, 5);
	assert_memory_equal(found, "nfsv4", 5);
	found = modprobe_alias(&at, "fs-nfs4", &size);
	assert_memory_equal(found, "another", size);
	assert_null(modprobe_alias(&at, "fs-nfs4", &size));
	at = text;
	found = modprobe_alias(&at, "char-major-10-229", &size);
	assert_memory_equal(found, "misc_any", size);
	at = text;
	found = modprobe_alias(&at, "virtio:d00000002v00000001", &size);
	assert_memory_equal(found, "virtio_some", size);
	at = text;
	assert_null(modprobe_alias(&at, "virtio:d00000004v00000001", &size));
	at = text;
	assert_null(modprobe_alias(&at, "fs-nfs", &size));
	at = text;
	assert_null(modprobe_alias(&at, "short", &size));
}

static void options_are_for_the_module_that_they_name(void **state)
{
	static const char text[] = "options ipv6 disable_ipv6=1 autoconf=0\n"
				   "options ipv6x no\nblacklist bonding\n";
	char out[64];
	(void)state;

	modprobe_options(text, "ipv6", out, sizeof(out));
	assert_string_equal(out, "disable_ipv6=1 autoconf=0");
	modprobe_options(text, "bonding", out, sizeof(out));
	assert_string_equal(out, "");
	/* Half an option would be another. */
	modprobe_options(text, "ipv6", out, 8);
	assert_string_equal(out, "");
}

static void a_request_for_no_module_is_answered_with_none(void **state)
{
	struct modules modules;
	struct why why = { "" };
	(void)state;

	put("modules.dep", "kernel/not-there.ko:\n");
	put("modules.alias", "alias net-pf-99 not_there\n");
	put("modules.softdep", "softdep not_there pre: gone-too post: never\n");
	assert_int_equal(modules_open(&modules, in_dir(""), NULL), 0);
	assert_int_equal(modprobe_load(&modules, "net-pf-98", in_dir("options"), &why), 0);
	assert_int_equal(modprobe_load(&modules, "net-pf-99", in_dir("options"), &why), -ENOENT);
	assert_non_null(strstr(why.text, "not-there.ko"));
	assert_int_equal(modprobe_load(&modules, "not-there", in_dir("options"), &why), -ENOENT);
	modules_close(&modules);
}

static void a_list_of_device_nodes_is_read_with_care(void **state)
{
	static const char *const bad[] = { "tun net/tun 10:200\n", "tun ../tun c10:200\n",
					   "tun /etc/tun c10:200\n", "tun net/tun" };
	struct modules modules;
	char dev[256];
	(void)state;

	snprintf(dev, sizeof(dev), "%s", in_dir("dev"));
	put("modules.dep", "");
	assert_int_equal(modules_open(&modules, in_dir(""), NULL), 0);
	assert_int_equal(modules_make_nodes(&modules, dev, NULL), 0);
	put("modules.devname", "# a comment\n\n");
	assert_int_equal(modules_make_nodes(&modules, dev, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put("modules.devname", bad[i]);
		assert_int_equal(modules_make_nodes(&modules, dev, NULL), -EINVAL);
	}
	put("modules.devname", "tun net/tun c10:200\n");
	/* Only root makes devices. */
	assert_int_equal(modules_make_nodes(&modules, dev, NULL), geteuid() ? -EPERM : 0);
	assert_int_equal(access(in_dir("dev/net"), F_OK), 0);
	modules_close(&modules);
}

static void listening_is_told_from_connected(void **state)
{
	static const char text[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
		"   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n"
		"   1: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000\n"
		"  12: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000"
		" 0A 00000000:00000000\n";
	(void)state;

	assert_true(ready_tcp_listens(text, 6379));
	assert_false(ready_tcp_listens(text, 8080)); /* connected */
	assert_true(ready_tcp_listens(text, 80));    /* IPv6 */
	assert_false(ready_tcp_listens(text, 0));
	assert_false(ready_tcp_listens("", 80));
	assert_false(ready_tcp_listens("title\nrubbish\n0: 1:2\n", 80));
}

static void parse(struct settings *settings, const char *members)
{
	struct why why = { "" };
	char text[2048];

	snprintf(text, sizeof(text), "{\"version\":1,\"lab\":\"t\",\"name\":\"n1\",%s}", members);
	if (settings_parse((uint8_t *)text, strlen(text), settings, &why))
		fail_msg("%s", why.text);
}

static void names_are_the_labs_and_not_the_hosts(void **state)
{
	struct settings settings;
	struct why why = { "" };
	(void)state;

	assert_int_equal(fdio_make_dirs(in_dir("etc"), 0755, NULL), 0);
	assert_int_equal(symlink("/run/somewhere/else", in_dir("etc/resolv.conf")), 0);
	put("etc/hosts", "1.2.3.4 host\n");
	parse(&settings, "\"ipv6\":true,\"hosts\":[{\"addr\":\"10.0.0.2\",\"names\":\"n2\"}]");
	assert_int_equal(setup_names(&settings, dir, &why), 0);
	assert_file("etc/hosts", "127.0.0.1\tlocalhost\n"
				 "::1\tlocalhost ip6-localhost ip6-loopback\n"
				 "127.0.1.1\tn1\n10.0.0.2\tn2\n", 0644);
	assert_file("etc/hostname", "n1\n", 0644);
	assert_file("etc/resolv.conf", "", 0644);
	settings_free(&settings);

	/* With an address of its own, its name means that one. */
	parse(&settings, "\"hosts\":[{\"addr\":\"10.0.0.1\",\"names\":\"n1 n1-eth0\"}]");
	assert_int_equal(setup_names(&settings, dir, &why), 0);
	assert_file("etc/hosts", "127.0.0.1\tlocalhost\n10.0.0.1\tn1 n1-eth0\n", 0644);
	settings_free(&settings);
}

static void files_are_put_and_copied_with_their_mode(void **state)
{
	struct settings settings;
	struct why why = { "" };
	(void)state;

	assert_int_equal(fdio_make_dirs(in_dir("lab/conf"), 0755, NULL), 0);
	put("lab/conf/x", "copied");
	parse(&settings, "\"files\":[{\"path\":\"/srv/a/b\",\"mode\":384,\"content\":\"put\"},"
			 "{\"path\":\"/srv/run.sh\",\"mode\":511,\"source\":\"conf/x\"}]");
	assert_int_equal(setup_files(&settings, dir, in_dir("lab"), &why), 0);
	assert_file("srv/a/b", "put", 0600);
	assert_file("srv/run.sh", "copied", 0777);
	settings_free(&settings);

	parse(&settings, "\"files\":[{\"path\":\"/srv/c\",\"mode\":0,\"source\":\"no\"}]");
	assert_int_equal(setup_files(&settings, dir, in_dir("lab"), &why), -ENOENT);
	assert_non_null(strstr(why.text, "file /srv/c: copy from the topology's folder: open "));
	settings_free(&settings);
}

static void a_sysctl_is_named_as_people_name_it(void **state)
{
	struct why why = { "" };
	(void)state;

	assert_int_equal(fdio_make_dirs(in_dir("sys/net/conf/eth0.5"), 0755, NULL), 0);
	put("sys/net/forward", "");
	put("sys/net/conf/eth0.5/x", "");
	assert_int_equal(setup_sysctl(in_dir("sys"), "net.forward", "1", &why), 0);
	assert_file("sys/net/forward", "1", 0644);
	assert_int_equal(setup_sysctl(in_dir("sys"), "net/conf/eth0.5/x", "2", &why), 0);
	assert_file("sys/net/conf/eth0.5/x", "2", 0644);
	assert_int_equal(setup_sysctl(in_dir("sys"), "net.forwards", "1", &why), -ENOENT);
	assert_string_equal(why.text,
			    "sysctl net.forwards: this kernel has no such setting, nor does netlab "
			    "know a module that brings it");
	assert_int_equal(setup_sysctl(in_dir("sys"), "net/../../lab", "1", &why), -EINVAL);
	assert_int_equal(setup_sysctl(in_dir("sys"), "/etc/passwd", "1", &why), -EINVAL);
	assert_int_equal(setup_sysctl(in_dir("sys"), "", "1", &why), -EINVAL);
}

static void a_variable_is_there_once(void **state)
{
	struct environ_list list = { 0 }, copy = { 0 };
	struct why why = { "" };
	(void)state;

	assert_int_equal(environ_set(&list, "A", "1", &why), 0);
	assert_int_equal(environ_set(&list, "AB", "2", &why), 0);
	assert_int_equal(environ_copy(&copy, &list, &why), 0);
	assert_int_equal(environ_set(&copy, "A", "3", &why), 0);
	assert_int_equal(copy.count, 2);
	assert_string_equal(copy.vars[0], "A=3");
	assert_string_equal(copy.vars[1], "AB=2");
	assert_null(copy.vars[2]);
	assert_string_equal(list.vars[0], "A=1");
	assert_int_equal(environ_set(&list, "", "1", &why), -EINVAL);
	environ_free(&list);
	environ_free(&copy);
}

/* The kernel's first root: names, modes, devices and content, entry by entry. */
static void the_archive_holds_init_and_devices(void **state)
{
	static const char expected[] = "dev 40755 0:0 0\n"
				       "dev/console 20600 5:1 0\n"
				       "dev/null 20666 1:3 0\n"
				       "proc 40755 0:0 0\n"
				       "sys 40755 0:0 0\n"
				       "init 100755 0:0 5\n"
				       "TRAILER!!! 0 0:0 0\n";
	cleanup_free char *bytes = NULL;
	char said[1024] = "", agent[256], archive[256];
	size_t size, at = 0, used = 0;
	int status;
	pid_t pid;
	(void)state;

	put("agent", "hello");
	snprintf(agent, sizeof(agent), "%s", in_dir("agent"));
	snprintf(archive, sizeof(archive), "%s", in_dir("archive"));
	pid = fork();
	if (pid == 0) {
		execl(MKINITRAMFS_PATH, "mkinitramfs", agent, archive, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fdio_read_file(AT_FDCWD, archive, 1 << 20, &bytes, &size, NULL), 0);
	while (!strstr(said, "TRAILER")) {
		unsigned f[13];

		assert_true(at + 110 <= size);
		assert_memory_equal(bytes + at, "070701", 6);
		for (int i = 0; i < 13; i++)
			assert_int_equal(sscanf(bytes + at + 6 + 8 * i, "%8x", &f[i]), 1);
		used += (size_t)snprintf(said + used, sizeof(said) - used, "%s %o %u:%u %u\n",
					 bytes + at + 110, f[1], f[9], f[10], f[6]);
		assert_int_equal(strlen(bytes + at + 110) + 1, f[11]);
		at = (at + 110 + f[11] + 3) / 4 * 4;
		if (f[6])
			assert_memory_equal(bytes + at, "hello", 5);
		at = (at + f[6] + 3) / 4 * 4;
	}
	assert_int_equal(at, size);
	assert_string_equal(said, expected);
}

static void the_kernels_victims_are_found_in_its_log(void **state)
{
	struct oom_victim victim;

	(void)state;
	victim = oom_parse("3,412,5312,-;Out of memory: Killed process 57 (redis-server) "
			   "total-vm:1kB, anon-rss:1kB\n");
	assert_int_equal(victim.pid, 57);
	assert_string_equal(victim.name, "redis-server");
	victim = oom_parse("3,4,5,-;Memory cgroup out of memory: Killed process 9 (a b) x");
	assert_int_equal(victim.pid, 9);
	assert_string_equal(victim.name, "a b");
	assert_int_equal(oom_parse("3,4,5,-;oom_reaper: reaped process 57 (x)").pid, 0);
	assert_int_equal(oom_parse("Out of memory: Killed process 57 (no record)").pid, 0);
}

/* A log of one line, in a file. */
static void a_victim_is_told_of_once_and_to_whom_it_concerns(void **state)
{
	static const char line[] = "3,1,1,-;Out of memory: Killed process 57 (dd) total";
	const int killed = SIGKILL, exit_137 = 137 << 8, exit_1 = 1 << 8;
	struct oom_victim victim;
	char path[128];
	struct oom oom;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/log", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	oom_open(&oom, path);
	assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	close(fd);
	assert_false(oom_explains(&oom, 57, exit_1, &victim));
	assert_false(oom_explains(&oom, 58, killed, &victim));
	assert_true(oom_explains(&oom, 56, exit_137, &victim)); /* the shell around it */
	assert_int_equal(victim.pid, 57);
	assert_false(oom_explains(&oom, 57, killed, &victim));
	oom_close(&oom);
	oom_open(&oom, NULL);
	assert_false(oom_explains(&oom, 57, killed, &victim));
	oom_close(&oom);
}

/* The kernel takes 9000 to 11000 us a tick and 500 ppm either way. */
static void every_drift_is_a_tick_and_a_frequency_that_adjtimex_takes(void **state)
{
	long tick_us, frequency;

	(void)state;
	for (int64_t ppb = -TIMEKEEP_DRIFT_PPB_MAX; ppb <= TIMEKEEP_DRIFT_PPB_MAX;
	     ppb += 12347) {
		double got;

		timekeep_split(ppb, &tick_us, &frequency);
		assert_in_range(tick_us, 9000, 11000);
		assert_true(frequency <= 50 * 65536 && frequency >= -50 * 65536);
		got = (double)(tick_us - 10000) * 100000 + (double)frequency * 1000 / 65536;
		assert_true(got - (double)ppb < 1 && got - (double)ppb > -1);
	}
	timekeep_split(200000, &tick_us, &frequency);
	assert_int_equal(tick_us, 10002);
	assert_int_equal(frequency, 0);
}

/* ---- reboot ------------------------------------------------------------ */

static int ends, reboots;

static void on_end(void *ctx, bool reboot)
{
	(void)ctx;
	ends += !reboot;
	reboots += reboot;
}

/* As systemctl and sysvinit's programs write it: magic, command, runlevel, and room. */
static void ask_init(int magic, int command, int runlevel, size_t size)
{
	int request[384 / sizeof(int)] = { magic, command, runlevel };
	int fd = open(in_dir("initctl"), O_WRONLY | O_NONBLOCK);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, request, size), size);
	close(fd);
}

static void a_runlevel_ends_the_machine_and_rubbish_does_not(void **state)
{
	struct initctl *initctl;
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_create(&loop, NULL), 0);
	assert_int_equal(initctl_create(&initctl, loop, in_dir("initctl"), on_end, NULL, NULL),
			 0);
	ask_init(0x03091969, 1, '2', 384);
	ask_init(0x03091969, 3, '0', 384);
	ask_init(0x12345678, 1, '0', 384);
	for (int i = 0; i < 4; i++)
		loop_turn(loop, 0);
	ask_init(0x03091969, 1, '0', 100);
	for (int i = 0; i < 4; i++)
		loop_turn(loop, 0);
	assert_int_equal(ends + reboots, 0);
	ask_init(0x03091969, 1, '0', 384);
	loop_turn(loop, 0);
	assert_int_equal(ends, 1);
	ask_init(0x03091969, 1, '6', 384);
	loop_turn(loop, 0);
	assert_int_equal(reboots, 1);
	/* Nobody writes any more, and that is no event. */
	assert_int_equal(loop_turn(loop, 0), 0);
	initctl_destroy(initctl);
	loop_destroy(loop);
}

static void what_is_in_the_place_of_the_fifo_is_named(void **state)
{
	struct initctl *initctl;
	struct loop *loop;
	struct why why;

	(void)state;
	assert_int_equal(loop_create(&loop, NULL), 0);
	assert_int_equal(mkdir(in_dir("folder"), 0755), 0);
	assert_int_equal(initctl_create(&initctl, loop, in_dir("folder"), on_end, NULL, &why),
			 -EISDIR);
	assert_non_null(strstr(why.text, "folder: Is a directory"));
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_drift_is_a_tick_and_a_frequency_that_adjtimex_takes),
#define T(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
		cmocka_unit_test(the_kernels_victims_are_found_in_its_log),
		T(a_victim_is_told_of_once_and_to_whom_it_concerns),
		cmocka_unit_test(a_module_is_found_by_its_name_and_no_other),
		cmocka_unit_test(what_the_kernel_asks_for_names_modules_by_patterns),
		cmocka_unit_test(options_are_for_the_module_that_they_name),
		T(a_request_for_no_module_is_answered_with_none),
		T(a_list_of_device_nodes_is_read_with_care),
		cmocka_unit_test(listening_is_told_from_connected),
		T(names_are_the_labs_and_not_the_hosts),
		T(files_are_put_and_copied_with_their_mode),
		T(a_sysctl_is_named_as_people_name_it),
		cmocka_unit_test(a_variable_is_there_once),
		T(the_archive_holds_init_and_devices),
		T(a_runlevel_ends_the_machine_and_rubbish_does_not),
		T(what_is_in_the_place_of_the_fifo_is_named),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
