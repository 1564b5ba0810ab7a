/* SPDX-License-Identifier: MIT */
/* Faults that are changed while frames come: a word that has changed behaves as if it
 * had been there from the start, whatever it was before, and what waits keeps its order.
 */
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

enum { BEFORE = 120, AFTER = 240, SEED = 11 };

static char folder[] = "/tmp/renewal.XXXXXX";
static const struct word_row *rows;
static size_t row_count;

static struct one_wire *open_wire(void)
{
	return one_wire_open(SEED, folder);
}

/* ---- a changed word starts fresh --------------------------------------- */

/* The word was `before` and becomes `value`; or it was not there and becomes it. */
static struct one_wire *live(const struct word_row *row, const char *before,
			     const char *value)
{
	struct one_wire *wire = open_wire();
	char text[ROW_TEXT_BYTES];

	one_wire_set(wire, word_row_text(text, row, before));
	one_wire_send_some(wire, BEFORE, 1);
	one_wire_until(wire, 2 * S);
	one_wire_set(wire, word_row_text(text, row, value));
	one_wire_until(wire, 4 * S);
	one_wire_send_some(wire, AFTER, 2);
	one_wire_until(wire, wire->now_ns + 4 * S);
	return wire;
}

/* What came of each frame from number `first` on is the same. */
static void assert_alike(const struct one_wire *a, const struct one_wire *b,
			 uint32_t first, const char *key, const char *from,
			 const char *to)
{
	for (uint32_t i = first; i < a->sent; i++) {
		const struct wire_frame *x = &a->frames[i], *y = &b->frames[i];

		if (x->copies != y->copies || x->came_ns != y->came_ns ||
		    x->changes != y->changes)
			fail_msg("%s: %s -> %s: frame %u came %u times, first at %llu, "
				 "not %u times, first at %llu (or other bits of it were "
				 "changed)",
				 key, from, to, i, x->copies,
				 (unsigned long long)x->came_ns, y->copies,
				 (unsigned long long)y->came_ns);
	}
}

static void a_word_that_changes_behaves_as_if_it_had_been_so_from_the_start(void **state)
{
	(void)state;
	for (size_t r = 0; r < row_count; r++)
		for (size_t to = 0; to < rows[r].count; to++) {
			const struct word_row *row = &rows[r];
			struct one_wire *fresh = live(row, NULL, row->values[to]);

			for (size_t from = 0; from < row->count; from++) {
				struct one_wire *changed;

				if (from == to)
					continue;
				changed = live(row, row->values[from], row->values[to]);
				assert_alike(changed, fresh, BEFORE, row->key,
					     row->values[from], row->values[to]);
				one_wire_close(changed);
			}
			one_wire_close(fresh);
		}
}

/* The draws, counts and lines of the others go on as if nothing had happened. */
static void a_word_that_is_set_again_as_it_was_changes_nothing(void **state)
{
	(void)state;
	for (size_t r = 0; r < row_count; r++)
		for (size_t v = 0; v < rows[r].count; v++) {
			struct one_wire *once = open_wire(), *often = open_wire();
			char text[ROW_TEXT_BYTES];

			/* It counts from when it is said. */
			if (!strcmp(rows[r].key, "for"))
				v = rows[r].count - 1;
			word_row_text(text, &rows[r], rows[r].values[v]);
			one_wire_set(once, text);
			one_wire_set(often, text);
			for (uint64_t i = 0; i < 20; i++) {
				one_wire_send_some(once, 10, i);
				one_wire_send_some(often, 10, i);
				one_wire_set(often, text);
			}
			one_wire_until(once, 9 * S);
			one_wire_until(often, 9 * S);
			assert_alike(often, once, 0, rows[r].key, text, "again");
			one_wire_close(once);
			one_wire_close(often);
		}
}

/* ---- what waited ------------------------------------------------------- */

static void what_waits_for_a_trace_goes_on_by_the_one_that_takes_its_place(void **state)
{
	static const char *const then[] = { "{'capacity':'fast'}",
					    "{'capacity':'none','rate':'10Mbit'}",
					    "{'capacity':'none'}",
					    "{'capacity':'none','slot':'1ms'}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(then); i++) {
		struct one_wire *wire = open_wire();

		one_wire_set(wire, "{'capacity':'slow'}");
		one_wire_until(wire, S);
		one_wire_send_some(wire, 50, 3);
		one_wire_until(wire, 3 * S);
		assert_int_equal(wire->arrivals, 0);
		one_wire_set(wire, then[i]);
		one_wire_until(wire, 4 * S);
		assert_int_equal(wire->arrivals, 50);
		one_wire_close(wire);
	}
}

