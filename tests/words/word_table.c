/* SPDX-License-Identifier: MIT */
/* Prints the table of fault words as JSON, for fault_words.py. */
#include <stdio.h>

#include "linkfault/word.h"

int main(void)
{
	static const char *const types[] = { "text", "count", "flag" };
	const struct fault_word *word;

	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
		printf("%s{\"key\":\"%s\",\"of\":\"%s\",\"type\":\"%s\",\"example\":\"%s\","
		       "\"schema\":\"%s\"}",
		       n ? ",\n " : "[", word->key,
		       n < fault_match_word_count ? "match" : "link", types[word->type],
		       word->example, word->schema);
	puts("]");
	return 0;
}
