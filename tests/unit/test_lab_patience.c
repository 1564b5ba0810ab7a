/* SPDX-License-Identifier: MIT */
/* Nothing that one client asks for makes the others wait. */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "lab/trouble.h"
#include "lib/talk.h"

enum { PATIENCE_TURNS = 20000 };

/* A filter of so many ports, as a rule's match of `fault-set`. */
static char *rule_of_ports(unsigned count, const char *end)
{
	char *text = malloc(count * 16 + 160);
	size_t used = (size_t)snprintf(
		text, 160, "\"target\":\"backup n1->n2\",\"fault\":{\"faults\":[{\"loss\":\"1%%\","
		      "\"match\":\"");

	for (unsigned i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, 16, "%sport %u", i ? " or " : "",
					 i + 1);
	snprintf(text + used, 64, "%s\"}]}", end);
	return text;
}

/* The next line of that client, however long it takes. */
static json_t *await_line(struct fake_client *of)
{
	json_t *line = fake_client_line(of);

	for (int i = 0; !line && i < PATIENCE_TURNS; i++) {
		assert_true(loop_turn(fake.lab.loop, 5) >= 0);
		line = fake_client_line(of);
	}
	assert_non_null(line);
	return line;
}

static uint64_t own_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void while_a_long_filter_is_compiled_others_are_served(void **state)
{
	struct fake_client other;
	char *rule = rule_of_ports(44, "");
	uint64_t from_us = own_us();
	json_int_t id;
	json_t *line;

	(void)state;
	fake_client_open(&other, &fake);
	id = fake_client_ask(&client, "fault-set", rule);
	/* It is under way: who comes later is served before. */
	assert_null(fake_client_line(&client));
	line = fake_client_call(&other, "hello", "");
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	assert_null(fake_client_line(&client));
	line = await_line(&client);
	assert_int_equal(json_integer_value(json_object_get(line, "id")), id);
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);
	/* Compiled here it would take a tenth of a second. */
	assert_true(own_us() - from_us < 60000);
	fake_client_close(&other);
	free(rule);
}

static void a_long_filter_that_is_wrong_is_refused_in_the_end(void **state)
{
	char *rule = rule_of_ports(40, " or and");
	json_t *line;

	(void)state;
	fake_client_ask(&client, "fault-set", rule);
	line = await_line(&client);
	assert_true(json_is_false(json_object_get(line, "ok")));
	assert_non_null(strstr(text_of(line, "error"), "faults: rule 1: match: filter"));
	assert_non_null(strstr(text_of(line, "error"), "syntax error"));
	json_decref(line);
	free(rule);
}

static void what_follows_a_long_filter_is_done_after_it(void **state)
{
	char *rule = rule_of_ports(40, "");
	json_int_t first;
	json_t *line;

	(void)state;
	first = fake_client_ask(&client, "fault-set", rule);
	fake_client_ask(&client, "hello", "");
	line = await_line(&client);
	assert_int_equal(json_integer_value(json_object_get(line, "id")), first);
	json_decref(line);
	line = await_line(&client);
	assert_int_equal(json_integer_value(json_object_get(line, "id")), first + 1);
	json_decref(line);
	free(rule);
}

static void a_client_that_leaves_meanwhile_has_said_what_it_said(void **state)
{
	struct fake_client other;
	char *rule = rule_of_ports(42, "");
	int before = fake_lab_journalled(&fake, "fault");

	(void)state;
	fake_client_open(&other, &fake);
	fake_client_ask(&other, "fault-set", rule);
	fake_client_close(&other);
	for (int i = 0; fake_lab_journalled(&fake, "fault") == before; i++) {
		assert_true(i < PATIENCE_TURNS);
		assert_true(loop_turn(fake.lab.loop, 5) >= 0);
	}
	free(rule);
}

static void what_could_not_be_recorded_is_in_each_answer_from_then_on(void **state)
{
	json_t *line = assert_done("ps", "");

	(void)state;
	assert_null(json_object_get(line, "record_lost"));
	json_decref(line);
	fake.lab.digest_error = -ENOSPC;
	for (int i = 0; i < 2; i++) {
		line = assert_done("hello", "");
		assert_string_equal(text_of(line, "record_lost"),
				    "digest.json: No space left on device");
		json_decref(line);
		/* There is room again, but what is missing stays missing. */
		fake.lab.digest_error = 0;
	}
}

static void what_is_missing_is_in_the_journal_where_that_is_whole(void **state)
{
	json_t *entry;

	(void)state;
	fake.lab.digest_error = -EROFS;
	json_decref(assert_done("ps", ""));
	json_decref(assert_done("ps", ""));
	assert_int_equal(fake_lab_journalled(&fake, "record-lost"), 1);
	entry = json_loads(journal_line(fake.lab.journal,
					journal_next(fake.lab.journal) - 1, NULL),
			   0, NULL);
	assert_string_equal(text_of(entry, "incomplete"),
			    "digest.json: Read-only file system");
	json_decref(entry);
}

static void a_capture_of_the_run_that_ended_too_early_is_missing(void **state)
{
	json_t *line;

	(void)state;
	lab_trouble_with(&fake.lab, "captures/all.pcapng", "capture: write: No space");
	lab_trouble_with(&fake.lab, "something", "else");
	line = assert_done("ps", "");
	assert_string_equal(text_of(line, "record_lost"),
			    "captures/all.pcapng: capture: write: No space");
	json_decref(line);
}

/* Somebody removes the folder, or makes it so that nothing can be added to it. */
static void a_run_directory_that_was_removed_is_told_for_good(void **state)
{
	int parent = open(fake.dir, O_RDONLY | O_DIRECTORY);
	const char *name = strrchr(fake.lab.run.path, '/') + 1;
	json_t *line;

	(void)state;
	assert_int_equal(fdio_remove_tree(parent, name, NULL), 0);
	close(parent);
	for (int i = 0; i < 2; i++) {
		line = assert_done("ps", "");
		assert_string_equal(text_of(line, "record_lost"),
				    "the run directory was removed");
		json_decref(line);
		assert_int_equal(mkdir(fake.lab.run.path, 0700), i ? -1 : 0);
	}
}

static void a_run_directory_that_takes_nothing_is_told_while_it_is_so(void **state)
{
	json_t *line;

	(void)state;
	if (geteuid() == 0)
		skip(); /* whom no mode keeps out */
	assert_int_equal(fchmod(fake.lab.run.fd, 0500), 0);
	line = assert_done("ps", "");
	assert_string_equal(text_of(line, "record_lost"),
			    "the run directory cannot be written to: Permission denied");
	json_decref(line);
	assert_int_equal(fchmod(fake.lab.run.fd, 0700), 0);
	line = assert_done("ps", "");
	assert_null(json_object_get(line, "record_lost"));
	json_decref(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(while_a_long_filter_is_compiled_others_are_served),
		TEST(a_long_filter_that_is_wrong_is_refused_in_the_end),
		TEST(what_follows_a_long_filter_is_done_after_it),
		TEST(a_client_that_leaves_meanwhile_has_said_what_it_said),
		TEST(what_could_not_be_recorded_is_in_each_answer_from_then_on),
		TEST(what_is_missing_is_in_the_journal_where_that_is_whole),
		TEST(a_capture_of_the_run_that_ended_too_early_is_missing),
		TEST(a_run_directory_that_was_removed_is_told_for_good),
		TEST(a_run_directory_that_takes_nothing_is_told_while_it_is_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
