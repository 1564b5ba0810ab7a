/* SPDX-License-Identifier: MIT */
/* Long answers, which a helper process makes: here all labs are called large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "control/control_internal.h"
#include "lib/fake_machine.h"
#include "lib/talk.h"

enum { MANY = 3 * LOOKS_MAX };

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

static int large_open(void **state)
{
	int err = talk_open(state);

	control_set_large(fake.lab.control, always);
	return err;
}

/* A helper ends when it likes. */
static void await_helper(void)
{
	assert_true(loop_turn(fake.lab.loop, 10000) > 0);
	fake_lab_settle(&fake);
}

static json_t *await_line(struct fake_client *from)
{
	json_t *line;

	while (!(line = fake_client_line(from)))
		await_helper();
	return line;
}

static size_t connections(void)
{
	size_t count = 0;

	for (const struct conn *conn = fake.lab.control->first; conn; conn = conn->next)
		count++;
	return count;
}

static void a_long_answer_is_the_one_that_would_have_been_given(void **state)
{
	static const char *const looks[] = { "ps",	 "inspect",  "matrix",
					     "fault-ls", "partition-ls" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		json_t *there, *here;

		there = assert_done(looks[i], "");
		control_set_large(fake.lab.control, NULL);
		here = assert_done(looks[i], "");
		control_set_large(fake.lab.control, always);
		json_object_del(there, "id");
		json_object_del(here, "id");
		json_object_del(there, "now_ns");
		json_object_del(here, "now_ns");
		assert_true(json_equal(there, here));
		json_decref(there);
		json_decref(here);
	}
	assert_refused("fault-ls", "\"target\":\"nowhere\"", "nowhere");
	assert_refused("ps", "\"verbose\":true", "unknown key \"verbose\"");
}

static void what_comes_after_a_long_answer_waits_for_it(void **state)
{
	(void)state;
	fake_client_send(&client, "{\"id\":1,\"do\":\"inspect\"}\n"
				  "{\"id\":2,\"do\":\"fault-set\",\"target\":\"n1->lan\","
				  "\"fault\":{\"loss\":\"7%\"}}\n"
				  "{\"id\":3,\"do\":\"fault-ls\",\"target\":\"n1->lan\"}\n"
				  "{\"id\":4,\"do\":\"hello\"}");
	for (int id = 1; id <= 4; id++) {
		json_t *line = await_line(&client);
		char *text = json_dumps(line, 0);

		assert_int_equal(number(line, "id"), id);
		assert_true(json_is_true(json_object_get(line, "ok")));
		/* Seen as it was when it was asked. */
		assert_int_equal(strstr(text, "\"7%\"") != NULL, id == 2 || id == 3);
		free(text);
		json_decref(line);
	}
}

static void one_that_says_no_more_still_gets_its_long_answer(void **state)
{
	json_t *line;
	char byte;

	(void)state;
	fake_client_send(&client, "{\"id\":1,\"do\":\"ps\"}\n{\"id\":2,\"do\":\"inspect\"}");
	shutdown(client.fd, SHUT_WR);
	for (int id = 1; id <= 2; id++) {
		line = await_line(&client);
		assert_int_equal(number(line, "id"), id);
		json_decref(line);
	}
	while (recv(client.fd, &byte, 1, MSG_DONTWAIT) != 0)
		loop_turn(fake.lab.loop, 1000);
	fake_client_close(&client);
	fake_client_open(&client, &fake);
}

static void one_that_goes_away_leaves_nothing_and_what_it_said_is_done(void **state)
{
	size_t before = connections();
	struct fake_client other;
	json_t *line;

	(void)state;
	fake_client_open(&other, &fake);
	fake_client_send(&other, "{\"id\":1,\"do\":\"inspect\"}\n"
				 "{\"id\":2,\"do\":\"fault-set\",\"target\":\"n2->lan\","
				 "\"fault\":{\"loss\":\"9%\"}}");
	fake_client_close(&other);
	while (connections() > before)
		await_helper();
	assert_int_equal(fake.lab.control->looks, 0);
	line = assert_done("fault-ls", "\"target\":\"n2->lan\"");
	assert_non_null(strstr(text_of(json_array_get(json_object_get(line, "directions"), 0),
				       "words"),
			       "loss 9%"));
	json_decref(line);
}

