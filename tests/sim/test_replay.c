/* SPDX-License-Identifier: MIT */
/* A run that never was: its plan, journal and frames are made here, recorded as the lab
 * records, and judged anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/draw.h"
#include "base/fdio.h"
#include "capture/capture.h"
#include "clock/clock.h"
#include "replay/recheck.h"
#include "topology/compile.h"
#include "plan/plan_json.h"

enum { FRAMES = 3000, FRAME_BYTES = 200, FILE_BYTES_MAX = 4 << 20 };

#define WALL_AT_ZERO_NS (UINT64_C(1769869503) * NS_PER_S)

static const char plain[] = "{\"seed\":5,\"nodes\":{\"a\":{},\"b\":{},\"c\":{}},"
			    "\"links\":[{\"name\":\"wire\","
			    "\"endpoints\":[\"a\",\"b\"],\"loss\":\"5%\",\"delay\":"
			    "\"3ms\",\"jitter\":\"2ms\"}]}";
/* More of everything, elsewhere. */
static const char more[] =
	"{\"seed\":5,\"nodes\":{\"a\":{},\"b\":{},\"c\":{},\"d\":{}},\"networks\":{"
	"\"lan\":"
	"{\"members\":[\"c\",\"d\"],\"loss\":\"50%\"}},\"links\":[{\"name\":\"wire\","
	"\"endpoints\":[\"a:eth0\",\"b:eth0\"],\"loss\":\"5%\",\"delay\":\"3ms\","
	"\"jitter\":"
	"\"2ms\"},{\"name\":\"other\",\"endpoints\":[\"a:eth1\",\"b:eth1\"],\"loss\":"
	"\"30%\"}]}";

/* What is different here in the list of every word: frames are small, and no word has a
 * file. */
static const char instead[] =
	"{\"a->b\":{\"corrupt\":\"20% 25%\",\"corrupt-bits\":64,\"mtu-drop\":180,"
	"\"faults\":["
	"{\"name\":\"fcs\",\"match\":\"udp and greater 100\",\"apply\":\"50%\","
	"\"loss\":\"state 5% 50%\",\"corrupt\":\"10%\",\"corrupt-mode\":\"fcs\"},"
	"{\"name\":\"n\",\"after\":10,\"first\":300,\"loss\":\"every 20\"},"
	"{\"name\":\"some\",\"loss\":\"list 3,17,40-42\"},"
	"{\"name\":\"when\",\"when\":\"on 100ms off 100ms random\",\"delay\":\"1ms\"}]},"
	"\"b->a\":{\"delay\":\"2ms 1ms\",\"distribution\":\"uniform\",\"order\":\"keep\","
	"\"capacity\":\"none\",\"rate\":\"600kbit\",\"corrupt\":\"50%\","
	"\"corrupt-at\":\"96-111\",\"faults\":["
	"{\"name\":\"slow\",\"match\":\"udp and less 120\",\"rate\":\"200kbit\","
	"\"queue\":\"codel 5ms 50ms\",\"ecn\":true}]}}";

/* A wire with every word, both ways; the caller frees it. */
static char *with_every_word(void)
{
	json_t *all = json_load_file(EVERY_WORD_JSON, 0, NULL);
	json_t *changed = json_loads(instead, 0, NULL), *lab, *words;
	const char *way;
	char *text;

	assert_non_null(all);
	assert_non_null(changed);
	json_object_foreach(changed, way, words)
		assert_int_equal(json_object_update(json_object_get(all, way), words), 0);
	json_object_set_new(all, "name", json_string("wire"));
	json_object_set_new(all, "endpoints", json_pack("[s,s]", "a", "b"));
	lab = json_pack("{s:i,s:{s:{},s:{}},s:[o]}", "seed", 5, "nodes", "a", "b", "links",
			all);
	assert_non_null(lab);
	text = json_dumps(lab, 0);
	json_decref(lab);
	json_decref(changed);
	assert_non_null(text);
	return text;
}

