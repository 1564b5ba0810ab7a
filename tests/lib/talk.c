/* SPDX-License-Identifier: MIT */
#include "lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

const char talk_topology[] =
	"{\"name\":\"t\",\"seed\":5,\"nodes\":{\"n1\":{},\"n2\":{},\"n3\":{}},"
	"\"networks\":{\"lan\":{\"members\":[\"n1\",\"n2\",\"n3\"],\"delay\":\"1ms\"}},"
	"\"links\":[{\"name\":\"backup\",\"endpoints\":[\"n1\",\"n2\"],\"delay\":"
	"\"20ms\"}]}";

struct fake_lab fake;
struct fake_client client;

int talk_open(void **state)
{
	(void)state;
	fake_lab_open(&fake, talk_topology);
	fake.lab.boots_at_once = 8;
	fake_lab_boot(&fake);
	fake_client_open(&client, &fake);
	return 0;
}

int talk_close(void **state)
{
	(void)state;
	fake_client_close(&client);
	fake_lab_close(&fake);
	return 0;
}

/* Ask; the answer must be an error with these words. */
void assert_refused(const char *what, const char *fields, const char *words)
{
	json_t *line = fake_client_call(&client, what, fields);

	assert_true(json_is_false(json_object_get(line, "ok")));
	if (!strstr(text_of(line, "error"), words))
		fail_msg("\"%s\" is not in: %s", words, text_of(line, "error"));
	json_decref(line);
}

json_t *assert_done(const char *what, const char *fields)
{
	json_t *line = fake_client_call(&client, what, fields);

	if (!json_is_true(json_object_get(line, "ok")))
		fail_msg("%s %s: %s", what, fields, text_of(line, "error"));
	return line;
}

void assert_next_is(const char *expected)
{
	json_t *line = fake_client_line(&client), *wanted = json_loads(expected, 0, NULL);
	char *text = json_dumps(line, JSON_COMPACT);

	if (!json_equal(line, wanted))
		fail_msg("got %s, wanted %s", text, expected);
	free(text);
	json_decref(line);
	json_decref(wanted);
}

json_int_t number(const json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}
