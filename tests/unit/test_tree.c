/* SPDX-License-Identifier: MIT */
/* Both ends of `netlab cp`: what a sender may say, and what comes of it here. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agentproto/pack.h"
#include "agentproto/unpack.h"
#include "base/cleanup.h"
#include "base/fdio.h"

/* A folder for each case: in (what is packed), out (where things go). */
static char folder[64];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-tree.XXXXXX");
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/tmp") || fdio_remove_tree(AT_FDCWD, folder + strlen("/tmp/"), NULL);
}

static void write_text(const char *path, const char *text)
{
	assert_int_equal(fdio_write_file(AT_FDCWD, path, text, strlen(text), 0644, NULL), 0);
}

static void assert_text(const char *path, const char *text)
{
	cleanup_free char *bytes = NULL;
	size_t size;

	assert_int_equal(fdio_read_file(AT_FDCWD, path, 1 << 20, &bytes, &size, NULL), 0);
	assert_string_equal(bytes, text);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* ---- streams that somebody made up ---------------------------------------- */

struct stream {
	uint8_t bytes[8192];
	size_t size;
};

static void add(struct stream *s, const void *bytes, size_t size)
{
	assert_true(s->size + size <= sizeof(s->bytes));
	memcpy(s->bytes + s->size, bytes, size);
	s->size += size;
}

static void add_record(struct stream *s, char kind, unsigned mode, const char *name)
{
	uint8_t head[TREE_HEAD_BYTES];
	struct tree_record record = { .kind = kind,
				      .mode = (uint16_t)mode,
				      .mtime_s = 1000000000,
				      .mtime_ns = 123456789,
				      .name_bytes = (uint16_t)strlen(name) };

	file_tree_record_put(head, &record);
	add(s, head, sizeof(head));
	add(s, name, strlen(name));
}

static void add_block(struct stream *s, const char *text)
{
	uint8_t size[TREE_SIZE_BYTES];

	file_tree_size_put(size, (uint32_t)strlen(text));
	add(s, size, sizeof(size));
	add(s, text, strlen(text));
}

static void add_file(struct stream *s, unsigned mode, const char *name, const char *text)
{
	add_record(s, 'F', mode, name);
	add_block(s, text);
	add_block(s, "");
}

static void add_link(struct stream *s, const char *name, const char *target)
{
	add_record(s, 'L', 0777, name);
	add_block(s, target);
}

static void begin(struct stream *s)
{
	s->size = 0;
	add(s, TREE_MAGIC, TREE_MAGIC_BYTES);
	add_record(s, 'D', 0755, "");
}

static void end(struct stream *s)
{
	add_record(s, 'U', 0, "");
	add_record(s, 'E', 0, "");
}

static int take(const struct stream *s, const char *to, struct tree_left_out *left)
{
	int fds[2], err;
	struct why why;

	*left = (struct tree_left_out){ .count = 0 };
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fdio_write(fds[1], s->bytes, s->size), 0);
	close(fds[1]);
	err = unpack_tree(fds[0], to, "d", UNPACK_LINKS_INSIDE, left, &why);
	close(fds[0]);
	return err;
}

/* Nothing is left, neither under its name nor beside it: the folder "out" is empty. */
static void assert_refused(const struct stream *s)
{
	struct tree_left_out left;

	assert_int_equal(mkdir("out", 0755), 0);
	assert_true(take(s, "out/x", &left) < 0);
	assert_int_equal(rmdir("out"), 0);
}

static void a_name_that_leads_elsewhere_is_refused(void **state)
{
	static const char *const names[] = { "..",   ".",	"a/b", "/etc/passwd",
					     "../y", "../../y", "" };
	struct stream s;

	(void)state;
	write_text("kept", "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		begin(&s);
		add_file(&s, 0644, names[i], "bad");
		end(&s);
		assert_refused(&s);
	}
	begin(&s);
	add_record(&s, 'F', 0644, "ab");
	s.bytes[s.size - 1] = 0; /* a zero within */
	add_block(&s, "");
	end(&s);
	assert_refused(&s);
}

static void what_is_no_plain_mode_or_kind_is_refused(void **state)
{
	static const unsigned modes[] = { 04755, 02755, 01777, 0100644 };
	struct stream s;

	(void)state;
	write_text("kept", "");
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		begin(&s);
		add_file(&s, modes[i], "f", "x");
		end(&s);
		assert_refused(&s);
	}
	for (const char *kind = "cbpsX"; *kind; kind++) {
		begin(&s);
		add_record(&s, *kind, 0644, "dev");
		end(&s);
		assert_refused(&s);
	}
}

