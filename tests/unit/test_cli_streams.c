/* SPDX-License-Identifier: MIT */
/* What passes through the command line: keys, lines, captured frames, progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/gate.h"
#include "cli/lines.h"
#include "cli/progress.h"
#include "cli/streams.h"

/* ---- keys that leave -------------------------------------------------------------- */

static void keys(enum escape_kind kind, const char *typed, const char *passed, bool left)
{
	struct escape whole = { .kind = kind }, single = { .kind = kind };
	char out[64], one[8], all[64] = "";
	size_t size = strlen(typed), n, i;
	bool leave = false;

	n = escape_filter(&whole, (const uint8_t *)typed, size, (uint8_t *)out, &leave);
	out[n] = 0;
	assert_string_equal(out, passed);
	assert_int_equal(leave, left);
	/* The same, key by key. */
	for (i = 0, leave = false; i < size && !leave; i++) {
		n = escape_filter(&single, (const uint8_t *)typed + i, 1, (uint8_t *)one,
				  &leave);
		one[n] = 0;
		strncat(all, one, sizeof(all) - strlen(all) - 1);
	}
	assert_string_equal(all, passed);
	assert_int_equal(leave, left);
}

static void a_tilde_leaves_only_at_the_start_of_a_line(void **state)
{
	(void)state;
	keys(ESCAPE_TILDE, "~.rest", "", true);
	keys(ESCAPE_TILDE, "ls\r~.", "ls\r", true);
	keys(ESCAPE_TILDE, "ls ~.\r", "ls ~.\r", false);
	keys(ESCAPE_TILDE, "\r~~.\r", "\r~.\r", false);
	keys(ESCAPE_TILDE, "\r~/x\r", "\r~/x\r", false);
	keys(ESCAPE_TILDE, "~\r~.", "~\r", true);
	keys(ESCAPE_TILDE, "\x1d", "\x1d", false);
	keys(ESCAPE_BRACKET,
	     "a\x1d"
	     "b",
	     "a", true);
	keys(ESCAPE_BRACKET, "\r~.", "\r~.", false);
	keys(ESCAPE_NONE, "~.\x1d", "~.\x1d", false);
}

/* ---- frames
 * ---------------------------------------------------------------------------- */

static size_t put_block(uint8_t *at, uint32_t type, uint32_t body, uint8_t fill)
{
	uint32_t size = body + 12;

	memcpy(at, &type, 4);
	memcpy(at + 4, &size, 4);
	memset(at + 8, fill, body);
	memcpy(at + 8 + body, &size, 4);
	return size;
}

static void a_gate_passes_so_many_frames_and_all_else(void **state)
{
	uint8_t in[512], want[512];
	size_t size = 0, wanted = 0, piece;

	(void)state;
	size += put_block(in + size, 0x0A0D0D0A, 16, 1);
	size += put_block(in + size, 1, 8, 2);
	size += put_block(in + size, 6, 40, 3);
	size += put_block(in + size, 3, 12, 4);
	memcpy(want, in, size);
	wanted = size;
	size += put_block(in + size, 6, 40, 5);
	size += put_block(in + size, 3, 8, 6);
	wanted += put_block(want + wanted, 5, 12, 7);
	size += put_block(in + size, 5, 12, 7);
	for (piece = 1; piece <= size; piece++) {
		struct gate gate = { .limit = 2 };
		uint8_t out[600];
		size_t used = 0, at, n;

		for (at = 0; at < size; at += n) {
			n = size - at < piece ? size - at : piece;
			used += gate_pass(&gate, in + at, n, out + used);
		}
		assert_int_equal(used, wanted);
		assert_memory_equal(out, want, wanted);
		assert_int_equal(gate.frames, 2);
		assert_true(gate_full(&gate));
	}
}

static void a_gate_lets_pass_what_it_does_not_know(void **state)
{
	uint8_t in[64], out[64 + GATE_HEADER_BYTES];
	struct gate gate = { .limit = 1 };
	size_t used;

	(void)state;
	memset(in, 0xff, sizeof(in));
	used = gate_pass(&gate, in, 5, out);
	used += gate_pass(&gate, in + 5, sizeof(in) - 5, out + used);
	assert_int_equal(used, sizeof(in));
	assert_memory_equal(out, in, sizeof(in));
	assert_true(gate.blind);
}

/* ---- lines
 * ------------------------------------------------------------------------------- */

