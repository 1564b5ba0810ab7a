/* SPDX-License-Identifier: MIT */
/* fault_word_table.h - each word of a fault: how it is read, how it is written
 *
 * For the files fault_word_*.c and fault_words.c.
 *
 * Errors:  apply: 0 or -errno with *why, the rule unchanged then; the key is not in
 *          the reason yet.  show: false if the rule has nothing under that key.
 */
#ifndef NL_FAULTWORDS_FAULT_WORD_TABLE_H
#define NL_FAULTWORDS_FAULT_WORD_TABLE_H

#include "faultwords/fault_words.h"

enum { WORD_PARTS_MAX = 16, WORD_PART_BYTES_MAX = 512 };

/* A value, cut at its blanks. */
struct word_parts {
	size_t count;
	char part[WORD_PARTS_MAX][WORD_PART_BYTES_MAX];
};

enum word_type { WORD_TEXT, WORD_COUNT, WORD_FLAG };

enum { WORD_FIELDS_MAX = 8 };

struct fault_word {
	const char *key;
	enum word_type type;
	const char *example;
	int (*apply)(struct fault_rule *rule, const struct fault_context *context,
		     const char *value, struct why *why);
	bool (*show)(const struct fault_rule *rule, char text[FAULT_WORD_BYTES_MAX]);
	/* A value of several parts sets so many words, this one and those behind it. */
	unsigned parts_max;
	/* What of a rule is its own; the last has 0 bytes. */
	struct word_field {
		uint16_t at, bytes;
	} fields[WORD_FIELDS_MAX];
};

extern const struct fault_word fault_words[], fault_match_words[];
extern const size_t fault_word_count, fault_match_word_count;

/* Of both tables; NULL: no such key. */
const struct fault_word *fault_word_find(const char *key);

/* What `from` has under that key, byte by byte: who counts references does so. */
void fault_word_take(const struct fault_word *word, struct fault_rule *to,
		     const struct fault_rule *from);

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