/* A file by the name of a link that came before would be written through it. */
static void nothing_is_written_through_a_link_that_came(void **state)
{
	struct stream s;

	(void)state;
	write_text("kept", "old");
	begin(&s);
	add_link(&s, "sub", "f");
	add_file(&s, 0644, "sub", "bad");
	end(&s);
	assert_refused(&s);
	begin(&s);
	add_link(&s, "sub", ".");
	add_record(&s, 'D', 0755, "sub");
	add_file(&s, 0644, "x", "bad");
	add_record(&s, 'U', 0, "");
	end(&s);
	assert_refused(&s);
	assert_text("kept", "old");
}

static void a_link_out_of_the_copy_is_left_out_and_told(void **state)
{
	static const struct {
		const char *target;
		unsigned depth;
		bool inside;
	} links[] = {
		{ "/etc/shadow", 0, false }, { "..", 0, false },	{ "../x", 0, false },
		{ "../x", 1, true },	     { "../../x", 1, false },	{ "../../x", 2, true },
		{ "a/b", 0, true },	     { "./a", 0, true },	{ "a/../b", 0, false },
		{ "a/../..", 5, false },     { "./../x", 1, true },	{ "..a", 0, true },
		{ "a/..b", 0, true },	     { "..//..//x", 2, true },
		{ "../a/../../x", 3, false },
	};
	struct tree_left_out left;
	struct stream s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(unpack_link_is_inside(links[i].target, links[i].depth),
				 links[i].inside);
	begin(&s);
	add_link(&s, "got", "/etc/shadow");
	add_link(&s, "up", "../up");
	add_link(&s, "fine", "f");
	add_file(&s, 0640, "f", "text");
	end(&s);
	assert_int_equal(take(&s, "x", &left), 0);
	assert_int_equal(left.count, 2);
	assert_non_null(strstr(left.first, "x/got: "));
	assert_false(exists("x/got"));
	assert_false(exists("x/up"));
	assert_text("x/fine", "text");
	assert_int_equal(mode_of("x/f"), 0640);
}

static void a_stream_that_ends_early_leaves_nothing(void **state)
{
	struct stream s, cut;
	struct tree_left_out left;

	(void)state;
	write_text("kept", "");
	begin(&s);
	add_file(&s, 0644, "f", "some text");
	add_record(&s, 'D', 0500, "deep");
	add_file(&s, 0400, "g", "more");
	add_record(&s, 'U', 0, "");
	end(&s);
	for (size_t size = 0; size < s.size; size++) {
		cut = s;
		cut.size = size;
		assert_refused(&cut);
	}
	assert_int_equal(take(&s, "x", &left), 0);
	assert_text("x/deep/g", "more");
	assert_int_equal(mode_of("x/deep"), 0700); /* its owner can always enter */
}

static void what_is_there_is_joined_or_stands_in_the_way_as_a_whole(void **state)
{
	struct tree_left_out left;
	struct stream s;

	(void)state;
	assert_int_equal(mkdir("x", 0750) || mkdir("x/d", 0700) || mkdir("elsewhere", 0755), 0);
	write_text("x/d/old", "old");
	begin(&s);
	add_file(&s, 0644, "new", "new");
	add_record(&s, 'D', 0755, "sub");
	add_file(&s, 0644, "f", "f");
	add_record(&s, 'U', 0, "");
	end(&s);
	assert_int_equal(take(&s, "x", &left), 0); /* into x, as d */
	assert_text("x/d/old", "old");
	assert_text("x/d/new", "new");
	assert_text("x/d/sub/f", "f");
	assert_int_equal(mode_of("x/d"), 0700);
	/* A link of ours, to somewhere else, is not gone through. */
	assert_int_equal(fdio_remove_tree(AT_FDCWD, "x", NULL), 0);
	assert_int_equal(mkdir("x", 0755) || mkdir("x/d", 0755) ||
				 symlink("../../elsewhere", "x/d/sub"),
			 0);
	assert_int_equal(take(&s, "x", &left), -ENOTDIR);
	assert_false(exists("elsewhere/f"));
	assert_false(exists("x/d/new"));
}

/* ---- what is sent --------------------------------------------------------- */

