/* SPDX-License-Identifier: MIT */
/* Both ends of `netlab cp` when descriptors, memory or the disk run out on the way: each
 * of their calls fails once.  What is copied comes whole or not at all, or what is
 * missing is told; nothing else is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agentproto/pack.h"
#include "agentproto/unpack.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "lib/failing.h"

enum { ROUNDS_MAX = 2000 };

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/failing-tree.XXXXXX");
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/tmp") ||
	       fdio_remove_tree(AT_FDCWD, folder + strlen("/tmp/"), NULL);
}

static void write_text(const char *path, const char *text)
{
	assert_int_equal(fdio_write_file(AT_FDCWD, path, text, strlen(text), 0644, NULL),
			 0);
}

/* ---- what there is ---------------------------------------------------------- */

static void draw_entry(FILE *out, const char *path);

static void draw_folder(FILE *out, const char *path)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort);

	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		char below[512];

		if (strcmp(names[i]->d_name, ".") != 0 &&
		    strcmp(names[i]->d_name, "..") != 0) {
			assert_true(snprintf(below, sizeof(below), "%s/%s", path,
					     names[i]->d_name) < (int)sizeof(below));
			draw_entry(out, below);
		}
		free(names[i]);
	}
	free(names);
}

static void draw_entry(FILE *out, const char *path)
{
	cleanup_free char *text = NULL;
	char target[256] = "";
	struct stat st;
	size_t size;

	assert_int_equal(lstat(path, &st), 0);
	fprintf(out, "%s %o ", path, st.st_mode);
	if (S_ISLNK(st.st_mode)) {
		assert_true(readlink(path, target, sizeof(target) - 1) > 0);
		fprintf(out, "-> %s\n", target);
	} else if (S_ISDIR(st.st_mode)) {
		fprintf(out, "\n");
		draw_folder(out, path);
	} else {
		assert_int_equal(
			fdio_read_file(AT_FDCWD, path, 1 << 20, &text, &size, NULL), 0);
		fprintf(out, "%zu %s\n", size, text);
	}
}

/* A line for each file, folder and link; the caller frees it. */
static char *picture(const char *path)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	draw_folder(out, path);
	assert_int_equal(fclose(out), 0);
	return text;
}

static bool has_line(const char *text, const char *line, size_t size)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (!strncmp(text, line, size + 1))
			return true;
	return false;
}

/* Each line of one is in the other, or in the third. */
static bool is_within(const char *text, const char *one, const char *other)
{
	for (; *text; text += strcspn(text, "\n") + 1) {
		size_t size = strcspn(text, "\n");

		if (!has_line(one, text, size) && !has_line(other, text, size))
			return false;
	}
	return true;
}

/* ---- sending ----------------------------------------------------------------- */

static void make_source(void)
{
	assert_int_equal(mkdir("in", 0755) || mkdir("in/sub", 0750) ||
				 mkdir("in/sub/empty", 0711),
			 0);
	write_text("in/a", "first");
	write_text("in/sub/b", "second");
	write_text("in/z", "last");
	assert_int_equal(symlink("sub/b", "in/link"), 0);
	/* More than one block, and a hole. */
	assert_int_equal(truncate("in/z", 3 * TREE_BLOCK_BYTES_MAX + 5), 0);
}

