/* SPDX-License-Identifier: MIT */
/* What reaches a virtual lab from outside is kept whole. */
#include "run/inputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/digest.h"

static struct clock *fake_clock;
static struct journal *journal;
static struct inputs *inputs;
static int kept_fd;

static int open_with(int fd)
{
	kept_fd = fd;
	return clock_fake_create(&fake_clock, NULL) ||
	       journal_create(&journal, fake_clock, -1, NULL) ||
	       inputs_create(&inputs, journal, fd < 0 ? -1 : dup(fd), NULL);
}

static int setup(void **state)
{
	(void)state;
	return open_with(memfd_create("stdin", MFD_CLOEXEC));
}

static int teardown(void **state)
{
	(void)state;
	inputs_destroy(inputs);
	journal_destroy(journal);
	clock_destroy(fake_clock);
	close(kept_fd);
	return 0;
}

static json_t *last(void)
{
	json_t *entry = json_loads(
		journal_line(journal, journal_next(journal) - 1, NULL), 0, NULL);

	assert_non_null(entry);
	return entry;
}

static json_int_t number(const json_t *entry, const char *key)
{
	return json_integer_value(json_object_get(entry, key));
}

static void an_input_is_as_it_was_said_but_for_the_id(void **state)
{
	json_t *entry;

	(void)state;
	inputs_note(inputs, "signal",
		    json_pack("{s:i, s:s, s:i}", "id", 9, "do", "signal", "signal", 2));
	entry = last();
	assert_string_equal(json_string_value(json_object_get(entry, "event")), "input");
	assert_string_equal(json_string_value(json_object_get(entry, "do")), "signal");
	assert_int_equal(number(entry, "signal"), 2);
	assert_null(json_object_get(entry, "id"));
	json_decref(entry);
}

static void stdin_lies_where_its_entry_says(void **state)
{
	char hash[DIGEST_TEXT_BYTES], bytes[8] = "";
	json_t *entry;

	(void)state;
	inputs_stdin(inputs, 1, (const uint8_t *)"abc", 3);
	inputs_stdin(inputs, 2, (const uint8_t *)"defgh", 5);
	entry = last();
	assert_int_equal(number(entry, "command"), 2);
	assert_int_equal(number(entry, "at"), 3);
	assert_int_equal(number(entry, "bytes"), 5);
	assert_string_equal(json_string_value(json_object_get(entry, "hash")),
			    digest_text(hash, digest_hash((const uint8_t *)"defgh", 5)));
	assert_int_equal(pread(kept_fd, bytes, 8, 3), 5);
	assert_string_equal(bytes, "defgh");
	json_decref(entry);
	inputs_stdin(inputs, 2, NULL, 0);
	entry = last();
	assert_int_equal(number(entry, "bytes"), 0);
	assert_null(json_object_get(entry, "at"));
	json_decref(entry);
}

static int full_setup(void **state)
{
	(void)state;
	return open_with(open("/dev/full", O_WRONLY | O_CLOEXEC));
}

static void what_the_disk_does_not_take_is_said(void **state)
{
	json_t *entry;

	(void)state;
	inputs_stdin(inputs, 1, (const uint8_t *)"abc", 3);
	entry = last();
	assert_true(json_is_false(json_object_get(entry, "kept")));
	assert_null(json_object_get(entry, "at"));
	json_decref(entry);
}

static void commands_are_numbered_from_one(void **state)
{
	(void)state;
	assert_int_equal(inputs_command(inputs), 1);
	assert_int_equal(inputs_command(inputs), 2);
	assert_int_equal(inputs_command(NULL), 0);
}

static void a_lab_that_is_being_ended_keeps_nothing(void **state)
{
	(void)state;
	inputs_end(inputs);
	inputs_note(inputs, "heal", json_object());
	inputs_stdin(inputs, 1, (const uint8_t *)"abc", 3);
	assert_int_equal(journal_next(journal), 0);
	assert_int_equal(lseek(kept_fd, 0, SEEK_END), 0);
}

static void a_lab_in_real_time_has_none(void **state)
{
	(void)state;
	inputs_note(NULL, "heal", json_object());
	inputs_stdin(NULL, 1, (const uint8_t *)"abc", 3);
	inputs_end(NULL);
	inputs_destroy(NULL);
	assert_int_equal(journal_next(journal), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_input_is_as_it_was_said_but_for_the_id,
						setup, teardown),
		cmocka_unit_test_setup_teardown(stdin_lies_where_its_entry_says, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_the_disk_does_not_take_is_said,
						full_setup, teardown),
		cmocka_unit_test_setup_teardown(commands_are_numbered_from_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lab_that_is_being_ended_keeps_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_lab_in_real_time_has_none, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
