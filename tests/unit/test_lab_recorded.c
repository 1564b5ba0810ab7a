/* SPDX-License-Identifier: MIT */
/* A run as it is kept, and another beside it: the first thing that differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "run/comparison.h"
#include "run/origin.h"

enum { PORTS = 2, END_NS = 9000 };

static struct plan_service services[] = { { .name = "s" } };
static struct plan_node nodes[2] = {
	{ .name = "a", .services = services, .service_count = 1 },
	{ .name = "b" },
};
static char folder[32];
static struct plan plan = { .nodes = nodes, .node_count = 2, .dir = folder };
static struct recorded *recorded;
static struct comparison *comparison;
static struct why why;

static void put(const char *name, const char *text)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY);

	assert_int_equal(fdio_write_file(dir, name, text, strlen(text), 0644, NULL), 0);
	close(dir);
}

static const char entries[] =
	"{\"n\":0,\"t\":0,\"event\":\"lab-start\"}\n"
	"{\"n\":1,\"t\":100,\"event\":\"node\",\"node\":\"a\"}\n"
	"{\"n\":2,\"t\":2500,\"event\":\"capture\"}\n"
	"{\"n\":3,\"t\":3000,\"event\":\"input\",\"do\":\"heal\",\"names\":[]}\n"
	"{\"n\":4,\"t\":5000,\"event\":\"heal\",\"name\":\"p1\"}\n"
	"{\"n\":5,\"t\":9000,\"event\":\"lab\",\"to\":\"stopping\"}\n";
static const char *const counted[] = {
	"\"t\":100,\"event\":\"node\",\"node\":\"a\"}",
	"\"t\":3000,\"event\":\"input\",\"do\":\"heal\",\"names\":[]}",
	"\"t\":5000,\"event\":\"heal\",\"name\":\"p1\"}",
};
static const uint64_t counted_at[] = { 100, 3000, 5000 };

/* Three frames: 0 sends at 1000, 1 receives it at 2000, 0 sends again at 4000. */
static const struct {
	enum digest_way way;
	uint32_t port;
	uint64_t at_ns;
	const char *bytes;
} frames[] = {
	{ DIGEST_SENT, 0, 1000, "one" },
	{ DIGEST_RECEIVED, 1, 2000, "one" },
	{ DIGEST_SENT, 0, 4000, "two" },
};

