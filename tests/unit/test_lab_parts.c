/* SPDX-License-Identifier: MIT */
/* The lab's small parts: journal, run directory, ring, queue, text, base64, where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fdio.h"
#include "run/journal.h"
#include "base/outbuf.h"
#include "lab/parts.h"
#include "base/ring.h"
#include "run/rundir.h"
#include "fabric/talkers.h"
#include "base/text.h"
#include "machine/backtrace.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-lab-parts.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

	(void)state;
	fdio_remove_tree(tmp, folder + strlen("/tmp/"), NULL);
	close(tmp);
	return 0;
}

/* ---- journal ------------------------------------------------------------------------
 */

static void count(void *ctx)
{
	++*(int *)ctx;
}

static void entries_have_their_number_and_lab_time_in_file_and_tail(void **state)
{
	char path[96], *text;
	struct journal *journal;
	struct clock *clock;
	json_t *entry;
	size_t size;
	int grown = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/journal", folder);
	assert_int_equal(clock_fake_create(&clock, NULL), 0);
	assert_int_equal(journal_create(&journal, clock,
					open(path, O_WRONLY | O_CREAT | O_APPEND, 0600),
					NULL),
			 0);
	journal_listen(journal, count, &grown);
	clock_fake_advance(clock, 1500000000);
	journal_write(journal, "fault",
		      json_pack("{s:s, s:i}", "name", "backup", "n", 99));
	journal_write(journal, "heal", NULL);
	assert_int_equal(grown, 2);
	assert_int_equal(journal_first(journal), 0);
	assert_int_equal(journal_next(journal), 2);
	entry = json_loads(journal_line(journal, 0, NULL), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(entry, "n")), 0);
	assert_int_equal(json_integer_value(json_object_get(entry, "t")), 1500000000);
	assert_string_equal(json_string_value(json_object_get(entry, "event")), "fault");
	assert_string_equal(json_string_value(json_object_get(entry, "name")), "backup");
	assert_string_equal(json_string_value(json_object_get(entry, "wall")),
			    "1970-01-01T00:00:01.500000000Z");
	json_decref(entry);
	assert_int_equal(fdio_read_file(AT_FDCWD, path, 4096, &text, &size, NULL), 0);
	assert_int_equal(size, strlen(journal_line(journal, 0, NULL)) +
				       strlen(journal_line(journal, 1, NULL)) + 2);
	assert_memory_equal(text, journal_line(journal, 0, NULL),
			    strlen(journal_line(journal, 0, NULL)));
	free(text);
	journal_destroy(journal);
	clock_destroy(clock);
}

static void the_tail_is_limited_in_entries_and_in_bytes(void **state)
{
	struct journal *journal;
	struct clock *clock;
	char *big = malloc(100001);

	(void)state;
	memset(big, 'x', 100000);
	big[100000] = 0;
	clock_fake_create(&clock, NULL);
	assert_int_equal(journal_create(&journal, clock, -1, NULL), 0);
	for (int i = 0; i < JOURNAL_TAIL_ENTRIES + 10; i++)
		journal_write(journal, "tick", NULL);
	assert_int_equal(journal_next(journal) - journal_first(journal),
			 JOURNAL_TAIL_ENTRIES);
	assert_int_equal(journal_first(journal), 10);
	for (int i = 0; i < 200; i++)
		journal_write(journal, "big", json_pack("{s:s}", "text", big));
	assert_in_range(journal_next(journal) - journal_first(journal), 80,
			JOURNAL_TAIL_BYTES_MAX / 100000);
	free(big);
	journal_destroy(journal);
	clock_destroy(clock);
}

static void a_monstrous_entry_loses_its_fields_not_its_place(void **state)
{
	struct journal *journal;
	struct clock *clock;
	char *big = malloc(JOURNAL_LINE_BYTES_MAX + 1);

	(void)state;
	memset(big, 'x', JOURNAL_LINE_BYTES_MAX);
	big[JOURNAL_LINE_BYTES_MAX] = 0;
	clock_fake_create(&clock, NULL);
	assert_int_equal(journal_create(&journal, clock, -1, NULL), 0);
	journal_write(journal, "big", json_pack("{s:s}", "text", big));
	assert_int_equal(journal_next(journal), 1);
	assert_non_null(strstr(journal_line(journal, 0, NULL), "\"event\":\"big\""));
	assert_null(strstr(journal_line(journal, 0, NULL), "xxx"));
	free(big);
	journal_destroy(journal);
	clock_destroy(clock);
}

