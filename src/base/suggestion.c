/* SPDX-License-Identifier: MIT */
#include "base/suggestion.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* Longer words are names of files and the like: no slip to be guessed. */
enum { NEAR_WORD_MAX = 40, NEAR_NEVER = 1000 };

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

/* Optimal string alignment distance, three rows at a time. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][NEAR_WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > NEAR_WORD_MAX || m > NEAR_WORD_MAX)
		return NEAR_NEVER;
	for (size_t j = 0; j <= m; j++)
		above[j] = (unsigned)j;
	memset(before, 0, sizeof(rows[0]));
	for (size_t i = 1; i <= n; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;

			row[j] = smaller(above[j] + 1, row[j - 1] + 1);
			row[j] = smaller(row[j], above[j - 1] + same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

void suggestion_start(struct suggestion *near, const char *typed)
{
	size_t size = strlen(typed);

	near->typed = typed;
	near->best = NULL;
	near->distance = (size <= 4 ? 1 : size <= 8 ? 2 : 3) + 1;
}

void suggestion_offer(struct suggestion *near, const char *word)
{
	unsigned d;

	if (!near->distance)
		return;
	d = distance(near->typed, word);
	/* All letters exchanged is another word, not a slip. */
	if (d < near->distance && d < strlen(word)) {
		near->distance = d;
		near->best = word;
	}
}

const char *suggestion_word(const char *typed, const char *const *words)
{
	struct suggestion near;

	suggestion_start(&near, typed);
	for (; *words; words++)
		suggestion_offer(&near, *words);
	return near.best;
}
