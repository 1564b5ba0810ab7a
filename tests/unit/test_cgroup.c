/* SPDX-License-Identifier: MIT */
/* node/cgroup.c on a tree of groups made of files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "node/cgroup.h"

#define MB (UINT64_C(1) << 20)

static char dir[64], ours[80], mount[80];
static struct cgroup_room room;

static void put(const char *path, const char *text)
{
	char full[256], *slash;
	struct why why;

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	slash = strrchr(full, '/');
	*slash = 0;
	assert_int_equal(fdio_make_dirs(full, 0755, &why), 0);
	*slash = '/';
	assert_int_equal(
		fdio_write_file(AT_FDCWD, full, text, strlen(text), 0644, &why), 0);
}

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/netlab-cgroup-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(ours, sizeof(ours), "%s/ours", dir);
	snprintf(mount, sizeof(mount), "%s/groups", dir);
	put("ours", "3:cpuset:/\n0::/user/shell\n");
	put("groups/cgroup.procs", "");
	put("groups/user/memory.max", "max\n");
	put("groups/user/shell/memory.max", "max\n");
	return 0;
}

static int end(void **state)
{
	struct why why;
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fdio_remove_tree(tmp, strrchr(dir, '/') + 1, &why), 0);
	close(tmp);
	return 0;
}

static void look(void)
{
	cgroup_look(&room, ours, mount);
}

static void without_limits_there_is_none(void **state)
{
	struct why why;

	(void)state;
	look();
	assert_true(room.memory.left == UINT64_MAX && room.memory.max == UINT64_MAX);
	assert_true(room.processes.left == UINT64_MAX);
	assert_int_equal(cgroup_check(&room, 10000, &why), 0);
}

static void the_tightest_group_counts_also_above_ours(void **state)
{
	char file[128];

	(void)state;
	put("groups/user/memory.max", "524288000\n");
	put("groups/user/memory.current", "419430400\n");
	put("groups/user/shell/memory.max", "419430400\n");
	put("groups/user/shell/memory.current", "104857600\n");
	look();
	assert_true(room.memory.left == 100 * MB);
	assert_true(room.memory.max == 500 * MB);
	snprintf(file, sizeof(file), "%s/user/memory.max", mount);
	assert_string_equal(room.memory.file, file);
	put("groups/user/shell/memory.current", "367001600\n");
	look();
	assert_true(room.memory.left == 50 * MB && room.memory.max == 400 * MB);
}

static void a_cache_of_files_is_free(void **state)
{
	(void)state;
	put("groups/user/shell/memory.max", "104857600\n");
	put("groups/user/shell/memory.current", "94371840\n");
	put("groups/user/shell/memory.stat",
	    "anon 1\ninactive_anon 7\ninactive_file 31457280\nactive_file 10485760\n");
	look();
	assert_true(room.memory.left == 50 * MB);
	/* More than all cannot be used, nor less than nothing be left. */
	put("groups/user/shell/memory.stat", "inactive_file 209715200\n");
	look();
	assert_true(room.memory.left == 100 * MB);
	put("groups/user/shell/memory.stat", "inactive_file 0\n");
	put("groups/user/shell/memory.current", "204857600\n");
	look();
	assert_true(room.memory.left == 0);
}

static void processes_are_counted(void **state)
{
	struct why why;

	(void)state;
	put("groups/user/shell/pids.max", "100\n");
	put("groups/user/shell/pids.current", "60\n");
	look();
	assert_true(room.processes.left == 40 && room.processes.max == 100);
	assert_int_equal(cgroup_check(&room, 10, &why), 0);
	assert_int_equal(cgroup_check(&room, 11, &why), -EAGAIN);
	assert_non_null(strstr(why.text, "user/shell/pids.max (100) leaves 40"));
}

static void a_lab_that_cannot_fit_is_refused(void **state)
{
	struct why why;

	(void)state;
	put("groups/user/shell/memory.max", "419430400\n");
	look();
	assert_int_equal(cgroup_check(&room, 25, &why), 0);
	assert_int_equal(cgroup_check(&room, 26, &why), -ENOMEM);
	assert_non_null(strstr(why.text, "26 machines take at least 416 MB"));
	assert_non_null(strstr(why.text, "user/shell/memory.max (400 MB) leaves 400 MB"));
}

/* In a container the topmost group that is seen is its own. */
static void the_top_of_what_is_seen_has_limits_too(void **state)
{
	(void)state;
	put("ours", "0::/\n");
	put("groups/memory.max", "104857600\n");
	look();
	assert_true(room.memory.left == 100 * MB);
}

static void what_cannot_be_known_limits_nothing(void **state)
{
	static const char *const said[] = { "", "0::", "2:memory:/user/shell\n", "rubbish",
					    "0::/../above\n", "0::/no/such\n" };

	(void)state;
	put("groups/user/shell/memory.max", "1\n");
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		put("ours", said[i]);
		look();
		assert_true(room.memory.left == UINT64_MAX);
	}
	unlink(ours);
	look();
	assert_true(room.memory.left == UINT64_MAX);
}

static void kills_are_those_of_our_group(void **state)
{
	(void)state;
	put("groups/user/shell/memory.events", "low 0\nhigh 3\noom 9\noom_kill 4\n");
	assert_true(cgroup_memory_kills(ours, mount) == 4);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(without_limits_there_is_none),
		T(the_tightest_group_counts_also_above_ours),
		T(a_cache_of_files_is_free),
		T(processes_are_counted),
		T(a_lab_that_cannot_fit_is_refused),
		T(the_top_of_what_is_seen_has_limits_too),
		T(what_cannot_be_known_limits_nothing),
		T(kills_are_those_of_our_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