static void many_who_ask_at_once_are_all_answered(void **state)
{
	static struct fake_client all[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		fake_client_open(&all[i], &fake);
		fake_client_send(&all[i], "{\"id\":1,\"do\":\"inspect\"}");
		assert_true(fake.lab.control->looks <= LOOKS_MAX);
	}
	for (int i = MANY - 1; i >= 0; i--) {
		json_t *line = await_line(&all[i]);

		assert_true(json_is_true(json_object_get(line, "ok")));
		json_decref(line);
		fake_client_close(&all[i]);
	}
	fake_lab_settle(&fake);
	assert_int_equal(fake.lab.control->looks, 0);
}

static void those_that_are_cut_off_make_room_for_one_that_waits(void **state)
{
	static const char ask[] = "{\"id\":1,\"do\":\"inspect\"}\n";
	struct fake_client all[LOOKS_MAX + 1];
	struct conn *conn, *next;
	json_t *line;

	(void)state;
	for (int i = 0; i <= LOOKS_MAX; i++) {
		fake_client_open(&all[i], &fake);
		fake_lab_settle(&fake);
	}
	for (int i = 0; i <= LOOKS_MAX; i++)
		assert_int_equal(send(all[i].fd, ask, strlen(ask), 0), strlen(ask));
	/* In one turn, so that no helper can be seen to have ended. */
	loop_turn(fake.lab.loop, 0);
	assert_int_equal(fake.lab.control->looks, LOOKS_MAX);
	for (conn = fake.lab.control->first; conn; conn = next) {
		next = conn->next;
		if (conn->look)
			conn_destroy(conn);
	}
	fake_lab_settle(&fake);
	for (int i = 0; i <= LOOKS_MAX; i++) {
		char byte;

		if (recv(all[i].fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0) {
			line = await_line(&all[i]);
			assert_true(json_is_true(json_object_get(line, "ok")));
			json_decref(line);
		}
		fake_client_close(&all[i]);
	}
	fake_lab_settle(&fake);
	assert_int_equal(fake.lab.control->looks, 0);
}

static void a_request_of_too_many_values_is_refused_before_it_is_read(void **state)
{
	enum { MOST = CONTROL_VALUES_MAX };
	static char text[4 * MOST];
	size_t used = (size_t)snprintf(text, sizeof(text), "{\"id\":1,\"do\":\"ps\",\"x\":[");
	json_t *line;

	(void)state;
	/* What stands in a text is not counted. */
	memcpy(text + used, "\"\\\"", 3);
	used += 3;
	memset(text + used, ',', MOST);
	used += MOST;
	memcpy(text + used, "\"]}", 4);
	fake_client_send(&client, text);
	line = await_line(&client);
	assert_non_null(strstr(text_of(line, "error"), "unknown key \"x\""));
	json_decref(line);
	used = (size_t)snprintf(text, sizeof(text), "{\"id\":1,\"do\":\"ps\",\"x\":[1");
	for (int i = 0; i < MOST; i++, used += 2)
		memcpy(text + used, ",1", 3);
	memcpy(text + used, "]}", 3);
	fake_client_send(&client, text);
	line = await_line(&client);
	assert_true(json_is_null(json_object_get(line, "id")));
	assert_non_null(strstr(text_of(line, "error"), "at most 32768 values"));
	json_decref(line);
}

#define LARGE(name) cmocka_unit_test_setup_teardown(name, large_open, talk_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LARGE(a_long_answer_is_the_one_that_would_have_been_given),
		LARGE(what_comes_after_a_long_answer_waits_for_it),
		LARGE(one_that_says_no_more_still_gets_its_long_answer),
		LARGE(one_that_goes_away_leaves_nothing_and_what_it_said_is_done),
		LARGE(many_who_ask_at_once_are_all_answered),
		LARGE(those_that_are_cut_off_make_room_for_one_that_waits),
		LARGE(a_request_of_too_many_values_is_refused_before_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