static const char changes[] =
	"{\"t\":0,\"wall\":\"2026-01-31T14:25:03.000000000Z\",\"event\":\"lab-start\"}\n"
	"{\"t\":5,\"event\":\"port\",\"port\":\"a:eth0\",\"state\":\"up\"}\n"
	"{\"t\":5,\"event\":\"port\",\"port\":\"b:eth0\",\"state\":\"up\"}\n"
	"{\"t\":800000000,\"at\":800000000,\"event\":\"fault\",\"draws\":\"wire "
	"a->b\",\"fault\":"
	"{\"loss\":\"20%\",\"delay\":\"5ms\",\"rate\":\"300kbit\",\"limit\":\"9frames\"}}"
	"\n"
	"{\"t\":1600000001,\"at\":1600000000,\"event\":\"partition\",\"name\":\"p1\","
	"\"cuts\":"
	"[[\"b\",\"a\"]],\"cut_count\":1}\n"
	"{\"t\":2000000001,\"at\":2000000000,\"event\":\"heal\",\"name\":\"p1\"}\n";

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static void write_text(const char *name, const char *text)
{
	assert_int_equal(
		fdio_write_file(AT_FDCWD, in_dir(name), text, strlen(text), 0600, NULL),
		0);
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/netlab-test-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	char *slash = strrchr(dir, '/');
	int parent;

	*slash = 0;
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(parent >= 0);
	assert_int_equal(fdio_remove_tree(parent, slash + 1, NULL), 0);
	close(parent);
	return 0;
}

/* With the numbers that entries have. */
static void write_journal(const char *entries)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	for (unsigned n = 0; *entries; n++) {
		const char *end = strchrnul(entries, '\n');

		fprintf(out, "{\"n\":%u,%.*s%s", n, (int)(end - entries) - 1, entries + 1,
			*end ? "\n" : "");
		entries = *end ? end + 1 : end;
	}
	fclose(out);
	write_text("journal.jsonl", text);
	free(text);
}

static struct history make_run(const char *topology, const char *journal)
{
	struct topology_options options = { 0 };
	static struct diagnostics diags;
	struct plan *plan = NULL;
	struct history history;
	struct why why;
	json_t *json;
	char *text;

	topology_compile_text(topology, strlen(topology), "t.json", "/", &options, &plan,
			      &diags);
	assert_non_null(plan);
	json = plan_to_json(plan);
	text = json_dumps(json, 0);
	write_text("plan.json", text);
	write_journal(journal);
	free(text);
	json_decref(json);
	plan_free(plan);
	if (history_read(&history, dir, &why))
		fail_msg("%s", why.text);
	return history;
}

/* Everything that is seen at the two ends of the wire, as a lab would record it. */
struct recorder {
	struct link_replay *replay;
	struct capture *capture;
	struct loop *loop;
	uint32_t ends[2];
};

static void record(void *ctx, const struct sw_tap_event *event)
{
	struct recorder *recorder = ctx;
	char text[VERDICT_BYTES_MAX];
	struct capture_frame frame =
		verdict_frame(text, event, WALL_AT_ZERO_NS + event->now_ns,
			      link_replay_cut_name, recorder->replay);

	frame.interface = event->port == recorder->ends[1];
	capture_frame(recorder->capture, &frame);
	while (loop_turn(recorder->loop, 0) > 0)
		;
}

static void on_ended(void *ctx, const char *why)
{
	(void)ctx;
	(void)why;
}

