/* SPDX-License-Identifier: MIT */
/* fault_word_table.h - how the values of a fault's words are read, and written
 *
 * For the files fault_word_*.c and fault_words.c; linkfault/word.h has the words.
 *
 * Errors:  apply, set: 0 or -errno with *why, the rule unchanged then; the key is not in
 *          the reason yet.  show: false if the rule has nothing under that key.
 */
#ifndef NL_FAULTWORDS_FAULT_WORD_TABLE_H
#define NL_FAULTWORDS_FAULT_WORD_TABLE_H

#include "faultwords/fault_words.h"
#include "linkfault/word.h"

enum { WORD_PARTS_MAX = 16, WORD_PART_BYTES_MAX = 512 };

/* A value, cut at its blanks. */
struct word_parts {
	size_t count;
	char part[WORD_PARTS_MAX][WORD_PART_BYTES_MAX];
};

/* How a value of text is read and written; counts and flags need nothing of their own. */
struct word_form {
	const char *key;
	int (*apply)(struct fault_rule *rule, const struct fault_context *context,
		     const char *value, struct why *why);
	bool (*show)(const struct fault_rule *rule, char text[FAULT_WORD_BYTES_MAX]);
};

int fault_word_set(const struct fault_word *word, struct fault_rule *rule,
		   const struct fault_context *context, const char *value,
		   struct why *why);
bool fault_word_show(const struct fault_word *word, const struct fault_rule *rule,
		     char text[FAULT_WORD_BYTES_MAX]);

int word_split(struct word_parts *parts, const char *value, struct why *why);
/* Is it "none"? */
bool word_is_none(const char *value);
int word_share(const char *text, uint32_t *ppb, struct why *why);
int word_wait(const char *text, uint64_t *ns, struct why *why);
int word_count(const char *text, uint64_t most, uint64_t *count, struct why *why);
int word_flag(const char *text, bool *flag, struct why *why);
bool word_show_flag(bool flag, char *text);
/* "100frames" or "150kB": one part of a limit. */
int word_limit_part(const char *part, uint32_t *frames, uint32_t *bytes, struct why *why);
/* "4frames,6kB"; false: there is none. */
bool word_show_limit(uint32_t frames, uint32_t bytes, const char *between, char *text,
		     size_t room);
/* "1% 25%": a chance and its correlation. */
int word_chance(const char *value, struct fault_chance *chance, struct why *why);
bool word_show_chance(const struct fault_chance *chance, char *text);
/* "on 5s off 1s", "on 5s off 1s phase 2s", "on 5s off 1s random"; the two names as
 * given. */
int word_cycle(const char *value, const char *on, const char *off,
	       struct fault_cycle *cycle, struct why *why);
bool word_show_cycle(const struct fault_cycle *cycle, const char *on, const char *off,
		     char *text);
/* "3,7,9-12": shown as it was written, so it has to fit. */
int word_list(const char *text, struct fault_data **list, struct why *why);
/* A file that a word names, as data. */
int word_file(const struct fault_context *context, enum fault_data_kind kind,
	      const char *name, struct fault_data **data, struct why *why);

/* fault_profiles.c: put the words of a profile in the place of the rule's. */
int profile_apply(struct fault_rule *rule, const struct fault_context *context,
		  const char *value, struct why *why);

#endif