static int empty_stream(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int take(int stream, const char *to, struct tree_left_out *left, struct why *why)
{
	*left = (struct tree_left_out){ .count = 0 };
	*why = (struct why){ "" };
	assert_int_equal(lseek(stream, 0, SEEK_SET), 0);
	return unpack_tree(stream, to, "in", UNPACK_LINKS_INSIDE, left, why);
}

static void pack_sweep(enum failing_kind kind)
{
	cleanup_free char *whole = NULL;
	bool reached = true;
	unsigned n = 0;

	while (reached && n++ < ROUNDS_MAX) {
		struct tree_left_out left = { .count = 0 }, kept;
		cleanup_close int stream = empty_stream();
		unsigned files = failing_open_files();
		struct why why = { "" };
		int err;

		failing_arm(kind, n);
		err = pack_tree("in", stream, &left, &why);
		reached = failing_disarm();
		assert_int_equal(failing_open_files(), files);
		if (err)
			assert_true(reached && *why.text);
		else if (reached)
			assert_true(left.count == 1 && *left.first);
		/* What was sent without a word that it breaks off can be received. */
		assert_int_equal(mkdir("out", 0755), 0);
		assert_int_equal(take(stream, "out/x", &kept, &why) < 0, err != 0);
		free(whole);
		whole = picture("out");
		assert_true(err ? !*whole : *whole);
		assert_null(strstr(whole, TREE_STAGE_PREFIX));
		assert_int_equal(fdio_remove_tree(AT_FDCWD, "out", NULL), 0);
	}
	assert_in_range(n, 2, ROUNDS_MAX - 1);
	assert_non_null(strstr(whole, "out/x/sub/b 100644 6 second\n"));
}

static void what_cannot_be_sent_is_told_or_nothing_is_received(void **state)
{
	(void)state;
	make_source();
	pack_sweep(FAILING_MEMORY);
	pack_sweep(FAILING_FILES);
	pack_sweep(FAILING_SPACE);
	pack_sweep(FAILING_FULL);
}

/* ---- receiving ----------------------------------------------------------------- */

/* What is there before. */
static void nothing_there(void)
{
}

static void a_file_there(void)
{
	write_text("out/x", "old");
}

/* Some of what comes is there already, as something else. */
static void a_folder_there(void)
{
	assert_int_equal(mkdir("out/x", 0700) || mkdir("out/x/in", 0700) ||
				 mkdir("out/x/in/sub", 0700),
			 0);
	write_text("out/x/in/a", "old");
	write_text("out/x/in/own", "mine");
}

static void begin(void (*there)(void))
{
	assert_int_equal(mkdir("out", 0755), 0);
	there();
}

static void unpack_sweep(int stream, void (*there)(void), enum failing_kind kind,
			 bool joins)
{
	cleanup_free char *before = NULL, *done = NULL;
	struct tree_left_out left;
	bool reached = true;
	struct why why;
	unsigned n = 0;

	begin(there);
	before = picture("out");
	assert_int_equal(take(stream, "out/x", &left, &why), 0);
	done = picture("out");
	assert_int_equal(fdio_remove_tree(AT_FDCWD, "out", NULL), 0);
	while (reached && n++ < ROUNDS_MAX) {
		cleanup_free char *after = NULL;
		unsigned files = failing_open_files();
		int err;

		begin(there);
		failing_arm(kind, n);
		err = take(stream, "out/x", &left, &why);
		reached = failing_disarm();
		after = picture("out");
		assert_int_equal(failing_open_files(), files);
		if (err && (!reached || !*why.text))
			fail_msg("%s %u: error %d, \"%s\"", failing_kind_name(kind), n,
				 err, why.text);
		/* What joins a folder comes entry by entry, and each of them whole. */
		if (strcmp(after, err ? before : done) != 0 &&
		    !(err && joins && is_within(after, before, done)))
			fail_msg("%s %u: \"%s\"\n%s\nbut it was\n%s\nand should be\n%s",
				 failing_kind_name(kind), n, why.text, after, before,
				 done);
		assert_int_equal(fdio_remove_tree(AT_FDCWD, "out", NULL), 0);
	}
	assert_in_range(n, 2, ROUNDS_MAX - 1);
}

static void what_cannot_be_received_leaves_all_as_it_was(void **state)
{
	static const enum failing_kind kinds[] = { FAILING_MEMORY, FAILING_FILES,
						   FAILING_SPACE, FAILING_FULL };
	cleanup_close int tree = empty_stream(), file = empty_stream();
	struct tree_left_out left = { .count = 0 };

	(void)state;
	make_source();
	assert_int_equal(pack_tree("in", tree, &left, NULL), 0);
	assert_int_equal(pack_tree("in/z", file, &left, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		unpack_sweep(tree, nothing_there, kinds[i], false);
		unpack_sweep(tree, a_folder_there, kinds[i], true);
		unpack_sweep(file, nothing_there, kinds[i], false);
		unpack_sweep(file, a_file_there, kinds[i], false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		CASE(what_cannot_be_sent_is_told_or_nothing_is_received),
		CASE(what_cannot_be_received_leaves_all_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