/* The same frames each time, from a and b in turn, about a thousand a second. */
static void send_frames(struct link_replay *replay, const uint32_t ends[2])
{
	uint8_t bytes[FRAME_BYTES] = { 0 };
	uint64_t number[2] = { 0 }, now_ns = NS_PER_MS;

	for (uint32_t i = 0; i < FRAMES; i++) {
		unsigned end = draw_below(1, i, LANE_TOPOLOGY, 2) != 0;
		uint32_t size = 60 + (uint32_t)draw_below(2, i, LANE_TOPOLOGY, 140);

		bytes[0] = 2;
		bytes[5] = end == 0;
		bytes[6] = 2;
		bytes[11] = end != 0;
		/* IPv4, every other one may be marked, UDP. */
		memcpy(bytes + 12,
		       (uint8_t[]){ 8, 0, 0x45, i % 2 ? 2 : 0, 0, (uint8_t)(size - 14) },
		       6);
		memcpy(bytes + 22, (uint8_t[]){ 64, 17 }, 2);
		memcpy(bytes + 42, &i, sizeof(i));
		now_ns += 1 + draw_below(3, i, LANE_TOPOLOGY, 2 * NS_PER_MS);
		assert_int_equal(link_replay_frame(replay, ends[end], number[end]++,
					      (struct frame){ bytes, size }, now_ns,
					      NULL),
				 0);
	}
	assert_int_equal(link_replay_end(replay, NULL), 0);
}

/* Record the wire of a run into a file. */
static void record_run(const struct history *history, const char *name)
{
	static const char *const names[] = { "a:eth0", "b:eth0" };
	struct recorder recorder = { .ends = { 0 } };
	struct capture_config config = { .interfaces = names, .interface_count = 2 };

	config.fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(loop_create(&recorder.loop, NULL), 0);
	assert_int_equal(capture_create(&recorder.capture, recorder.loop, &config,
					on_ended, NULL, NULL),
			 0);
	assert_int_equal(
		link_replay_create(&recorder.replay, history, record, &recorder, NULL), 0);
	for (int i = 0; i < 2; i++) {
		recorder.ends[i] = (uint32_t)link_replay_find_port(recorder.replay, names[i]);
		link_replay_tap(recorder.replay, recorder.ends[i], true);
	}
	send_frames(recorder.replay, recorder.ends);
	link_replay_free(recorder.replay);
	capture_destroy(recorder.capture);
	loop_destroy(recorder.loop);
}

static struct recheck judge(const struct history *history, const char *name)
{
	static const struct recheck_ops none = { 0 };
	struct recheck recheck;
	struct why why;

	if (recheck_run(&recheck, history, "wire", in_dir(name), &none, &why))
		fail_msg("%s", why.text);
	return recheck;
}

static void assert_same_file(const char *a, const char *b)
{
	char *x, *y;
	size_t x_bytes, y_bytes;

	assert_int_equal(
		fdio_read_file(AT_FDCWD, in_dir(a), FILE_BYTES_MAX, &x, &x_bytes, NULL),
		0);
	assert_int_equal(
		fdio_read_file(AT_FDCWD, in_dir(b), FILE_BYTES_MAX, &y, &y_bytes, NULL),
		0);
	assert_int_equal(x_bytes, y_bytes);
	assert_memory_equal(x, y, x_bytes);
	assert_true(x_bytes > (size_t)FRAMES * 60);
	free(x);
	free(y);
}

static void the_same_frames_give_the_same_capture_to_the_byte(void **state)
{
	struct history history = make_run(plain, changes);

	(void)state;
	record_run(&history, "one");
	record_run(&history, "two");
	assert_same_file("one", "two");
	history_free(&history);
}

static void what_was_recorded_is_what_is_decided_again(void **state)
{
	struct history history = make_run(plain, changes);
	struct recheck r;
	size_t of_fate[SW_FATES] = { 0 };

	(void)state;
	record_run(&history, "one");
	r = judge(&history, "one");
	assert_int_equal(r.differences, 0);
	assert_int_equal(r.frames, FRAMES);
	assert_int_equal(r.compared, r.then.count);
	assert_int_equal(r.then.count, r.again.count);
	for (size_t i = 0; i < r.then.count; i++)
		of_fate[r.then.at[i].fate & ~VERDICT_LATE]++;
	assert_true(of_fate[SW_PASS] > FRAMES && of_fate[SW_DROP_LOSS] > 200);
	/* The cut was there for 0.4 of 3 seconds, and is called by its name. */
	assert_in_range(of_fate[SW_DROP_CUT], 100, 300);
	assert_true(of_fate[SW_DROP_LIMIT] > 5);
	for (size_t i = 0; i < r.then.count; i++)
		if ((r.then.at[i].fate & ~VERDICT_LATE) == SW_DROP_CUT)
			assert_non_null(
				strstr(r.then.at[i].comment, "cut: partition p1"));
	recheck_free(&r);
	history_free(&history);
}

