/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "linkfault/note.h"
#include "linkfault/rule_name.h"

static void each_kind_of_note_has_its_words(void **state)
{
	static const struct {
		struct fault_note note;
		const char *words;
	} cases[] = {
		{ { .kind = NOTE_LOST_BAD }, "lost: gemodel bad state" },
		{ { .kind = NOTE_LOST_RANDOM }, "lost: random" },
		{ { .kind = NOTE_LOST_MTU, .a = 1514, .b = 1400 },
		  "lost: 1514 bytes, mtu 1400" },
		{ { .kind = NOTE_DELAYED, .a = 37200000 }, "delayed 37.2ms" },
		{ { .kind = NOTE_DELAYED, .a = 999 }, "delayed 999ns" },
		{ { .kind = NOTE_DELAYED, .a = 1000050 }, "delayed 1ms" },
		{ { .kind = NOTE_WAITED, .b = 1 }, "waited 4.294s for the line" },
		{ { .kind = NOTE_DUPLICATE_OF, .a = 123 }, "duplicate of #123" },
		{ { .kind = NOTE_DUPLICATE_OF, .b = 1 }, "duplicate of #4294967296" },
		{ { .kind = NOTE_FLIPPED, .a = 811 }, "bit 811 flipped" },
		{ { .kind = NOTE_QUEUED, .a = 12, .b = 1000 }, "queue 12 of 1000" },
		{ { .kind = NOTE_LOST_RED, .a = 3000, .b = 15000 },
		  "lost: red, average queue 3000 bytes, probability 1.5%" },
		{ { .kind = 0 }, "note 0" },
		{ { .kind = 255 }, "note 255" },
	};
	char text[FAULT_NOTE_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(fault_note_format(text, &cases[i].note),
				    cases[i].words);
	for (unsigned kind = 1; kind < NOTE_KINDS; kind++) {
		struct fault_note most = { .kind = (uint8_t)kind,
					   .a = UINT32_MAX,
					   .b = UINT32_MAX };

		fault_note_format(text, &most);
		assert_int_not_equal(strncmp(text, "note ", 5), 0);
		assert_true(strlen(text) < sizeof(text) - 1);
	}
}

static void a_trail_tells_the_way_step_by_step(void **state)
{
	char text[FAULT_TRAIL_BYTES_MAX];
	struct fault_trail trail;
	struct trail_mark mark;
	uint16_t votes = rule_name_number("votes");

	(void)state;
	trail_begin(&trail);
	assert_string_equal(fault_trail_format(text, &trail), "");
	trail_step(&trail, "lan n1->lan", 7);
	mark = trail_mark(&trail);
	fault_note_add_value(&trail, NOTE_DELAYED, 0, 1000000);
	trail_step(&trail, "lan lan->n2", 3);
	fault_note_add(&trail, NOTE_QUEUED, votes, 1, 5);
	fault_note_add(&trail, NOTE_MARKED_LOSS, votes, 0, 0);
	assert_string_equal(
		fault_trail_format(text, &trail),
		"lan n1->lan #7: delayed 1ms | lan lan->n2 #3: rule votes: queue "
		"1 of 5; rule votes: marked CE instead of lost");
	trail_back_to(&trail, mark);
	assert_string_equal(fault_trail_format(text, &trail), "lan n1->lan #7");
}

static void a_full_trail_says_that_it_forgot(void **state)
{
	char text[FAULT_TRAIL_BYTES_MAX];
	struct fault_trail trail;

	(void)state;
	trail_begin(&trail);
	for (unsigned i = 0; i < FAULT_STEPS_MAX; i++)
		trail_step(&trail, "x", 0);
	assert_false(trail.forgot);
	for (unsigned i = 0; i < FAULT_NOTES_MAX; i++)
		fault_note_add(&trail, NOTE_REORDERED, 0, 0, 0);
	assert_false(trail.forgot);
	fault_note_add(&trail, NOTE_REORDERED, 0, 0, 0);
	assert_true(trail.forgot);
	assert_non_null(strstr(fault_trail_format(text, &trail), "; and more"));
}

static void each_name_has_one_number_and_none_is_zero(void **state)
{
	uint16_t first = rule_name_number("first"), other = rule_name_number("other");
	uint16_t last = 0;
	char name[16];

	(void)state;
	assert_int_equal(rule_name_number(""), 0);
	assert_string_equal(rule_name_text(0), "");
	assert_true(first && other && first != other);
	assert_int_equal(rule_name_number("first"), first);
	assert_string_equal(rule_name_text(other), "other");
	/* More than there is room for: they are told apart no longer. */
	for (unsigned i = 0; i < RULE_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		last = rule_name_number(name);
	}
	assert_string_equal(rule_name_text(last), "?");
	assert_string_equal(rule_name_text(rule_name_number("n7")), "n7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_note_has_its_words),
		cmocka_unit_test(a_trail_tells_the_way_step_by_step),
		cmocka_unit_test(each_name_has_one_number_and_none_is_zero),
		cmocka_unit_test(a_full_trail_says_that_it_forgot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