/* A disk that takes a part of a line, and then, when there is room again, nothing more:
 * what follows a hole would be taken for what came next. */
static void a_journal_that_is_cut_ends_with_a_whole_line(void **state)
{
	const struct rlimit small = { 1000, RLIM_INFINITY };
	char text[2048];
	struct rlimit before;
	struct journal *journal;
	struct clock *clock;
	ssize_t size;
	int fd = memfd_create("journal", MFD_CLOEXEC), look = dup(fd);

	(void)state;
	clock_fake_create(&clock, NULL);
	assert_int_equal(journal_create(&journal, clock, fd, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 30; i++)
		journal_write(journal, "tick", NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	journal_write(journal, "tick", NULL);
	assert_int_equal(journal_error(journal), -EFBIG);
	assert_int_equal(journal_next(journal), 31);
	size = pread(look, text, sizeof(text), 0);
	assert_true(size > 800 && size <= 1000);
	assert_int_equal(text[size - 1], '\n');
	journal_destroy(journal);
	clock_destroy(clock);
	close(look);
}

static void a_full_disk_costs_the_file_not_the_lab(void **state)
{
	struct journal *journal;
	struct clock *clock;

	(void)state;
	clock_fake_create(&clock, NULL);
	assert_int_equal(
		journal_create(&journal, clock, open("/dev/full", O_WRONLY), NULL), 0);
	journal_write(journal, "tick", NULL);
	assert_int_equal(journal_error(journal), -ENOSPC);
	assert_int_equal(journal_next(journal), 1);
	journal_destroy(journal);
	clock_destroy(clock);
}

/* ---- run directory --------------------------------------------------------------------
 */

static void each_run_has_a_folder_of_its_own_and_the_newest_is_latest(void **state)
{
	struct rundir one, two;
	char path[128], target[128] = "";

	(void)state;
	assert_int_equal(rundir_create(&one, folder, "lab", NULL), 0);
	assert_int_equal(rundir_create(&two, folder, "lab", NULL), 0);
	assert_string_not_equal(one.path, two.path);
	snprintf(path, sizeof(path), "%s/lab-latest", folder);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, strrchr(two.path, '/') + 1);
	assert_int_equal(faccessat(one.fd, "consoles", F_OK, 0), 0);
	assert_int_equal(faccessat(one.fd, "captures", F_OK, 0), 0);
	rundir_close(&one);
	rundir_close(&two);
}

static void where_no_run_directory_can_be_the_way_out_is_named(void **state)
{
	struct rundir run;
	struct why why;

	(void)state;
	assert_true(rundir_create(&run, "/proc/netlab-runs", "lab", &why) < 0);
	assert_non_null(strstr(why.text, "--out"));
}

static void the_default_place_is_made_for_people_who_use_git(void **state)
{
	char place[PATH_MAX], path[PATH_MAX + 16], *text;
	size_t size;

	(void)state;
	snprintf(place, sizeof(place), "%s/netlab-runs", folder);
	snprintf(path, sizeof(path), "%s/.gitignore", place);
	assert_int_equal(rundir_make_default(place, NULL), 0);
	assert_int_equal(fdio_read_file(AT_FDCWD, path, 4096, &text, &size, NULL), 0);
	assert_non_null(strstr(text, "\n*\n"));
	free(text);
	/* What somebody has taken out stays out. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rundir_make_default(place, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(place), 0);
}

static void a_link_of_somebody_else_is_not_followed(void **state)
{
	char place[PATH_MAX];
	struct why why;

	(void)state;
	snprintf(place, sizeof(place), "%s/netlab-runs", folder);
	assert_int_equal(symlink("/", place), 0);
	assert_int_equal(rundir_make_default(place, &why), 0);
	if (geteuid() == 0) {
		assert_int_equal(lchown(place, 61247, 61247), 0);
		assert_int_equal(rundir_make_default(place, &why), -EPERM);
		assert_non_null(strstr(why.text, "--out"));
	}
	assert_int_equal(unlink(place), 0);
}

static void a_path_that_no_record_can_hold_is_refused(void **state)
{
	char place[PATH_MAX], path[PATH_MAX + 16];
	struct rundir run;
	struct why why;

	(void)state;
	snprintf(place, sizeof(place), "%s/caf\xe9", folder);
	assert_int_equal(rundir_create(&run, place, "lab", &why), -EINVAL);
	assert_non_null(strstr(why.text, "caf? has a byte that is not UTF-8"));
	assert_int_equal(rmdir(place), 0); /* nothing is in it */
	snprintf(path, sizeof(path), "%s/caf\xc3\xa9", folder);
	assert_int_equal(rundir_create(&run, path, "lab", &why), 0);
	rundir_close(&run);
}

static void a_log_takes_a_limited_number_of_bytes_and_says_so(void **state)
{
	char *block = calloc(1, 1 << 20), *text;
	struct rundir run;
	struct logfile log;
	size_t size;

	(void)state;
	assert_int_equal(rundir_create(&run, folder, "lab", NULL), 0);
	assert_int_equal(logfile_open(&log, &run, "consoles/n1.log", NULL), 0);
	for (int i = 0; i < LOGFILE_BYTES_MAX / (1 << 20) + 3; i++)
		logfile_write(&log, block, 1 << 20);
	assert_int_equal(log.written, LOGFILE_BYTES_MAX);
	assert_int_equal(log.lost, 3 << 20);
	assert_int_equal(fdio_read_file(run.fd, "consoles/n1.log",
					LOGFILE_BYTES_MAX + 4096, &text, &size, NULL),
			 0);
	assert_non_null(strstr(text + LOGFILE_BYTES_MAX, "this log is full"));
	free(text);
	free(block);
	logfile_close(&log);
	rundir_close(&run);
}

/* ---- ring -------------------------------------------------------------- */

static void a_ring_keeps_the_last_bytes_at_their_places(void **state)
{
	const uint8_t *bytes;
	struct ring ring;
	uint8_t tail[8];

	(void)state;
	assert_int_equal(ring_init(&ring, 8), 0);
	ring_put(&ring, (const uint8_t *)"abcdef", 6);
	assert_int_equal(ring_first(&ring), 0);
	ring_put(&ring, (const uint8_t *)"ghij", 4);
	assert_int_equal(ring_first(&ring), 2);
	assert_int_equal(ring_peek(&ring, 2, &bytes), 6);
	assert_memory_equal(bytes, "cdefgh", 6);
	assert_int_equal(ring_peek(&ring, 8, &bytes), 2);
	assert_memory_equal(bytes, "ij", 2);
	assert_int_equal(ring_peek(&ring, 10, &bytes), 0);
	assert_int_equal(ring_tail(&ring, tail, 3), 3);
	assert_memory_equal(tail, "hij", 3);
	ring_put(&ring, (const uint8_t *)"0123456789ABCDEF", 16);
	assert_int_equal(ring.end, 26);
	assert_int_equal(ring_tail(&ring, tail, 8), 8);
	assert_memory_equal(tail, "89ABCDEF", 8);
	ring_free(&ring);
}

/* ---- queue ------------------------------------------------------------- */

static void
a_queue_gives_in_order_what_it_took_and_takes_no_more_than_its_limit(void **state)
{
	struct outbuf buf = { .limit = 100000 };
	uint8_t next_in = 0, next_out = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint8_t piece[97];
		size_t n = (size_t)(round * 31 % 97) + 1;

		for (size_t i = 0; i < n; i++)
			piece[i] = next_in++;
		assert_int_equal(outbuf_append(&buf, piece, n), 0);
		n = outbuf_size(&buf) * 2 / 3;
		for (size_t i = 0; i < n; i++)
			assert_int_equal(outbuf_front(&buf)[i], next_out++);
		outbuf_take(&buf, n);
	}
	while (outbuf_append(&buf, "0123456789", 10) == 0)
		;
	assert_in_range(outbuf_size(&buf), 99991, 100000);
	assert_int_equal(outbuf_append(&buf, "0123456789", 10), -ENOBUFS);
	outbuf_free(&buf);
	assert_int_equal(outbuf_append(&buf, "x", 1), 0);
	outbuf_free(&buf);
}

