/* SPDX-License-Identifier: MIT */
/* word_rows.h - values of every word of a fault, for tests that try all of them
 *
 * A row is a word, what it needs besides, and some values.  There are rows that somebody
 * wrote (the table in word_rows.c), and one for each word of the program's own tables,
 * made from its example: so a word that is new is tried by itself.  One for which its
 * example alone is too little fails word_rows(), which says what to do.
 */
#ifndef NL_TESTS_WORD_ROWS_H
#define NL_TESTS_WORD_ROWS_H

#include <stdbool.h>
#include <stddef.h>

enum { ROW_VALUES_MAX = 12, ROW_VALUE_BYTES = 96, ROW_TEXT_BYTES = 512 };

struct word_row {
	const char *key;
	bool match;	/* a word of a rule for certain frames */
	bool derived;	/* from the word's example */
	char link[200]; /* what the link needs besides: members, each with its comma */
	char base[200]; /* and what the rule that has the word needs; both with ' for " */
	char values[ROW_VALUES_MAX][ROW_VALUE_BYTES]; /* JSON, ' for " */
	size_t count;
};

/* Files that values name, into a folder that is there. */
void word_rows_write_files(const char *folder);
void word_rows_remove_files(const char *folder);

/* All rows; folder: with the files. */
const struct word_row *word_rows(const char *folder, size_t *count);

/* The fault with that value, ' for "; NULL: without the word. */
const char *word_row_text(char text[ROW_TEXT_BYTES], const struct word_row *row,
			  const char *value);

#endif