static void record_frames(void)
{
	struct frame_recorder *recorder;
	struct digest *digest;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/frames.bin", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	assert_true(fd >= 0);
	assert_int_equal(digest_create(&digest, &plan, NULL), 0);
	assert_int_equal(frame_recorder_create(&recorder, digest, fd, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		digest_frame(digest, frames[i].way, frames[i].port, frames[i].at_ns,
			     (const uint8_t *)frames[i].bytes, strlen(frames[i].bytes));
	frame_recorder_destroy(recorder);
	digest_destroy(digest);
}

static void load(void)
{
	assert_int_equal(recorded_read(&recorded, folder, &plan, &why), 0);
	assert_int_equal(comparison_create(&comparison, recorded, PORTS, NULL), 0);
}

static int set_up(void **state)
{
	char path[64];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/recorded.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/consoles", folder);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/logs", folder);
	mkdir(path, 0755);
	put("journal.jsonl", entries);
	put("consoles/a.log", "Linux\nready\nkilled\n");
	put("consoles/b.log", "");
	put("logs/a.s.log", "hello\nworld\n");
	put("digest.json",
	    "{\"all\":\"0123456789abcdef\",\"frame_count\":3,\"entry_count\":3,"
	    "\"now_ns\":9000,\"streams\":{\"consoles/a.log\":12,"
	    "\"consoles/b.log\":0,\"logs/a.s.log\":12}}");
	record_frames();
	recorded = NULL;
	comparison = NULL;
	return 0;
}

static int tear_down(void **state)
{
	int tmp;

	(void)state;
	comparison_destroy(comparison);
	recorded_free(recorded);
	tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
	assert_int_equal(fdio_remove_tree(tmp, folder + strlen("/tmp/"), NULL), 0);
	close(tmp);
	return 0;
}

static bool frame(size_t i, uint64_t at_ns, const char *bytes)
{
	struct frame_record record =
		frame_record(frames[i].way, frames[i].port, at_ns, strlen(bytes),
			     digest_hash((const uint8_t *)bytes, strlen(bytes)));

	return comparison_frame(comparison, &record);
}

static bool entry(size_t i)
{
	return comparison_entry(comparison, counted_at[i], counted[i],
				strlen(counted[i]));
}

static bool console(uint64_t now_ns, uint32_t node, const char *text)
{
	return comparison_stream(comparison, now_ns, node, DIGEST_CONSOLE,
				 (const uint8_t *)text, strlen(text));
}

static bool service_log(uint64_t now_ns, const char *text)
{
	return comparison_stream(comparison, now_ns, 0, 0, (const uint8_t *)text,
				 strlen(text));
}

static const struct divergence *first(void)
{
	const struct divergence *divergence = comparison_first(comparison);

	assert_non_null(divergence);
	return divergence;
}

/* ---- what was kept ---------------------------------------------------------------------- */

static void what_counts_is_read(void **state)
{
	(void)state;
	load();
	assert_true(recorded->ended);
	assert_int_equal(recorded->end_ns, END_NS);
	assert_string_equal(recorded->digest, "0123456789abcdef");
	assert_int_equal(recorded->frame_count, 3);
	assert_true(recorded->frames_all);
	/* Neither the first entry, nor one that looks on, nor those after the end. */
	assert_int_equal(recorded->entry_count, 3);
	assert_string_equal(recorded->entries[2].text, counted[2]);
	assert_int_equal(recorded->input_count, 1);
	assert_int_equal(recorded->inputs[0].at_ns, 3000);
	assert_int_equal(recorded->consoles[0].size, 12);
	assert_int_equal(recorded->logs[0].size, 12);
}

static const char *lacks(void)
{
	return recorded->whole.why.text;
}

static void a_run_without_an_end_ends_with_the_last_that_is_there(void **state)
{
	(void)state;
	put("digest.json", "");
	load();
	assert_false(recorded->ended);
	/* That it was ended by force is no part of it. */
	assert_int_equal(recorded->entry_count, 3);
	assert_int_equal(recorded->end_ns, 5000);
	assert_false(recorded->frames_all);
	assert_true(whole_is(&recorded->whole));
}

static void a_run_that_could_not_write_its_end_lacks_it(void **state)
{
	static const char gone[] = "{\"n\":%d,\"t\":9500,\"event\":\"lab\",\"to\":\"gone\"}\n";
	static const char down[] = "{\"n\":5,\"t\":8000,\"event\":\"input\",\"do\":\"down\"}\n"
				   "{\"n\":6,\"t\":8000,\"event\":\"lab\",\"to\":\"stopping\"}\n"
				   "{\"n\":7,\"t\":8200,\"event\":\"node-gone\"}\n";
	char text[1024];
	int used = snprintf(text, sizeof(text), "%s", entries);

	(void)state;
	snprintf(text + used, sizeof(text) - (size_t)used, gone, 6);
	put("journal.jsonl", text);
	put("digest.json", "");
	load();
	assert_non_null(strstr(lacks(), "digest.json"));
	assert_int_equal(recorded->entry_count, 3);
	recorded_free(recorded);
	comparison_destroy(comparison);
	/* Where it was asked to end, how it did so is part of it. */
	used = (int)(strstr(text, "{\"n\":5,") - text);
	used += snprintf(text + used, sizeof(text) - (size_t)used, "%s", down);
	snprintf(text + used, sizeof(text) - (size_t)used, gone, 8);
	put("journal.jsonl", text);
	load();
	assert_non_null(strstr(lacks(), "digest.json"));
	assert_int_equal(recorded->entry_count, 7);
}

static void an_end_that_is_told_by_half_is_none(void **state)
{
	(void)state;
	put("digest.json", "{\"now_ns\":8000}");
	load();
	assert_false(recorded->ended);
	assert_int_equal(recorded->end_ns, 5000);
}

static void an_input_that_was_not_kept_whole_is_refused(void **state)
{
	(void)state;
	put("journal.jsonl", "{\"n\":0,\"t\":100,\"event\":\"node\"}\n"
			     "{\"n\":1,\"t\":100,\"event\":\"input\"}\n");
	assert_int_equal(recorded_read(&recorded, folder, &plan, &why), -EINVAL);
	assert_non_null(strstr(why.text, "too long to be kept"));
}

static void frames_of_another_making_are_refused(void **state)
{
	(void)state;
	put("frames.bin", "NLframe0________________");
	assert_int_equal(recorded_read(&recorded, folder, &plan, &why), -EINVAL);
	assert_non_null(strstr(why.text, "frames.bin"));
}

/* ---- what is missing --------------------------------------------------------------------- */

/* Until the entry before the gap it is the same, and beyond it nothing is a difference. */
static void compare_until_the_gap(uint64_t end_ns)
{
	assert_true(recorded->whole.gap);
	assert_false(recorded->ended);
	assert_int_equal(recorded->end_ns, end_ns);
	assert_int_equal(recorded->frame_count, end_ns < 4000 ? 2 : 3);
	assert_int_equal(recorded->input_count, 1);
	assert_false(entry(0));
	assert_false(frame(0, 1000, "one"));
	assert_false(frame(1, 2000, "one"));
	assert_false(entry(1));
	assert_false(service_log(3000, "hello\n"));
	if (end_ns >= 4000)
		assert_false(frame(2, 4000, "two"));
	assert_false(comparison_until(comparison, end_ns));
	assert_false(comparison_end(comparison));
	assert_false(frame(2, 5000, "something else"));
	assert_false(entry(2));
	assert_null(comparison_first(comparison));
}

static void a_journal_that_breaks_off_ends_the_run_before(void **state)
{
	char cut[sizeof(entries)];

	(void)state;
	snprintf(cut, sizeof(cut), "%.*s", (int)(strstr(entries, "\"heal\",\"name\":") - entries),
		 entries);
	put("journal.jsonl", cut);
	load();
	assert_string_equal(lacks(), "journal.jsonl breaks off within entry 4");
	/* It says when it happened. */
	compare_until_the_gap(4999);
}

static void an_entry_that_is_missing_ends_the_run_before(void **state)
{
	char gap[sizeof(entries)];
	const char *from = strstr(entries, "{\"n\":4,"), *to = strstr(entries, "{\"n\":5,");

	(void)state;
	snprintf(gap, sizeof(gap), "%.*s%s", (int)(from - entries), entries, to);
	put("journal.jsonl", gap);
	put("digest.json", "");
	load();
	assert_string_equal(lacks(), "entry 4 of journal.jsonl is missing");
	compare_until_the_gap(3000);
}

static void an_entry_that_runs_into_the_next_ends_the_run_before(void **state)
{
	char glued[sizeof(entries)];
	const char *from = strstr(entries, ",\"name\":\"p1\""), *to = strstr(entries, "{\"n\":5,");

	(void)state;
	snprintf(glued, sizeof(glued), "%.*s%s", (int)(from - entries), entries, to);
	put("journal.jsonl", glued);
	load();
	assert_string_equal(lacks(), "journal.jsonl breaks off within entry 4");
	compare_until_the_gap(4999);
}

static void what_the_lab_itself_says_is_missing_is_told(void **state)
{
	(void)state;
	put("digest.json",
	    "{\"all\":\"0123456789abcdef\",\"frame_count\":3,\"entry_count\":3,"
	    "\"now_ns\":9000,\"incomplete\":\"no space\"}");
	load();
	assert_string_equal(lacks(), "no space");
	assert_false(recorded->whole.gap);
	recorded_free(recorded);
	comparison_destroy(comparison);
	put("digest.json", "");
	put("journal.jsonl", "{\"n\":0,\"t\":0,\"event\":\"lab-start\"}\n"
			     "{\"n\":1,\"t\":50,\"event\":\"exec\",\"argv\":"
			     "[\"\\\"incomplete\\\":\\\"no\\\"\"]}\n"
			     "{\"n\":2,\"t\":70,\"event\":\"lost\",\"incomplete\":\"full\"}\n");
	load();
	assert_string_equal(lacks(), "full");
	assert_int_equal(recorded->entry_count, 2);
}

static void frames_that_are_missing_are_told_and_no_difference(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/frames.bin", folder);
	assert_int_equal(truncate(path, 16 + 2 * 24), 0);
	load();
	assert_string_equal(lacks(), "frames.bin has 2 of 3 frames");
	assert_false(entry(0));
	assert_false(frame(0, 1000, "one"));
	assert_false(frame(1, 2000, "one"));
	assert_false(entry(1));
	assert_false(service_log(3500, "hello\nworld\n"));
	assert_false(frame(2, 4000, "another"));
	assert_false(entry(2));
	assert_false(comparison_end(comparison));
	recorded_free(recorded);
	comparison_destroy(comparison);
	assert_int_equal(truncate(path, 16 + 24 + 5), 0);
	load();
	assert_string_equal(lacks(), "frames.bin breaks off within frame 1");
}

static void a_log_with_a_hole_is_told_and_no_difference(void **state)
{
	(void)state;
	put("logs/a.s.log", "hello\nld\n");
	load();
	assert_string_equal(lacks(), "logs/a.s.log has 9 of 12 bytes");
	assert_false(entry(0));
	assert_false(service_log(900, "hello\n"));
	assert_false(service_log(950, "world\n"));
	assert_false(service_log(960, "and more\n"));
	assert_null(comparison_first(comparison));
}

/* ---- what differs ----------------------------------------------------------------------- */

static void the_same_is_the_same(void **state)
{
	(void)state;
	load();
	assert_false(entry(0));
	assert_false(frame(0, 1000, "one"));
	assert_false(console(1500, 0, "Lin"));
	assert_false(console(1600, 0, "ux\nready\n"));
	assert_false(frame(1, 2000, "one"));
	assert_false(entry(1));
	assert_false(service_log(3500, "hello\nworld\n"));
	assert_false(frame(2, 4000, "two"));
	assert_false(entry(2));
	assert_false(comparison_end(comparison));
	assert_null(comparison_first(comparison));
	assert_int_equal(comparison_frames(comparison), 3);
	assert_int_equal(comparison_entries(comparison), 3);
}

static void another_byte_of_a_frame_is_named_by_its_number(void **state)
{
	(void)state;
	load();
	assert_false(entry(0));
	assert_false(frame(0, 1000, "one"));
	assert_false(frame(1, 2000, "one"));
	assert_false(entry(1));
	assert_true(frame(2, 4000, "twO"));
	assert_int_equal(first()->kind, DIVERGED_FRAME);
	assert_int_equal(first()->at_ns, 4000);
	assert_int_equal(first()->is.number, 1); /* the second that port 0 sent */
	assert_int_equal(first()->was.number, 1);
	assert_true(first()->is.frame.hash != first()->was.frame.hash);
	/* Nothing is compared any more. */
	assert_false(console(4100, 0, "rubbish"));
}

static void a_frame_at_another_time_is_named_by_the_earlier(void **state)
{
	(void)state;
	load();
	assert_false(entry(0));
	assert_true(frame(0, 999, "one"));
	assert_int_equal(first()->at_ns, 999);
}

static void a_missing_frame_shows_when_something_later_comes(void **state)
{
	(void)state;
	load();
	assert_false(entry(0));
	assert_false(frame(0, 1000, "one"));
	assert_true(entry(1));
	assert_int_equal(first()->kind, DIVERGED_FRAME);
	assert_int_equal(first()->at_ns, 2000);
	assert_false(first()->is.there);
	assert_int_equal(first()->was.frame.port, 1);
}

static void a_missing_entry_comes_before_a_later_frame(void **state)
{
	(void)state;
	load();
	assert_true(frame(0, 1000, "one"));
	assert_int_equal(first()->kind, DIVERGED_ENTRY);
	assert_int_equal(first()->at_ns, 100);
	assert_string_equal(first()->was.text, counted[0]);
}

static void what_should_have_come_until_a_time_is_missed(void **state)
{
	(void)state;
	load();
	assert_false(comparison_until(comparison, 99));
	assert_true(comparison_until(comparison, 100));
	assert_int_equal(first()->kind, DIVERGED_ENTRY);
}

static void another_entry_is_shown_beside_the_old_one(void **state)
{
	const char *other = "\"t\":100,\"event\":\"node\",\"node\":\"b\"}";

	(void)state;
	load();
	assert_true(comparison_entry(comparison, 100, other, strlen(other)));
	assert_string_equal(first()->was.text, counted[0]);
	assert_string_equal(first()->is.text, other);
}

static void more_than_there_was_is_a_difference_but_at_the_end(void **state)
{
	(void)state;
	load();
	for (size_t i = 0; i < 3; i++) {
		if (i == 0)
			assert_false(entry(0));
		assert_false(frame(i, frames[i].at_ns, frames[i].bytes));
		if (i == 1)
			assert_false(entry(1));
	}
	assert_false(entry(2));
	assert_false(frame(0, END_NS, "it was ended in the middle of this instant"));
	assert_true(frame(0, END_NS - 1, "this is too much"));
	assert_int_equal(first()->at_ns, END_NS - 1);
	assert_false(first()->was.there);
}

static void a_console_is_named_by_line_and_byte(void **state)
{
	(void)state;
	load();
	assert_false(entry(0));
	assert_false(console(900, 0, "Linux\nre"));
	assert_true(console(950, 0, "ndy\nmore"));
	assert_int_equal(first()->kind, DIVERGED_STREAM);
	assert_int_equal(first()->node, 0);
	assert_true(first()->service == DIGEST_CONSOLE);
	assert_int_equal(first()->line, 2);
	assert_int_equal(first()->byte, 8);
	assert_string_equal(first()->was.text, "ready");
	assert_string_equal(first()->is.text, "rendy");
}

static void what_a_log_lacks_shows_at_the_end(void **state)
{
	(void)state;
	load();
	assert_false(entry(0));
	assert_false(service_log(200, "hello\nwor"));
	for (size_t i = 0; i < 3; i++) {
		assert_false(frame(i, frames[i].at_ns, frames[i].bytes));
		if (i == 1)
			assert_false(entry(1));
	}
	assert_false(entry(2));
	assert_true(comparison_end(comparison));
	assert_int_equal(first()->service, 0);
	assert_string_equal(first()->was.text, "world");
	assert_string_equal(first()->is.text, "wor");
	assert_false(first()->is.there);
}

/* ---- what it began with ------------------------------------------------------------------ */

static unsigned changed_count;
static char changed_what[256];

static void on_changed(void *ctx, const char *path, const char *what)
{
	(void)ctx;
	changed_count++;
	snprintf(changed_what, sizeof(changed_what), "%s %s", path, what);
}

static size_t check(const struct origin *origin)
{
	changed_count = 0;
	*changed_what = 0;
	return origin_check(origin, on_changed, NULL);
}

static void a_file_that_was_changed_is_named(void **state)
{
	const char *sets[] = { "nodes.a.memory=64M" };
	char topology[64], data[64], name[64];
	struct origin_config config = { .plan = &plan,
					.name = "lab",
					.seed = 7,
					.sets = sets,
					.set_count = 1,
					.topology = topology };
	struct rundir run = { .fd = -1 };
	struct origin origin;

	(void)state;
	put("topo.json", "{}");
	put("data", "one byte");
	snprintf(topology, sizeof(topology), "%s/topo.json", folder);
	snprintf(data, sizeof(data), "%s/data was changed", folder);
	plan.file = topology;
	snprintf(name, sizeof(name), "%s/netlab-runs", folder);
	assert_int_equal(rundir_create(&run, name, "lab", &why), 0);
	assert_int_equal(origin_write(&run, &config, &why), 0);
	assert_int_equal(origin_read(&origin, run.path, &why), 0);
	assert_string_equal(origin.name, "lab");
	assert_null(origin.kernel);
	assert_int_equal(origin.seed, 7);
	assert_string_equal(origin.sets[0], sets[0]);
	assert_true(origin.all);
	assert_int_equal(check(&origin), 0);
	put("topo.json", "{ }"); /* it is kept */
	assert_int_equal(check(&origin), 0);
	put("data", "one bytE");
	assert_int_equal(check(&origin), 1);
	assert_string_equal(changed_what, data);
	*strchr(data, ' ') = 0;
	unlink(data);
	assert_int_equal(check(&origin), 1);
	assert_non_null(strstr(changed_what, "is gone"));
	origin_free(&origin);
	rundir_close(&run);
}

/* As if packages had been installed since. */
static void a_host_that_was_changed_is_named(void **state)
{
	char topology[64], name[64], path[PATH_MAX + NAME_MAX];
	struct origin_config config = { .plan = &plan, .name = "lab", .topology = topology };
	struct rundir run = { .fd = -1 };
	struct origin origin;
	json_t *kept, *file;
	size_t i, stamps = 0;

	(void)state;
	put("topo.json", "{}");
	snprintf(topology, sizeof(topology), "%s/topo.json", folder);
	plan.file = topology;
	snprintf(name, sizeof(name), "%s/netlab-runs", folder);
	assert_int_equal(rundir_create(&run, name, "lab", &why), 0);
	assert_int_equal(origin_write(&run, &config, &why), 0);
	snprintf(path, sizeof(path), "%s/origin.json", run.path);
	kept = json_load_file(path, 0, NULL);
	assert_non_null(kept);
	json_array_foreach(json_object_get(kept, "files"), i, file)
	{
		const char *of = json_string_value(json_object_get(file, "path"));

		if (strcmp(of, "/etc/passwd") != 0 && strcmp(of, "/var/lib/dpkg/status") != 0)
			continue;
		json_object_set_new(file, "hash", json_string("0123456789abcdef"));
		stamps++;
	}
	assert_true(stamps >= 1);
	/* Runs from before it could be chosen do not say on which day they began. */
	json_object_del(kept, "epoch_s");
	assert_int_equal(json_dump_file(kept, path, 0), 0);
	json_decref(kept);
	assert_int_equal(origin_read(&origin, run.path, &why), 0);
	assert_int_equal(origin.epoch_s, 0);
	assert_int_equal(check(&origin), stamps);
	assert_string_equal(changed_what, "/etc/passwd (the host's users) was changed");
	origin_free(&origin);
	rundir_close(&run);
	/* What machines do not see does not matter to them. */
	nodes[0].image_kind = nodes[1].image_kind = IMAGE_DIR;
	assert_int_equal(rundir_create(&run, name, "lab2", &why), 0);
	assert_int_equal(origin_write(&run, &config, &why), 0);
	nodes[0].image_kind = nodes[1].image_kind = IMAGE_HOST;
	snprintf(path, sizeof(path), "%s/origin.json", run.path);
	kept = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(kept, "files"), i, file)
		assert_null(strstr(json_string_value(json_object_get(file, "path")),
				   "/etc/passwd"));
	json_decref(kept);
	rundir_close(&run);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_counts_is_read),
		T(a_run_without_an_end_ends_with_the_last_that_is_there),
		T(a_run_that_could_not_write_its_end_lacks_it),
		T(an_end_that_is_told_by_half_is_none),
		T(an_input_that_was_not_kept_whole_is_refused),
		T(frames_of_another_making_are_refused),
		T(a_journal_that_breaks_off_ends_the_run_before),
		T(an_entry_that_is_missing_ends_the_run_before),
		T(an_entry_that_runs_into_the_next_ends_the_run_before),
		T(what_the_lab_itself_says_is_missing_is_told),
		T(frames_that_are_missing_are_told_and_no_difference),
		T(a_log_with_a_hole_is_told_and_no_difference),
		T(the_same_is_the_same),
		T(another_byte_of_a_frame_is_named_by_its_number),
		T(a_frame_at_another_time_is_named_by_the_earlier),
		T(a_missing_frame_shows_when_something_later_comes),
		T(a_missing_entry_comes_before_a_later_frame),
		T(what_should_have_come_until_a_time_is_missed),
		T(another_entry_is_shown_beside_the_old_one),
		T(more_than_there_was_is_a_difference_but_at_the_end),
		T(a_console_is_named_by_line_and_byte),
		T(what_a_log_lacks_shows_at_the_end),
		T(a_file_that_was_changed_is_named),
		T(a_host_that_was_changed_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
