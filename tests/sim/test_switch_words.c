/* SPDX-License-Identifier: MIT */
/* Every word of a fault, in any order: it does something, and what passed in is what came
 * out, what waits, and what is told lost (one_wire.h holds each step to that). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "lib/one_wire.h"
#include "lib/word_rows.h"
#include "faultwords/fault_words.h"

enum { LIVES = 120, CHANGES = 30 };

static char folder[] = "/tmp/words.XXXXXX";
static const struct word_row *rows;
static size_t row_count;

/* ---- each does something ------------------------------------------------- */

static struct one_wire *live_with(const char *words)
{
	struct one_wire *wire = one_wire_open(3, folder);

	one_wire_set(wire, words);
	for (uint64_t i = 0; i < 3; i++) {
		one_wire_send_some(wire, 120, i);
		one_wire_until(wire, (i + 1) * 5 * S);
	}
	one_wire_until(wire, 60 * S);
	return wire;
}

static bool are_alike(const struct one_wire *a, const struct one_wire *b)
{
	for (uint32_t i = 0; i < a->sent; i++)
		if (a->frames[i].copies != b->frames[i].copies ||
		    a->frames[i].came_ns != b->frames[i].came_ns ||
		    a->frames[i].changes != b->frames[i].changes)
			return false;
	return true;
}

static bool does_something(const struct word_row *row)
{
	char text[ROW_TEXT_BYTES];
	struct one_wire *without = live_with(word_row_text(text, row, NULL));
	bool differs = false;

	for (size_t v = 0; v < row->count; v++) {
		struct one_wire *with =
			live_with(word_row_text(text, row, row->values[v]));

		differs |= !are_alike(without, with);
		one_wire_close(with);
	}
	one_wire_close(without);
	return differs;
}

/* Without that the other tests of all words would hold nothing of a new one. */
static void a_frame_sees_that_a_word_is_there(void **state)
{
	(void)state;
	for (int table = 0; table < 2; table++)
		for (const char *const *key = table ? fault_match_keys()
						    : fault_word_keys();
		     *key; key++) {
			/* What a machine sees of its card, and no frame. */
			bool seen = !strcmp(*key, "carrier");

			for (size_t r = 0; !seen && r < row_count; r++)
				if (!strcmp(rows[r].key, *key))
					seen = does_something(&rows[r]);
			if (!seen)
				fail_msg("%s: with no value that is tried anything "
					 "happens: write a row (tests/lib/word_rows.c)",
					 *key);
		}
}

/* ---- the books ----------------------------------------------------------- */

static void
whatever_is_set_what_passed_in_is_what_came_and_what_is_told_lost(void **state)
{
	bool *used = calloc(row_count, sizeof(*used));

	(void)state;
	assert_non_null(used);
	for (uint64_t life = 0; life < LIVES; life++) {
		struct one_wire *wire = one_wire_open(life, folder);

		for (unsigned i = 0; i < CHANGES; i++) {
			/* Each in its turn, then any. */
			size_t r =
				(life * CHANGES + i < row_count)
					? life * CHANGES + i
					: draw_below(life, i, LANE_TOPOLOGY, row_count);
			const struct word_row *row = &rows[r];
			size_t v = draw_below(life, i, LANE_LOSS, row->count);
			char text[ROW_TEXT_BYTES];

			word_row_text(text, row, row->values[v]);
			if (draw_below(life, i, LANE_REORDER, 6) == 0)
				one_wire_clear(wire);
			/* What does not go with what is there takes its place. */
			if (!one_wire_try(wire, text)) {
				one_wire_clear(wire);
				one_wire_set(wire, text);
			}
			used[r] = true;
			one_wire_send_some(wire, 20, life * CHANGES + i);
			if (draw_below(life, i, LANE_JITTER, 4) == 0)
				one_wire_until(wire, wire->now_ns + S);
		}
		/* What is held would be so for ever. */
		one_wire_clear(wire);
		one_wire_until(wire, wire->now_ns + 3600 * S);
		assert_int_equal(sw_link_count(wire->sw, wire->link, DIR_AB)->queued, 0);
		assert_int_equal(sw_pool_bytes(wire->sw), 0);
		one_wire_close(wire);
	}
	for (size_t r = 0; r < row_count; r++)
		assert_true(used[r]);
	free(used);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	word_rows_write_files(folder);
	rows = word_rows(folder, &row_count);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	word_rows_remove_files(folder);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_sees_that_a_word_is_there),
		cmocka_unit_test(
			whatever_is_set_what_passed_in_is_what_came_and_what_is_told_lost),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