/* ---- text -------------------------------------------------------------- */

static void assert_text(const char *bytes, size_t size, const char *expected)
{
	json_t *text = text_json(bytes, size);

	assert_non_null(text);
	assert_string_equal(json_string_value(text), expected);
	json_decref(text);
}

static void bytes_of_a_guest_become_text_whatever_they_are(void **state)
{
	(void)state;
	assert_text("plain\n\ttext", 11, "plain\n\ttext");
	assert_text("\x1b[31mred\x00\x7f\r", 10, "[31mred");
	assert_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_text("a\xff"
		    "b",
		    3,
		    "a\xef\xbf\xbd"
		    "b");
	assert_text("\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong */
	assert_text("\xed\xa0\x80", 3,
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");	/* surrogate */
	assert_text("\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd"); /* cut short */
	assert_text("", 0, "");
}

/* ---- base64 ------------------------------------------------------------ */

static void base64_is_that_of_rfc_4648_and_reads_back(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	uint8_t bytes[256], back[256];
	char text[BASE64_ROOM(256)];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		base64_encode(text, (const uint8_t *)vectors[i][0],
			      strlen(vectors[i][0]));
		assert_string_equal(text, vectors[i][1]);
	}
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)(255 - i);
	for (size_t size = 0; size <= 256; size++) {
		base64_encode(text, bytes, size);
		assert_int_equal(base64_decode(back, text, strlen(text)), size);
		assert_memory_equal(back, bytes, size);
	}
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const bad[] = {
		"A",	"AB",	"ABC",	    "A===",  "====",
		"AB=C", "AB!D", "ABC=DEFG", "A\nBC", "Zg==Zg=="
	};
	uint8_t back[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(base64_decode(back, bad[i], strlen(bad[i])), -EINVAL);
}

/* ---- where netlab's own pieces are ------------------------------------- */

static void parts_are_where_the_variable_says_and_nowhere_else(void **state)
{
	struct parts parts;
	struct why why;
	char path[128];

	(void)state;
	setenv("NETLAB_LIBEXEC", folder, 1);
	assert_int_equal(parts_find(&parts, &why), -ENOENT);
	assert_non_null(strstr(why.text, folder));
	snprintf(path, sizeof(path), "%s/netlab-initramfs.cpio", folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(parts_find(&parts, NULL), 0);
	assert_string_equal(parts.initramfs, path);
	assert_string_equal(parts.preload, "");
	snprintf(path, sizeof(path), "%s/libnetlab-preload.so", folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(parts_find(&parts, NULL), 0);
	assert_string_equal(parts.preload, path);
	unsetenv("NETLAB_LIBEXEC");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

/* ---- where ---------------------------------------------------------------------------
 */

static enum backtrace_cut cut(struct backtrace *out, char *text)
{
	size_t size = strlen(text);
	enum backtrace_cut cut = backtrace_cut(out, text, &size);

	text[size] = 0;
	return cut;
}

static void an_answer_is_taken_out_of_what_a_console_says(void **state)
{
	char said[] = "login:\n\num_where: user pid=57 tid=57 ip=0x401136 call=24 "
		      "comm=my spin\tin=/root/my spin+0x1136\r\nmore";
	char kernel[] = "\num_where: kernel pid=5 tid=9 ip=0x60031f20 "
			"comm=a\tin=foo+0x10/0x80\n";
	char text[BACKTRACE_TEXT_BYTES], call[BACKTRACE_CALL_BYTES];
	struct backtrace where;

	(void)state;
	assert_int_equal(cut(&where, said), BACKTRACE_WHOLE);
	assert_string_equal(said, "login:\nmore");
	backtrace_text(text, &where);
	assert_string_equal(text, "process 'my spin' (pid 57) at 0x401136 in "
				  "/root/my spin+0x1136");
	backtrace_call(call, &where);
	assert_string_equal(call, "sched_yield");
	assert_int_equal(cut(&where, kernel), BACKTRACE_WHOLE);
	assert_string_equal(kernel, "");
	backtrace_text(text, &where);
	assert_string_equal(text, "its kernel, for process 'a' (pid 5, thread 9), at "
				  "0x60031f20 in foo+0x10/0x80");
	backtrace_call(call, &where);
	assert_string_equal(call, "");
}

static void an_answer_in_pieces_is_waited_for(void **state)
{
	static const char whole[] =
		"x\num_where: user pid=57 tid=57 ip=0x401136 comm=spin\tin=?\ny";
	struct backtrace where;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		char text[sizeof(whole)];
		size_t size = n;
		enum backtrace_cut cut;

		memcpy(text, whole, n);
		cut = backtrace_cut(&where, text, &size);
		if (n < 2)
			assert_int_equal(cut, BACKTRACE_NONE);
		else if (n < sizeof(whole) - 2)
			assert_int_equal(cut, BACKTRACE_PART);
		else
			assert_int_equal(cut, BACKTRACE_WHOLE);
		/* With a part, what is before it stays, and the part behind that. */
		if (cut == BACKTRACE_PART) {
			assert_int_equal(size, 1);
			assert_memory_equal(text, whole, n);
		}
	}
}

static void what_is_not_an_answer_stays(void **state)
{
	static const char *const texts[] = {
		"\num_where: \n",
		"x um_where: user pid=57 tid=57 ip=0x401136 comm=spin\tin=?\n",
		"\num_where: somewhere pid=57 tid=57 ip=0x401136 comm=spin\tin=?\n",
		"\num_where: user pid=57 tid=57 ip=0x401136 comm=spin in=?\nx",
		"\num_where: user pid=57 tid=57 ip=0x401136 comm=\tin=?\nx",
		"\num_where: user pid=57 tid=57 ip=0x401136 comm=spin\tin=\nx",
		"\num_where: user pid=57 tid=57 ip=0x401136 call=x comm=spin\tin=?\nx",
		"\num_where: user pid=x tid=57 ip=0x401136 comm=spin\tin=?\nx",
		("\num_where: user pid=5 tid=5 ip=0x4 "
		 "comm=01234567890123456789012345678901\tin=?\nx"),
	};
	struct backtrace where;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char text[256];

		snprintf(text, sizeof(text), "%s", texts[i]);
		assert_int_not_equal(cut(&where, text), BACKTRACE_WHOLE);
	}
}

/* ---- who talks ----------------------------------------------------------------------------- */

static void the_links_that_carry_most_are_named_with_their_frames(void **state)
{
	struct plan_link links[] = { { .name = "a--b" }, { .name = "b--c" }, { .name = "c--a" },
				     { .name = "x--y" }, { .name = "y--z" } };
	struct plan plan = { .links = links, .link_count = 5 };
	char text[TALKERS_TEXT_BYTES], name[200] = "";
	struct talkers *talkers;

	(void)state;
	assert_int_equal(talkers_create(&talkers, &plan, NULL), 0);
	assert_int_equal(talkers_look(talkers, (uint64_t[]){ 7, 9, 9, 0, 1 }, 2000000000, text),
			 26);
	assert_string_equal(text, "26 frames in 2.000000 s: b--c 9, c--a 9, a--b 7");
	/* Only those since the last look. */
	assert_int_equal(talkers_look(talkers, (uint64_t[]){ 7, 9, 10, 0, 4001 }, 2000412000,
				      text),
			 4001);
	assert_string_equal(text, "4001 frames in 0.000412 s: y--z 4000, c--a 1");
	assert_int_equal(talkers_look(talkers, (uint64_t[]){ 7, 9, 10, 0, 4001 }, 2000412000,
				      text),
			 0);
	assert_string_equal(text, "");
	assert_int_equal(talkers_look(talkers, (uint64_t[]){ 8, 10, 11, 1, 4002 }, 2000412000,
				      NULL),
			 5);
	talkers_destroy(talkers);
	/* Names of any length fit. */
	memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < 5; i++)
		links[i].name = name;
	assert_int_equal(talkers_create(&talkers, &plan, NULL), 0);
	talkers_look(talkers, (uint64_t[]){ 1ULL << 62, 2, 3, 4, 5 }, UINT64_MAX, text);
	assert_true(strlen(text) < TALKERS_TEXT_BYTES);
	talkers_destroy(talkers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_have_their_number_and_lab_time_in_file_and_tail),
		TEST(the_tail_is_limited_in_entries_and_in_bytes),
		TEST(a_monstrous_entry_loses_its_fields_not_its_place),
		TEST(a_full_disk_costs_the_file_not_the_lab),
		TEST(a_journal_that_is_cut_ends_with_a_whole_line),
		TEST(each_run_has_a_folder_of_its_own_and_the_newest_is_latest),
		TEST(where_no_run_directory_can_be_the_way_out_is_named),
		TEST(the_default_place_is_made_for_people_who_use_git),
		TEST(a_link_of_somebody_else_is_not_followed),
		TEST(a_path_that_no_record_can_hold_is_refused),
		TEST(a_log_takes_a_limited_number_of_bytes_and_says_so),
		TEST(a_ring_keeps_the_last_bytes_at_their_places),
		TEST(the_links_that_carry_most_are_named_with_their_frames),
		TEST(a_queue_gives_in_order_what_it_took_and_takes_no_more_than_its_limit),
		TEST(bytes_of_a_guest_become_text_whatever_they_are),
		TEST(base64_is_that_of_rfc_4648_and_reads_back),
		TEST(what_is_no_base64_is_refused),
		TEST(parts_are_where_the_variable_says_and_nowhere_else),
		TEST(an_answer_is_taken_out_of_what_a_console_says),
		TEST(an_answer_in_pieces_is_waited_for),
		TEST(what_is_not_an_answer_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
