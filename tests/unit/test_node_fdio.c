/* SPDX-License-Identifier: MIT */
/* base/fdio.h: whole reads, whole writes, whole files, whole trees. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"

static char dir_path[64];
static int dir = -1;

static int make_place(void **state)
{
	(void)state;
	snprintf(dir_path, sizeof(dir_path), "/tmp/netlab-fdio-XXXXXX");
	if (!mkdtemp(dir_path))
		return -1;
	dir = open(dir_path, O_RDONLY | O_DIRECTORY);
	return dir < 0 ? -1 : 0;
}

static int remove_place(void **state)
{
	struct why why;
	int base = open("/tmp", O_RDONLY | O_DIRECTORY);
	int err = fdio_remove_tree(base, dir_path + strlen("/tmp/"), &why);

	(void)state;
	close(base);
	close(dir);
	return err;
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_read_goes_on_until_the_end(void **state)
{
	int ends[2];
	char got[16] = "";

	(void)state;
	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		for (const char *c = "abcdef"; *c; c++)
			fdio_write(ends[1], c, 1);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(fdio_read(ends[0], got, 4), 4);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(fdio_read(ends[0], got, 4), 2); /* then the end */
	assert_int_equal(fdio_read(ends[0], got, 4), 0);
	close(ends[0]);
	wait(NULL);
}

static void descriptors_travel_and_close_on_exec(void **state)
{
	int pair[2], got[2], before;
	size_t count = 2;
	char text[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fdio_send(pair[0], "hi", 2, (int[]){ dir, pair[0] }, 2), 2);
	assert_int_equal(fdio_recv(pair[1], text, sizeof(text), got, &count), 2);
	assert_int_equal(count, 2);
	assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
	close(got[0]);
	close(got[1]);

	/* More than there is room for: none leaks. */
	before = count_fds();
	count = 1;
	assert_int_equal(fdio_send(pair[0], "hi", 2, (int[]){ dir, pair[0] }, 2), 2);
	assert_int_equal(fdio_recv(pair[1], text, sizeof(text), got, &count), -EMSGSIZE);
	assert_int_equal(count, 0);
	assert_int_equal(count_fds(), before);

	close(pair[1]);
	assert_int_equal(fdio_send(pair[0], "hi", 2, NULL, 0), -EPIPE); /* and no signal */
	close(pair[0]);
}

