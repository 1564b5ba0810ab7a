/* SPDX-License-Identifier: MIT */
/* What the host keeps to itself, and what the machine has instead. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/standin.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/closed.h"

enum { NOBODY = 65534 };

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-closed.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/tmp") || fdio_remove_tree(AT_FDCWD, dir + strlen("/tmp/"), NULL);
}

/* A path below dir; one buffer each call in turn. */
static const char *in(const char *path)
{
	static char text[4][256];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(text[next], sizeof(text[next]), "%s%s", dir, path);
	return text[next];
}

static void put(const char *path, mode_t mode, const char *text)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", in(path));
	*strrchr(folder, '/') = 0;
	assert_int_equal(fdio_make_dirs(folder, 0755, NULL), 0);
	assert_int_equal(fdio_write_file(AT_FDCWD, in(path), text, strlen(text), 0600, NULL), 0);
	assert_int_equal(chmod(in(path), mode), 0);
}

/* As root's lab: machines are nobody, and the modes decide. */
static void what_nobody_can_read_is_listed_in_order(void **state)
{
	char list[CLOSED_BYTES_MAX], expected[512];
	unsigned uid = geteuid(), gid = getegid();

	(void)state;
	put("/etc/open", 0644, "");
	put("/etc/shadow", 0640, "secret");
	put("/etc/frr/daemons", 0644, "");
	put("/etc/ssl/private/key", 0600, "");
	put("/etc/deep/key", 0600, "");
	put("/etc/odd\nname", 0600, "");
	put("/var/lib/dpkg/lock", 0600, "");
	put("/var/log/nginx/error.log", 0640, "");
	put("/usr/lib/x", 0600, "");
	assert_int_equal(chmod(in("/etc/frr"), 0750) || chmod(in("/etc/ssl/private"), 0711), 0);
	assert_int_equal(symlink("shadow", in("/etc/link")), 0);
	closed_list(dir, NOBODY, NOBODY, list);
	snprintf(expected, sizeof(expected),
		 "f 600 %u %u /etc/deep/key\n"
		 "d 750 %u %u /etc/frr\n"
		 "f 640 %u %u /etc/shadow\n"
		 "f 640 %u %u /var/log/nginx/error.log\n",
		 uid, gid, uid, gid, uid, gid, uid, gid);
	/* A folder that can be entered and not listed does not tell what is in it. */
	if (uid != 0)
		return;
	assert_string_equal(list, expected);
}

static void accounts_have_names_and_no_passwords(void **state)
{
	cleanup_free char *shadow =
		standin_shadow("root:x:0:0:root:/root:/bin/bash\n\n# odd\nredis:x:1:2:::\n");
	cleanup_free char *gshadow = standin_gshadow("root:x:0:\nsudo:x:27:ann,bob\n");

	(void)state;
	assert_string_equal(shadow, "root:*:19000:0:99999:7:::\nredis:*:19000:0:99999:7:::\n");
	assert_string_equal(gshadow, "root:*::\nsudo:*::ann,bob\n");
}

static void the_upper_layer_gets_what_is_closed_below(void **state)
{
	static const char closed[] = "d 2770 104 107 /etc/redis\n"
				     "f 640 0 42 /etc/shadow\n"
				     "f 600 0 0 /etc/ssh/ssh_host_ed25519_key\n"
				     "f 600 0 0 /etc/ssh/ssh_host_rsa_key\n";
	cleanup_free char *text = NULL;
	struct why why = { "" };
	char opaque = 0;
	struct stat st;
	size_t size;

	(void)state;
	if (geteuid() != 0)
		skip(); /* as process 1 of a machine is */
	put("/lower/etc/passwd", 0644, "root:x:0:0:::\n");
	assert_int_equal(chmod(in("/lower/etc"), 0751) || mkdir(in("/upper"), 0755) ||
				 mkdir(in("/lower/etc/ssh"), 0755),
			 0);
	assert_int_equal(standin_apply(in("/lower"), in("/upper"), closed, &why), 0);
	assert_int_equal(stat(in("/upper/etc"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751); /* as below */
	assert_int_equal(stat(in("/upper/etc/redis"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	assert_int_equal(st.st_uid, 104);
	assert_int_equal(
		getxattr(in("/upper/etc/redis"), "trusted.overlay.opaque", &opaque, 1), 1);
	assert_int_equal(stat(in("/upper/etc/redis/redis.conf"), &st), 0);
	assert_int_equal(st.st_gid, 107);
	assert_int_equal(
		fdio_read_file(AT_FDCWD, in("/upper/etc/shadow"), 4096, &text, &size, NULL), 0);
	assert_string_equal(text, "root:*:19000:0:99999:7:::\n");
	assert_int_equal(stat(in("/upper/etc/ssh/ssh_known_hosts"), &st), 0);
	/* A file without a stand-in is not there: a device 0:0 says so. */
	assert_int_equal(stat(in("/upper/etc/ssh/ssh_host_rsa_key"), &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	assert_true(standin_apply(in("/lower"), in("/upper"), "nonsense\n", &why) < 0);
}

static void servers_whose_users_exist_have_their_folder_in_run(void **state)
{
	struct why why = { "" };
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	put("/etc/passwd", 0644, "root:x:0:0:::\nsshd:x:108:65534:::\nredis:x:104:107:::\n");
	assert_int_equal(mkdir(in("/run"), 0755), 0);
	assert_int_equal(standin_run_folders(in("/etc"), in("/run"), &why), 0);
	assert_int_equal(stat(in("/run/redis"), &st), 0);
	assert_int_equal(st.st_uid, 104);
	assert_int_equal(stat(in("/run/sshd"), &st), 0);
	assert_int_equal(st.st_uid, 0); /* root's, though a user is named so */
	assert_int_equal(stat(in("/run/mysqld"), &st), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(what_nobody_can_read_is_listed_in_order),
		CASE(accounts_have_names_and_no_passwords),
		CASE(the_upper_layer_gets_what_is_closed_below),
		CASE(servers_whose_users_exist_have_their_folder_in_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