static void every_model_at_once_is_the_same_again_to_the_byte(void **state)
{
	static const enum sw_fate wanted[] = { SW_PASS,	      SW_DROP_CUT, SW_DROP_DOWN,
					       SW_DROP_LOSS,  SW_DROP_AQM, SW_DROP_FCS,
					       SW_DROP_LIMIT, SW_DROP_MTU };
	char journal[sizeof(changes)], *fault, *partition, *every = with_every_word();
	size_t of_fate[SW_FATES] = { 0 };
	struct history history;
	struct recheck r;

	(void)state;
	/* Without the change of the fault. */
	memcpy(journal, changes, sizeof(journal));
	fault = strstr(journal, "{\"t\":800000000");
	partition = strchr(fault, '\n') + 1;
	memmove(fault, partition, strlen(partition) + 1);
	history = make_run(every, journal);
	free(every);
	record_run(&history, "one");
	record_run(&history, "two");
	assert_same_file("one", "two");
	r = judge(&history, "one");
	assert_int_equal(r.differences, 0);
	for (size_t i = 0; i < r.then.count; i++)
		of_fate[r.then.at[i].fate & ~VERDICT_LATE]++;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (of_fate[wanted[i]] < 10)
			fail_msg("%s: %zu", sw_fate_name(wanted[i]), of_fate[wanted[i]]);
	recheck_free(&r);
	history_free(&history);
}

static void a_setting_that_is_not_what_it_was_is_found_at_its_first_frame(void **state)
{
	struct history history = make_run(plain, changes);
	char *other = strdup(changes), *digit;
	struct recheck r;

	(void)state;
	record_run(&history, "one");
	history_free(&history);
	digit = strstr(other, "20%");
	*digit = '3';
	history = make_run(plain, other);
	r = judge(&history, "one");
	/* 10 % of a's frames from 0.8 s on, and what waits behind one more or less. */
	assert_in_range(r.differences, 60, r.compared);
	assert_non_null(r.was.comment);
	assert_non_null(strstr(r.is.comment, "lost: random"));
	for (size_t i = 0; i < r.then.count; i++)
		if (r.then.at[i].number < r.was.number)
			assert_true(r.then.at[i].fate >= 0);
	recheck_free(&r);
	history_free(&history);
	free(other);
}

static void words_that_differ_are_a_difference_too(void **state)
{
	struct history history = make_run(plain, changes);
	char *other = strdup(changes), *digit;
	struct recheck r;

	(void)state;
	record_run(&history, "one");
	history_free(&history);
	digit = strstr(other, "5ms");
	*digit = '6';
	history = make_run(plain, other);
	r = judge(&history, "one");
	/* The same are lost, and every other one is late by a millisecond. */
	assert_true(r.differences > 500);
	assert_int_equal(r.was.fate, r.is.fate);
	assert_non_null(strstr(r.was.comment, "delayed 5ms"));
	assert_non_null(strstr(r.is.comment, "delayed 6ms"));
	recheck_free(&r);
	history_free(&history);
	free(other);
}

/* By number: the comment of each of a's frames where it entered. */
struct said {
	struct link_replay *replay;
	char text[64][VERDICT_BYTES_MAX];
};

static void hear(void *ctx, const struct sw_tap_event *event)
{
	struct said *said = ctx;
	char text[VERDICT_BYTES_MAX];
	struct capture_frame frame =
		verdict_frame(text, event, 0, link_replay_cut_name, said->replay);
	uint64_t number = frame.id & VERDICT_NUMBER_MASK;

	if (event->inbound && number < 64)
		snprintf(said->text[number], sizeof(said->text[0]), "%s", text);
}

