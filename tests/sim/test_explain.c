/* SPDX-License-Identifier: MIT */
/* What is said of a frame by its number alone is what the switch did with it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/explain.h"
#include "linkfault/word.h"
#include "replay/link_replay.h"
#include "topology/compile.h"
#include "plan/plan_json.h"

#define MS UINT64_C(1000000)

enum { FRAMES = 200 };

static char dir[64];

static void write_text(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(fdio_write_file(AT_FDCWD, path, text, strlen(text), 0600, NULL),
			 0);
}

/* A run of a wire with these faults, which become others after 60 frames. */
static struct history make_run(const char *fault, const char *then)
{
	struct topology_options options = { 0 };
	static struct diagnostics diags;
	char topology[1024], journal[1024];
	struct plan *plan = NULL;
	struct history history;
	struct why why;
	json_t *json;
	char *text;

	snprintf(topology, sizeof(topology),
		 "{\"name\":\"t\",\"seed\":5,\"nodes\":{\"a\":{},\"b\":{}},\"links\":["
		 "{\"name\":\"wire\",\"endpoints\":[\"a\",\"b\"],\"a->b\":{%s}}]}",
		 fault);
	snprintf(journal, sizeof(journal),
		 "{\"n\":0,\"t\":0,\"wall\":\"2026-01-31T14:25:03.000000000Z\","
		 "\"event\":\"lab-start\"}\n"
		 "{\"n\":1,\"t\":5,\"event\":\"port\",\"port\":\"a:eth0\",\"state\":\"up\"}\n"
		 "{\"n\":2,\"t\":5,\"event\":\"port\",\"port\":\"b:eth0\",\"state\":\"up\"}\n"
		 "{\"n\":3,\"t\":%llu,\"at\":%llu,\"event\":\"fault\",\"frame\":60,"
		 "\"draws\":\"wire a->b\",\"fault\":{%s}}\n",
		 (unsigned long long)(60 * MS), (unsigned long long)(60 * MS), then);
	topology_compile_text(topology, strlen(topology), "t.json", "/", &options, &plan,
			      &diags);
	assert_non_null(plan);
	json = plan_to_json(plan);
	text = json_dumps(json, 0);
	write_text("plan.json", text);
	write_text("journal.jsonl", journal);
	free(text);
	json_decref(json);
	plan_free(plan);
	if (history_read(&history, dir, &why))
		fail_msg("%s", why.text);
	return history;
}

/* What was noted of each frame, and of it alone, not of its copies. */
static char noted[FRAMES][512];

static void on_tap(void *ctx, const struct sw_tap_event *event)
{
	const struct fault_trail *trail = event->trail;
	char text[FAULT_NOTE_BYTES_MAX];
	uint64_t no;

	(void)ctx;
	if (!trail->steps || trail->copy || event->from != 0 ||
	    (event->inbound && event->fate == SW_PASS))
		return;
	no = trail->step[0].frame_no;
	*noted[no] = 0;
	for (unsigned n = 0; n < trail->notes; n++) {
		size_t used = strlen(noted[no]);

		snprintf(noted[no] + used, sizeof(noted[no]) - used, "%s; ",
			 fault_note_format(text, &trail->note[n]));
	}
}

static void assert_told(const char *fault, const char *then)
{
	static const uint8_t bytes[64] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };
	struct history history = make_run(fault, then);
	struct link_replay *replay;

	assert_int_equal(link_replay_create(&replay, &history, on_tap, NULL, NULL), 0);
	link_replay_tap(replay, 0, true);
	link_replay_tap(replay, 1, true);
	memset(noted, 0, sizeof(noted));
	for (uint64_t i = 0; i < FRAMES; i++)
		assert_int_equal(link_replay_frame(replay, 0, i, (struct frame){ bytes, 64 },
					      (i + 1) * MS - 1, NULL),
				 0);
	assert_int_equal(link_replay_end(replay, NULL), 0);
	link_replay_free(replay);
	for (uint64_t i = 0; i < FRAMES; i++) {
		json_t *told, *notes, *one;
		char text[512] = "";
		size_t k;

		assert_int_equal(explain_number(&told, &history, "wire a->b", i, NULL),
				 0);
		notes = json_object_get(
			json_array_get(json_object_get(told, "steps"), 0), "notes");
		json_array_foreach(notes, k, one)
		{
			size_t used = strlen(text);

			snprintf(text + used, sizeof(text) - used, "%s; ",
				 json_string_value(one));
		}
		if (strcmp(text, noted[i]))
			fail_msg("{%s} then {%s}: frame %llu: \"%s\" is told, \"%s\" was "
				 "done",
				 fault, then, (unsigned long long)i, text, noted[i]);
		json_decref(told);
	}
	history_free(&history);
}

static void what_is_told_of_a_number_is_what_was_done(void **state)
{
	char text[64];

	(void)state;
	/* A word that is told to lose frames, without the frames. */
	for (size_t i = 0; i < fault_word_count; i++) {
		const char *quote = fault_words[i].type == WORD_TEXT ? "\"" : "";

		if (!fault_words[i].loses)
			continue;
		snprintf(text, sizeof(text), "\"%s\":%s%s%s", fault_words[i].key, quote,
			 fault_words[i].example, quote);
		assert_told(text, text);
	}
	assert_told("\"loss\":\"list 0-1\"", "\"loss\":\"list 0,7\"");
	assert_told("\"drop-first\":2", "\"drop-first\":7,\"loss\":\"20%\"");
	assert_told("\"loss\":\"20%\"", "\"loss\":\"30% 50%\"");
	assert_told("\"loss\":\"every 3\",\"delay\":\"9ms\"",
		    "\"loss\":\"gemodel 20% 30%\",\"delay\":\"20ms 10ms 40%\"");
	assert_told("\"loss\":\"state 10% 30% 20%\",\"duplicate\":\"30%\"",
		    "\"duplicate\":\"30% 50%\",\"loss\":\"gemodel 30% 50%\","
		    "\"replay\":\"20% 5ms\"");
	assert_told("\"delay\":\"9ms\",\"reorder\":\"30%\",\"gap\":3",
		    "\"delay\":\"9ms\",\"jitter\":\"2ms\",\"distribution\":\"normal\"");
}

static void a_number_that_is_too_far_away_is_refused(void **state)
{
	struct history history = make_run("\"loss\":\"1%\"", "\"loss\":\"2%\"");
	struct why why;
	json_t *told;

	(void)state;
	assert_true(explain_number(&told, &history, "wire a->b", UINT64_MAX, &why) < 0);
	assert_non_null(strstr(why.text, "-r CAPTURE"));
	history_free(&history);
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/netlab-test-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *slash = strrchr(dir, '/');
	int parent;

	(void)state;
	*slash = 0;
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(parent >= 0);
	assert_int_equal(fdio_remove_tree(parent, slash + 1, NULL), 0);
	close(parent);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_of_a_number_is_what_was_done),
		cmocka_unit_test(a_number_that_is_too_far_away_is_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