static void lines_are_whole_and_named(void **state)
{
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct lines lines = { .out = out, .prefix = "n1 | " };

	(void)state;
	lines_put(&lines, (const uint8_t *)"a", 1);
	lines_put(&lines, (const uint8_t *)"b\n\nc", 4);
	fflush(out);
	assert_string_equal(text, "n1 | ab\nn1 | \n");
	lines_end(&lines);
	fclose(out);
	assert_string_equal(text, "n1 | ab\nn1 | \nn1 | c\n");
}

static void a_line_without_end_is_broken(void **state)
{
	cleanup_free char *text = NULL;
	cleanup_free uint8_t *in = malloc(3 * LINES_BYTES_MAX);
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct lines lines = { .out = out };

	(void)state;
	memset(in, 'x', 3 * LINES_BYTES_MAX);
	lines_put(&lines, in, 3 * LINES_BYTES_MAX);
	lines_end(&lines);
	fclose(out);
	assert_int_equal(size, 3 * LINES_BYTES_MAX + 3);
}

/* ---- progress
 * ------------------------------------------------------------------------------ */

static void progress_of_one_whole_tells_the_time_left(void **state)
{
	char text[200];

	(void)state;
	progress_part_text(text, sizeof(text), "compiling", 600000, 100000,
			   UINT64_C(100) * NS_PER_S, 0);
	assert_string_equal(text, "[##############----------]  60 %  compiling  "
				  "1 min 40 s, 1 min 20 s left");
	/* Too early to tell, and a narrow screen. */
	progress_part_text(text, sizeof(text), "compiling", 101000, 100000, NS_PER_S, 44);
	assert_string_equal(text, "[##----------------------]  10 %  compiling");
}

static void progress_says_how_far_it_is(void **state)
{
	struct progress_state s = {
		.booted = 1, .nodes = 3, .ready = 2, .services = 3, .what = "n2: booting"
	};
	char text[256];

	(void)state;
	progress_text(text, sizeof(text), &s, UINT64_C(1300000000), 0);
	assert_string_equal(
		text, "[############------------]  machines 1/3  services 2/3  1.3 s  "
		      "n2: booting");
	progress_text(text, sizeof(text), &s, 0, 40);
	assert_int_equal(strlen(text), 39);
	progress_text(text, sizeof(text), &(struct progress_state){ 0 }, 0, 0);
	assert_string_equal(text, "[------------------------]  machines 0/0  0 ms  ");
}

static void without_a_terminal_each_change_is_a_line(void **state)
{
	struct progress_state s = { .booted = 1, .nodes = 2, .what = "n1: configured" };
	FILE *out = tmpfile();
	struct clock *clock;
	struct progress p;
	char line[128];

	(void)state;
	assert_int_equal(clock_fake_create(&clock, NULL), 0);
	progress_start(&p, out, clock);
	clock_fake_advance(clock, 250 * NS_PER_MS);
	progress_show(&p, &s);
	progress_show(&p, &s);
	progress_tick(&p);
	progress_end(&p);
	rewind(out);
	assert_non_null(fgets(line, sizeof(line), out));
	assert_string_equal(line, "250 ms: n1: configured (machines 1/2)\n");
	assert_null(fgets(line, sizeof(line), out));
	fclose(out);
	clock_destroy(clock);
}

static bool screen_after(const char *text, size_t pieces)
{
	struct screen screen = { 0 };
	size_t size = strlen(text);

	for (size_t at = 0, part; at < size; at += part) {
		part = size / pieces + 1 < size - at ? size / pieces + 1 : size - at;
		screen_watch(&screen, (const uint8_t *)text + at, part);
	}
	return screen.other;
}

static void a_program_on_the_other_screen_is_known_by_what_it_says(void **state)
{
	(void)state;
	for (size_t pieces = 1; pieces < 12; pieces++) {
		assert_false(screen_after("hello \033[1m\033[?1049", pieces));
		assert_true(screen_after("hello \033\033[?1049hvi", pieces));
		assert_false(screen_after("\033[?1049hvi\033[?1049lbye", pieces));
		assert_true(screen_after("\033[?1049h\033[?25l\033[?1000h", pieces));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tilde_leaves_only_at_the_start_of_a_line),
		cmocka_unit_test(a_program_on_the_other_screen_is_known_by_what_it_says),
		cmocka_unit_test(a_gate_passes_so_many_frames_and_all_else),
		cmocka_unit_test(a_gate_lets_pass_what_it_does_not_know),
		cmocka_unit_test(lines_are_whole_and_named),
		cmocka_unit_test(a_line_without_end_is_broken),
		cmocka_unit_test(progress_of_one_whole_tells_the_time_left),
		cmocka_unit_test(progress_says_how_far_it_is),
		cmocka_unit_test(without_a_terminal_each_change_is_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