static void assert_in_order(const struct one_wire *wire, const char *what)
{
	for (uint32_t i = 1; i < wire->arrivals; i++)
		if (wire->order[i] < wire->order[i - 1])
			fail_msg("%s: frame %u came after %u", what, wire->order[i],
				 wire->order[i - 1]);
}

static void frames_that_keep_their_order_keep_it_when_their_line_goes(void **state)
{
	struct one_wire *wire = open_wire();

	(void)state;
	one_wire_set(wire,
		     "{'delay':'50ms','jitter':'40ms','order':'keep','rate':'1Mbit'}");
	for (int i = 0; i < 150; i++)
		one_wire_send(wire, 200);
	one_wire_until(wire, 100 * MS);
	one_wire_set(wire, "{'rate':'none'}");
	for (int i = 0; i < 50; i++)
		one_wire_send(wire, 200);
	one_wire_until(wire, S);
	assert_int_equal(wire->arrivals, 200);
	assert_in_order(wire, "rate=none");
	one_wire_close(wire);
	/* With the whole fault, and with the rule whose order it was, too. */
	wire = open_wire();
	one_wire_set(
		wire,
		"{'rate':'1Mbit','faults':[{'name':'r','delay':'50ms','jitter':'40ms',"
		"'order':'keep'}]}");
	for (int i = 0; i < 150; i++)
		one_wire_send(wire, 200);
	one_wire_until(wire, 50 * MS);
	one_wire_forget_rule(wire, "r");
	one_wire_set(wire, "{'loss':'none'}");
	one_wire_until(wire, 100 * MS);
	one_wire_clear(wire);
	one_wire_until(wire, S);
	assert_int_equal(wire->arrivals, 150);
	assert_in_order(wire, "cleared");
	one_wire_close(wire);
}

static void whatever_else_changes_an_order_that_is_kept_is_kept(void **state)
{
	static const char *const changes[] = {
		"{'rate':'300kbit','capacity':'none'}",
		"{'rate':'5Mbit','capacity':'none'}",
		"{'rate':'none','queue':'none','limit':'none'}",
		"{'rate':'none','queue':'none','limit':'none','capacity':'uneven'}",
		"{'capacity':'none','queue':'none','limit':'none'}",
		"{'hold':true}",
		"{'hold':false}",
		"{'slot':'3ms 9ms'}",
		"{'slot':'none'}",
		"{'clog':'open 5ms closed 20ms random'}",
		"{'clog':'none'}",
		"{'delay':'90ms'}",
		"{'delay':'40ms'}",
		"{'jitter':'40ms'}",
		"{'jitter':'1ms'}",
		"{'loss':'10%'}",
		"{'faults':[{'name':'r','delay':'7ms'}]}",
		"{'faults':[{'name':'r','order':'keep','delay':'70ms'}]}",
		"{'faults':[{'name':'r','rate':'2Mbit'}]}",
	};

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct one_wire *wire = open_wire();

		one_wire_set(wire, "{'delay':'50ms','jitter':'40ms','order':'keep'}");
		for (unsigned i = 0; i < 60; i++) {
			one_wire_send_some(wire, 8, seed * 100 + i);
			/* A second line beside the first would be a second row. */
			if (i % 10 == 9)
				one_wire_forget_rule(wire, "r");
			one_wire_set(wire, changes[draw_below(seed, i, LANE_TOPOLOGY,
							      ARRAY_SIZE(changes) - 1)]);
		}
		one_wire_set(wire, "{'hold':false}");
		one_wire_until(wire, wire->now_ns + 100 * S);
		assert_in_order(wire, "changes");
		assert_true(wire->arrivals > 100);
		assert_int_equal(sw_link_count(wire->sw, wire->link, DIR_AB)->queued, 0);
		one_wire_close(wire);
	}
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
		cmocka_unit_test(
			a_word_that_changes_behaves_as_if_it_had_been_so_from_the_start),
		cmocka_unit_test(a_word_that_is_set_again_as_it_was_changes_nothing),
		cmocka_unit_test(
			what_waits_for_a_trace_goes_on_by_the_one_that_takes_its_place),
		cmocka_unit_test(
			frames_that_keep_their_order_keep_it_when_their_line_goes),
		cmocka_unit_test(whatever_else_changes_an_order_that_is_kept_is_kept),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