/* Packed in a child, for a pipe holds little. */
static int copy_tree(const char *from, const char *to, const char *name,
		     struct tree_left_out *left, int *pack_status)
{
	int fds[2], err, status;
	struct why why = { "" };
	pid_t pid;

	*left = (struct tree_left_out){ .count = 0 };
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		dup2(fds[1], STDOUT_FILENO);
		freopen("/dev/null", "w", stderr);
		_exit(pack_run(from));
	}
	close(fds[1]);
	err = unpack_tree(fds[0], to, name, UNPACK_LINKS_INSIDE, left, &why);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*pack_status = WEXITSTATUS(status);
	return err;
}

static void bytes_times_and_plain_modes_cross_and_nothing_else(void **state)
{
	const struct timespec times[] = { { 1, 2 }, { 1234567890, 987654321 } };
	struct tree_left_out left;
	struct stat st;
	int status;

	(void)state;
	assert_int_equal(mkdir("in", 0755) || mkdir("in/empty", 0711), 0);
	write_text("in/f", "text\n");
	write_text("in/name with\nnewline", "odd");
	assert_int_equal(link("in/f", "in/second"), 0);
	assert_int_equal(chmod("in/f", 06755), 0);
	assert_int_equal(mkfifo("in/fifo", 0644), 0);
	assert_int_equal(symlink("f", "in/l"), 0);
	assert_int_equal(truncate("in/f", 3 << 20), 0);
	assert_int_equal(utimensat(AT_FDCWD, "in/f", times, 0), 0);
	assert_int_equal(copy_tree("in", "x", "in", &left, &status), 0);
	assert_int_equal(status, TREE_STATUS_PARTS);
	assert_int_equal(left.count, 0);
	assert_false(exists("x/fifo"));
	assert_int_equal(stat("x/f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_size, 3 << 20);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtim.tv_sec, times[1].tv_sec);
	assert_int_equal(st.st_mtim.tv_nsec, times[1].tv_nsec);
	assert_true(st.st_blocks * 512 < 1 << 20); /* what is empty takes no room */
	assert_text("x/name with\nnewline", "odd");
	assert_int_equal(mode_of("x/empty"), 0711);
	assert_true(exists("x/l"));
}

static void files_that_say_they_are_empty_are_read_to_their_end(void **state)
{
	cleanup_free char *bytes = NULL;
	struct tree_left_out left;
	int status;
	size_t size;

	(void)state;
	assert_int_equal(copy_tree("/proc/version", "x", "version", &left, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(fdio_read_file(AT_FDCWD, "x", 4096, &bytes, &size, NULL), 0);
	assert_int_equal(strncmp(bytes, "Linux version ", 14), 0);
}

static void a_copy_into_what_is_copied_ends(void **state)
{
	struct tree_left_out left;
	int status;

	(void)state;
	assert_int_equal(mkdir("in", 0755) || mkdir("in/sub", 0755), 0);
	write_text("in/f", "text");
	assert_int_equal(copy_tree("in", "in/sub", "in", &left, &status), 0);
	assert_text("in/sub/in/f", "text");
}

/* As a full disk: a write that fails amid a folder. */
static void what_cannot_be_written_leaves_nothing(void **state)
{
	const struct rlimit little = { 1 << 16, 1 << 16 };
	struct tree_left_out left;
	int status, pack_status;
	pid_t pid;

	(void)state;
	assert_int_equal(mkdir("in", 0755) || mkdir("out", 0755), 0);
	write_text("in/a", "text");
	write_text("in/large", "x");
	assert_int_equal(truncate("in/large", (1 << 17) + 1), 0);
	pid = fork();
	if (pid == 0) {
		int err;

		sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
		setrlimit(RLIMIT_FSIZE, &little);
		err = copy_tree("in", "out/x", "in", &left, &pack_status);
		_exit(err == -EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir("out"), 0); /* it is empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(a_name_that_leads_elsewhere_is_refused),
		CASE(what_is_no_plain_mode_or_kind_is_refused),
		CASE(nothing_is_written_through_a_link_that_came),
		CASE(a_link_out_of_the_copy_is_left_out_and_told),
		CASE(a_stream_that_ends_early_leaves_nothing),
		CASE(what_is_there_is_joined_or_stands_in_the_way_as_a_whole),
		CASE(bytes_times_and_plain_modes_cross_and_nothing_else),
		CASE(files_that_say_they_are_empty_are_read_to_their_end),
		CASE(a_copy_into_what_is_copied_ends),
		CASE(what_cannot_be_written_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