static void folders_are_made_down_to_the_last(void **state)
{
	char path[128];
	struct stat st;
	struct why why = { "" };

	(void)state;
	snprintf(path, sizeof(path), "%s/a/b//c", dir_path);
	assert_int_equal(fdio_make_dirs(path, 0700, &why), 0);
	assert_int_equal(fdio_make_dirs(path, 0700, &why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(fdio_write_file(dir, "file", "x", 1, 0600, &why), 0);
	snprintf(path, sizeof(path), "%s/file/b", dir_path);
	assert_int_equal(fdio_make_dirs(path, 0700, &why), -ENOTDIR);
	assert_non_null(strstr(why.text, "/file"));
}

static void a_file_is_replaced_whole_with_its_mode(void **state)
{
	char *text;
	size_t size;
	struct stat st;
	struct why why = { "" };
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(fdio_write_file(dir, "f", "first", 5, 0644, &why), 0);
	assert_int_equal(fdio_write_file(dir, "f", "2nd", 3, 0644, &why), 0);
	umask(mask);
	assert_int_equal(fdio_read_file(dir, "f", 100, &text, &size, &why), 0);
	assert_int_equal(size, 3);
	assert_string_equal(text, "2nd");
	free(text);
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_not_equal(fstatat(dir, "f.tmp", &st, 0), 0);
}

static void a_file_is_read_up_to_a_limit(void **state)
{
	char big[10000], *text;
	size_t size;
	struct why why = { "" };

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(fdio_write_file(dir, "big", big, sizeof(big), 0600, &why), 0);
	assert_int_equal(fdio_read_file(dir, "big", sizeof(big) - 1, &text, &size, &why), -EFBIG);
	assert_int_equal(fdio_read_file(dir, "big", sizeof(big), &text, &size, &why), 0);
	assert_int_equal(size, sizeof(big));
	free(text);
	assert_int_equal(fdio_read_file(dir, "none", 9, &text, &size, &why), -ENOENT);
	/* One whose size is told as 0. */
	assert_int_equal(fdio_read_file(AT_FDCWD, "/proc/self/stat", 4096, &text, &size, &why), 0);
	assert_true(size > 10);
	free(text);
}

/* A pipe without a writer would be waited for. */
static void what_is_no_regular_file_is_refused_at_once(void **state)
{
	struct why why = { "" };
	size_t size;
	char *text;

	(void)state;
	assert_int_equal(mkfifoat(dir, "pipe", 0600), 0);
	alarm(10);
	assert_int_equal(fdio_read_file(dir, "pipe", 9, &text, &size, &why), -EINVAL);
	assert_string_equal(why.text, "pipe is not a regular file");
	assert_int_equal(fdio_read_file(dir, ".", 9, &text, &size, &why), -EISDIR);
	assert_int_equal(fdio_read_file(AT_FDCWD, "/dev/zero", 9, &text, &size, &why),
			 -EINVAL);
	alarm(0);
	assert_int_equal(unlinkat(dir, "pipe", 0), 0);
}

static void a_tree_goes_and_what_its_links_point_to_stays(void **state)
{
	struct stat st;
	struct why why = { "" };

	(void)state;
	assert_int_equal(mkdirat(dir, "keep", 0700), 0);
	assert_int_equal(fdio_write_file(dir, "keep/me", "x", 1, 0600, &why), 0);
	assert_int_equal(mkdirat(dir, "tree", 0700), 0);
	assert_int_equal(mkdirat(dir, "tree/deep", 0700), 0);
	assert_int_equal(symlinkat("../keep", dir, "tree/link"), 0);
	assert_int_equal(symlinkat("/etc", dir, "tree/deep/etc"), 0);
	assert_int_equal(fdio_write_file(dir, "tree/deep/f", "x", 1, 0600, &why), 0);

	assert_int_equal(fdio_remove_tree(dir, "../x", &why), -EINVAL);
	assert_int_equal(fdio_remove_tree(dir, "..", &why), -EINVAL);
	assert_int_equal(fdio_remove_tree(dir, "tree", &why), 0);
	assert_int_equal(fdio_remove_tree(dir, "tree", &why), 0); /* gone is fine */
	assert_int_not_equal(fstatat(dir, "tree", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(dir, "keep/me", &st, 0), 0);
}

static void a_link_itself_is_removed_not_its_target(void **state)
{
	struct stat st;
	struct why why = { "" };

	(void)state;
	assert_int_equal(mkdirat(dir, "target", 0700), 0);
	assert_int_equal(symlinkat("target", dir, "alias"), 0);
	assert_int_equal(fdio_remove_tree(dir, "alias", &why), 0);
	assert_int_equal(fstatat(dir, "target", &st, 0), 0);
}

static void a_tree_without_end_is_refused(void **state)
{
	struct why why = { "" };
	int at = openat(dir, ".", O_RDONLY | O_DIRECTORY);

	(void)state;
	for (int i = 0; i <= FDIO_DEPTH_MAX + 1; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(fdio_remove_tree(dir, "d", &why), -ELOOP);
	assert_int_equal(renameat(dir, "d/d/d/d", dir, "e"), 0);
	assert_int_equal(fdio_remove_tree(dir, "d", &why), 0);
	assert_int_equal(fdio_remove_tree(dir, "e", &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_goes_on_until_the_end),
		cmocka_unit_test(descriptors_travel_and_close_on_exec),
		cmocka_unit_test(folders_are_made_down_to_the_last),
		cmocka_unit_test(a_file_is_replaced_whole_with_its_mode),
		cmocka_unit_test(a_file_is_read_up_to_a_limit),
		cmocka_unit_test(what_is_no_regular_file_is_refused_at_once),
		cmocka_unit_test(a_tree_goes_and_what_its_links_point_to_stays),
		cmocka_unit_test(a_link_itself_is_removed_not_its_target),
		cmocka_unit_test(a_tree_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