static void overhear(const struct history *history, struct said *said, uint32_t step)
{
	static const uint8_t bytes[100] = { 2, 0, 0, 0, 0, 1, 2 };
	uint32_t port;

	memset(said, 0, sizeof(*said));
	assert_int_equal(link_replay_create(&said->replay, history, hear, said, NULL), 0);
	port = (uint32_t)link_replay_find_port(said->replay, "a:eth0");
	link_replay_tap(said->replay, port, true);
	for (uint32_t n = 0; n < 64; n += step)
		assert_int_equal(link_replay_frame(said->replay, port, n,
					      (struct frame){ bytes, sizeof(bytes) },
					      (n + 1) * NS_PER_MS, NULL),
				 0);
	assert_int_equal(link_replay_end(said->replay, NULL), 0);
	link_replay_free(said->replay);
}

static void a_frame_meets_its_fate_though_others_are_missing(void **state)
{
	static struct said all, some;
	struct history history = make_run(plain, changes);

	(void)state;
	overhear(&history, &all, 1);
	overhear(&history, &some, 3);
	for (uint32_t n = 0; n < 64; n += 3) {
		assert_string_equal(all.text[n], some.text[n]);
		assert_true(*all.text[n]);
	}
	history_free(&history);
}

static void links_and_faults_elsewhere_change_no_verdict(void **state)
{
	static const char noise[] =
		"{\"t\":1000000,\"at\":1000000,\"event\":\"fault\",\"draws\":\"other "
		"a->b\","
		"\"fault\":{\"delay\":\"9ms\"}}\n"
		"{\"t\":1000001,\"at\":1000001,\"event\":\"fault\",\"draws\":"
		"\"lan c:eth0->d:eth0\",\"fault\":{\"loss\":\"9%\"}}\n"
		"{\"t\":1000002,\"at\":1000002,\"event\":\"partition\",\"name\":\"x\","
		"\"cuts\":"
		"[[\"c\",\"a\"],[\"d\",\"b\"]],\"cut_count\":2}\n";
	char both[sizeof(changes) + sizeof(noise)];
	const char *first = strchr(changes, '\n') + 1;
	struct history history = make_run(plain, changes);

	(void)state;
	record_run(&history, "one");
	history_free(&history);
	snprintf(both, sizeof(both), "%.*s%s%s", (int)(first - changes), changes, noise,
		 first);
	history = make_run(more, both);
	record_run(&history, "two");
	/* Ports are numbered in the topology's order, and a's second one comes in
	 * between: so it is the verdicts that are compared, by number. */
	{
		struct recheck r = judge(&history, "two");
		struct pcapng_file x, y;
		struct pcapng_record p, q;

		assert_int_equal(r.differences, 0);
		recheck_free(&r);
		assert_int_equal(pcapng_open(&x, in_dir("one"), NULL), 0);
		assert_int_equal(pcapng_open(&y, in_dir("two"), NULL), 0);
		while (pcapng_next(&x, &p, NULL) == 1) {
			assert_int_equal(pcapng_next(&y, &q, NULL), 1);
			assert_string_equal(p.comment, q.comment);
			assert_int_equal(p.verdict, q.verdict);
			assert_int_equal(p.wall_ns, q.wall_ns);
			assert_int_equal(p.id & VERDICT_NUMBER_MASK,
					 q.id & VERDICT_NUMBER_MASK);
		}
		assert_int_equal(pcapng_next(&y, &q, NULL), 0);
		pcapng_close(&x);
		pcapng_close(&y);
	}
	history_free(&history);
}

/* When the frame entered, and how long it took. */
struct stopwatch {
	uint64_t entered_ns, took_ns;
	unsigned came;
};

static void stop(void *ctx, const struct sw_tap_event *event)
{
	struct stopwatch *watch = ctx;

	if (event->inbound) {
		watch->entered_ns = event->now_ns;
	} else {
		watch->took_ns = event->now_ns - watch->entered_ns;
		watch->came++;
	}
}

