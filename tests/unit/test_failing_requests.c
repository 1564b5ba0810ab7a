/* SPDX-License-Identifier: MIT */
/* What clients ask of a lab, when memory, descriptors or the disk run out on the way:
 * for each request each of its calls fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/json_memory.h"
#include "lib/failing.h"
#include "lib/talk.h"

enum { ROUNDS_MAX = 5000 };

/* All that a request could have changed, as another client sees it. */
static char *state_of_lab(void)
{
	static const char *const asked[] = { "ps", "fault-ls", "partition-ls", "matrix" };
	json_t *all = json_array();
	struct fake_client other;
	char *text;

	fake_client_open(&other, &fake);
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		json_array_append_new(all, fake_client_call(&other, asked[i], ""));
	fake_client_close(&other);
	text = json_dumps(all, JSON_SORT_KEYS);
	assert_non_null(text);
	json_decref(all);
	return text;
}

enum outcome { DONE, REFUSED, HUNG_UP, UNTOLD };

/* Ask with the n-th call failing; *reached: there was an n-th. */
static enum outcome ask(const char *line, enum failing_kind kind, unsigned n,
			bool *reached, char *error, size_t error_bytes)
{
	struct fake_client asking;
	enum outcome outcome = UNTOLD;
	json_t *answer;
	char byte;

	fake_client_open(&asking, &fake);
	assert_true(send(asking.fd, line, strlen(line), MSG_NOSIGNAL) ==
		    (ssize_t)strlen(line));
	failing_arm(kind, n);
	fake_lab_settle(&fake);
	*reached = failing_disarm();
	fake_lab_settle(&fake);
	*error = 0;
	while ((answer = fake_client_line(&asking))) {
		if (json_object_get(answer, "ok")) {
			outcome = json_is_true(json_object_get(answer, "ok")) ? DONE
									      : REFUSED;
			snprintf(error, error_bytes, "%s", text_of(answer, "error"));
		}
		json_decref(answer);
	}
	if (outcome == UNTOLD && recv(asking.fd, &byte, 1, MSG_DONTWAIT) == 0)
		outcome = HUNG_UP;
	fake_client_close(&asking);
	return outcome;
}

/* `before`: what is asked first, so that there is something to change. */
struct asked {
	const char *before, *line;
};

static void set_up(const char *before)
{
	talk_open(NULL);
	if (before) {
		bool reached;
		char error[200];

		assert_int_equal(ask(before, FAILING_NOTHING, 0, &reached, error,
				     sizeof(error)),
				 DONE);
	}
}

static char *before; /* the lab's state; NULL: there is no lab, or it has changed */

static void have_lab(const char *first)
{
	if (before)
		return;
	set_up(first);
	before = state_of_lab();
}

static void drop_lab(void)
{
	free(before);
	before = NULL;
	talk_close(NULL);
}

/* One round.  Returns whether there was an n-th call. */
static bool try_one(const struct asked *asked, enum failing_kind kind, unsigned n)
{
	char error[WHY_BYTES_MAX], *after;
	enum outcome outcome;
	unsigned files;
	bool reached;

	have_lab(asked->before);
	files = failing_open_files();
	outcome = ask(asked->line, kind, n, &reached, error, sizeof(error));
	after = state_of_lab();
	if (outcome == REFUSED && (!*error || strcmp(before, after) != 0))
		fail_msg("%s, %s %u: \"%s\"\n%s\n%s", asked->line, failing_kind_name(kind),
			 n, error, before, after);
	if (outcome == UNTOLD || (!reached && outcome != DONE))
		fail_msg("%s, %s %u: outcome %d, \"%s\"", asked->line,
			 failing_kind_name(kind), n, outcome, error);
	if (failing_open_files() != files)
		fail_msg("%s, %s %u: a descriptor is left", asked->line,
			 failing_kind_name(kind), n);
	if (strcmp(before, after) != 0 || outcome == HUNG_UP)
		drop_lab();
	free(after);
	return reached;
}

static const struct asked requests[] = {
	{ NULL, "{\"id\":1,\"do\":\"ps\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"inspect\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"events\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"matrix\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"fidelity\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"fault-ls\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"partition-ls\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"fault\":"
		"{\"delay\":\"3ms\",\"loss\":\"1%\",\"rate\":\"1Mbit\"}}\n" },
	{ NULL, "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"for\":\"5s\","
		"\"fault\":{\"profile\":\"lte\"}}\n" },
	{ NULL, "{\"id\":1,\"do\":\"fault-set\",\"target\":\"backup\",\"fault\":"
		"{\"faults\":[{\"name\":\"r\",\"match\":\"icmp\",\"loss\":\"50%\"}]}}\n" },
	{ "{\"id\":1,\"do\":\"fault-set\",\"target\":\"lan\",\"for\":\"5s\",\"fault\":"
	  "{\"profile\":\"lte\"}}\n",
	  "{\"id\":1,\"do\":\"fault-clear\",\"target\":\"lan\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"partition\",\"sides\":[[\"n1\"],[\"n2\",\"n3\"]],"
		"\"name\":\"p\",\"for\":\"4s\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"partition\",\"kind\":\"random\",\"every\":\"1s\"}\n" },
	{ "{\"id\":1,\"do\":\"partition\",\"kind\":\"halves\",\"name\":\"p\"}\n",
	  "{\"id\":1,\"do\":\"heal\"}\n" },
	{ NULL, "{\"id\":1,\"do\":\"node-clock\",\"node\":\"n1\",\"step_ns\":5000000}\n" },
};

/* Every request, each of its calls of that kind. */
static void sweep(enum failing_kind kind)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		unsigned n = 1;

		while (try_one(&requests[i], kind, n) && n < ROUNDS_MAX)
			n++;
		/* One that none of its calls could fail would hold nothing. */
		assert_in_range(n, 2, ROUNDS_MAX - 1);
		if (before)
			drop_lab();
		if (getenv("FAILING_COUNTS"))
			printf("%s %u %s", failing_kind_name(kind), n, requests[i].line);
	}
}

static void a_request_that_finds_no_memory_changes_nothing(void **state)
{
	(void)state;
	sweep(FAILING_MEMORY);
}

/* What it takes to build a lab, to the last allocation. */
static void a_lab_that_cannot_be_built_says_why_and_leaves_nothing(void **state)
{
	static const enum failing_kind kinds[] = { FAILING_MEMORY, FAILING_FILES,
						   FAILING_SPACE, FAILING_MAPS };
	unsigned n, files;
	struct why why;
	bool reached;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		n = 0;
		do {
			why = (struct why){ "" };
			fake_lab_prepare(&fake, talk_topology);
			files = failing_open_files();
			failing_arm(kinds[i], ++n);
			err = lab_build(&fake.lab, &why);
			reached = failing_disarm();
			assert_true(err ? reached && *why.text : !*why.text);
			lab_unbuild(&fake.lab);
			assert_int_equal(failing_open_files(), files);
			fake_lab_close(&fake);
		} while (reached && n < ROUNDS_MAX);
		assert_int_equal(err, 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lab_that_cannot_be_built_says_why_and_leaves_nothing),
		cmocka_unit_test(a_request_that_finds_no_memory_changes_nothing),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	json_memory_watch();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
