/* SPDX-License-Identifier: MIT */
/* ui.h - what the user reads: errors, hints, colours, tables
 *
 * Data goes to stdout, everything else to stderr.  Colours only on a terminal,
 * and never if NO_COLOR is set and not empty or TERM is "dumb".
 *
 * Text that came from a machine or a file is printed with ui_safe(): control
 * characters become "?", so that nobody moves the user's cursor.
 *
 * With --json, stdout is JSON in any case: of a command that fails and has nothing to
 * print, it is {"ok": false, "error": TEXT} on one line.  The text is on stderr as well.
 *
 * Errors: none; main looks at ui_output_error() at the end, loops that go on for long at
 * ui_flush() or ui_is_broken().  Threads: one.
 */
#ifndef NL_CLI_UI_H
#define NL_CLI_UI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum paint { PAINT_OFF, PAINT_BOLD, PAINT_DIM, PAINT_RED, PAINT_GREEN, PAINT_YELLOW };

void ui_setup(void);
/* The escape sequence, or "" where there are no colours. */
const char *ui_paint(FILE *out, enum paint paint);

/* p; or, if there was no memory for it, the end of the program, with a message: without what
 * a command needs for itself it can do nothing, and all that it has begun ends with it. */
void *ui_need(void *p);

/* "netlab: TEXT" on stderr. */
void ui_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ui_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Plain on stderr. */
void ui_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* text with control characters replaced; lines stay lines if `lines`. */
void ui_safe(FILE *out, const char *text, bool lines);

/* The last lines of a text that is not ours, indented and dim, on stderr. */
void ui_tail(const char *text, int lines);

/* Indented JSON and a newline on stdout. */
void ui_json(const json_t *json);
/* The same on one line: one of many. */
void ui_json_line(const json_t *json);
/* --json was given: errors are kept for the end, */
void ui_json_wanted(void);
/* where the first is printed if the command failed and has printed no JSON of its own. */
void ui_json_end(int status);

/* Write out what there is.  False: stdout takes no more, and has not taken all. */
bool ui_flush(FILE *out);
bool ui_is_broken(void); /* has that been so? */
/* At the end: 0, or -errno if not all of the output was taken. */
int ui_output_error(void);

/* "3 machines", "1 machine" */
#define UI_PLURAL(n) ((n) == 1 ? "" : "s")

/* "1.5 s", "250 ms", "2 min 5 s" */
const char *ui_duration(char *text, size_t bytes, uint64_t ns);

/* ---- tables: columns as wide as their content, two spaces between ---- */

struct table;
struct table *table_new(size_t columns, ...); /* headings; the caller frees */
/* One cell after the other, row by row; text is copied, NULL is "-". */
void table_cell(struct table *table, enum paint paint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void table_print(const struct table *table, FILE *out);
void table_free(struct table *table);

/* A lab's virtual time hardly passes, and why: said once, however many wait for it. */
void ui_slow(const char *why);

#endif