static void the_floor_of_a_run_in_virtual_time_is_that_of_its_journal(void **state)
{
	static const char topology[] =
		"{\"seed\":5,\"nodes\":{\"a\":{},\"b\":{}},\"links\":[{"
		"\"name\":\"wire\",\"endpoints\":[\"a\",\"b\"]}]}";
	static const char *const starts[] = { "", ",\"floor_ns\":0",
					      ",\"floor_ns\":1000" };
	static const uint64_t takes_ns[] = { 0, 0, 1000 };
	static const uint8_t bytes[100] = { 2, 0, 0, 0, 0, 1, 2 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stopwatch watch = { 0 };
		struct link_replay *replay;
		struct history history;
		char journal[512];
		int a, b;

		snprintf(journal, sizeof(journal),
			 "{\"t\":0,\"wall\":\"2026-01-31T14:25:03.000000000Z\",\"event\":"
			 "\"lab-start\"%s}\n%s",
			 starts[i],
			 "{\"t\":5,\"event\":\"port\",\"port\":\"a:eth0\",\"state\":"
			 "\"up\"}\n"
			 "{\"t\":5,\"event\":\"port\",\"port\":\"b:eth0\",\"state\":"
			 "\"up\"}\n");
		history = make_run(topology, journal);
		assert_int_equal(link_replay_create(&replay, &history, stop, &watch, NULL), 0);
		a = link_replay_find_port(replay, "a:eth0");
		b = link_replay_find_port(replay, "b:eth0");
		link_replay_tap(replay, (uint32_t)a, true);
		link_replay_tap(replay, (uint32_t)b, true);
		assert_int_equal(link_replay_frame(replay, (uint32_t)a, 0,
					      (struct frame){ bytes, sizeof(bytes) },
					      NS_PER_MS, NULL),
				 0);
		assert_int_equal(link_replay_end(replay, NULL), 0);
		assert_int_equal(watch.entered_ns, NS_PER_MS);
		assert_int_equal(watch.came, 1);
		assert_int_equal(watch.took_ns, takes_ns[i]);
		link_replay_free(replay);
		history_free(&history);
	}
}

/* ---- the reader -------------------------------------------------------- */

static void cut_file(const char *from, const char *to, size_t size)
{
	char *bytes;
	size_t all;

	assert_int_equal(fdio_read_file(AT_FDCWD, in_dir(from), FILE_BYTES_MAX, &bytes, &all,
					NULL),
			 0);
	assert_true(size < all);
	assert_int_equal(fdio_write_file(AT_FDCWD, in_dir(to), bytes, size, 0600, NULL), 0);
	free(bytes);
}

/* The last block of a capture is statistics: where it begins, and where the file ends. */
static void find_last_block(const char *name, size_t *block, size_t *size)
{
	uint32_t length;
	char *bytes;

	assert_int_equal(fdio_read_file(AT_FDCWD, in_dir(name), FILE_BYTES_MAX, &bytes, size,
					NULL),
			 0);
	*block = *size;
	do {
		memcpy(&length, bytes + *block - 4, sizeof(length));
		*block -= length;
		memcpy(&length, bytes + *block, sizeof(length));
	} while (length == 5);
	memcpy(&length, bytes + *block + 4, sizeof(length));
	*block += length;
	free(bytes);
}

static const char *lacks(const char *capture, const struct history *history)
{
	static struct whole whole;
	struct recheck recheck;
	struct why why;

	if (recheck_run(&recheck, history, "wire", in_dir(capture),
			&(struct recheck_ops){ 0 }, &why))
		fail_msg("%s", why.text);
	/* What is missing is no difference. */
	assert_int_equal(recheck.differences, 0);
	assert_true(recheck.compared > 100);
	whole = recheck.whole;
	recheck_free(&recheck);
	return whole.why.text;
}

static void a_record_that_is_cut_short_is_told_as_such(void **state)
{
	char text[sizeof(changes) + 128];
	struct history history = make_run(plain, changes);
	size_t block, size;

	(void)state;
	record_run(&history, "one");
	assert_string_equal(lacks("one", &history), "");
	find_last_block("one", &block, &size);
	assert_true(block < size);
	cut_file("one", "cut", block - 10);
	assert_string_equal(lacks("cut", &history), "the capture breaks off within a frame");
	/* At the end of a frame: the lab may still be writing, unless it is over. */
	cut_file("one", "cut", block);
	assert_string_equal(lacks("cut", &history), "");
	history_free(&history);
	snprintf(text, sizeof(text), "%s{\"t\":9000000000,\"event\":\"lab\",\"to\":\"gone\"}\n",
		 changes);
	history = make_run(plain, text);
	assert_non_null(strstr(lacks("cut", &history), "the capture has no end of its own"));
	assert_string_equal(lacks("one", &history), "");
	history_free(&history);
	/* A journal that breaks off: what was set after it is not known. */
	snprintf(text, sizeof(text), "%.*s", (int)(strstr(changes, "cut_count") - changes),
		 changes);
	history = make_run(plain, text);
	assert_non_null(strstr(lacks("one", &history), "breaks off within entry 4"));
	history_free(&history);
}

static void a_damaged_capture_is_refused_or_ends_and_never_more(void **state)
{
	struct history history = make_run(plain, changes);
	struct pcapng_record record;
	struct pcapng_file file;
	char *bytes;
	size_t size;

	(void)state;
	record_run(&history, "one");
	history_free(&history);
	assert_int_equal(fdio_read_file(AT_FDCWD, in_dir("one"), FILE_BYTES_MAX, &bytes,
					&size, NULL),
			 0);
	for (size_t i = 0; i < 4000; i++) {
		size_t at = i < 600 ? i : (size_t)draw_below(8, i, LANE_TOPOLOGY, size);
		size_t end = i % 7 ? size : at;
		uint8_t *copy = malloc(end + 1); /* so that a sanitizer sees its end */
		int rc;

		memcpy(copy, bytes, end);
		if (at < end)
			copy[at] ^= (uint8_t)(1 + draw_below(9, i, LANE_TOPOLOGY, 255));
		pcapng_open_bytes(&file, copy, end);
		while ((rc = pcapng_next(&file, &record, NULL)) == 1)
			assert_true(record.captured <= record.size &&
				    record.interface < file.interface_count &&
				    strlen(record.comment) <= PCAPNG_TEXT_BYTES_MAX);
		assert_true(rc <= 0);
		file.bytes = NULL;
		pcapng_close(&file);
		free(copy);
		i += size > 1 << 20 ? 3 : 0;
	}
	free(bytes);
}

static void wall_clocks_are_read_to_the_nanosecond(void **state)
{
	(void)state;
	assert_int_equal(history_wall_ns("2026-01-31T14:25:03.000000000Z"),
			 WALL_AT_ZERO_NS);
	assert_int_equal(history_wall_ns("2026-01-31T14:25:03.000131072Z"),
			 WALL_AT_ZERO_NS + 131072);
	assert_int_equal(history_wall_ns("yesterday"), 0);
	assert_int_equal(history_wall_ns(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_frames_give_the_same_capture_to_the_byte),
		cmocka_unit_test(every_model_at_once_is_the_same_again_to_the_byte),
		cmocka_unit_test(what_was_recorded_is_what_is_decided_again),
		cmocka_unit_test(
			a_setting_that_is_not_what_it_was_is_found_at_its_first_frame),
		cmocka_unit_test(words_that_differ_are_a_difference_too),
		cmocka_unit_test(a_frame_meets_its_fate_though_others_are_missing),
		cmocka_unit_test(links_and_faults_elsewhere_change_no_verdict),
		cmocka_unit_test(
			the_floor_of_a_run_in_virtual_time_is_that_of_its_journal),
		cmocka_unit_test(a_record_that_is_cut_short_is_told_as_such),
		cmocka_unit_test(a_damaged_capture_is_refused_or_ends_and_never_more),
		cmocka_unit_test(wall_clocks_are_read_to_the_nanosecond),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
