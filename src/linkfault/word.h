/* SPDX-License-Identifier: MIT */
/* word.h - every word of a fault, one row each: what of a rule is its own
 *
 * The one list of words.  From it come the keys, whether a rule does anything, what
 * begins anew when a word is given another value, what a copy of a rule counts, and, one
 * floor up (faultwords/fault_words.h), how values are read and written.  The documents and
 * the schema are held against it by `ctest -R fault_words`.
 *
 * docs/HACKING.md says what a new word takes.
 *
 * Errors:    none.
 * Ownership: the rows are constant; fault_word_forget() changes the state it is given.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_WORD_H
#define NL_LINKFAULT_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linkfault/rule.h"
#include "linkfault/fault_state.h"

/* How a value is written: text has a form of its own in src/faultwords. */
enum word_type { WORD_TEXT, WORD_COUNT, WORD_FLAG };

enum { WORD_FIELDS_MAX = 8, WORD_MEMORIES_MAX = 8 };

/* A member of struct fault_rule.  What is counted is copied, freed and compared as what
 * it points to. */
struct word_field {
	uint16_t at, bytes;
	enum word_field_kind { FIELD_PLAIN, FIELD_DATA, FIELD_CHAIN, FIELD_FILTER } kind;
};

/* A member of struct fault_rule_state that belongs to a word. */
struct word_memory {
	uint16_t at, bytes;
	bool from_seen; /* a uint64_t: begins with the number of frames seen, not with 0 */
};

struct fault_word {
	const char *key;
	enum word_type type;
	const char *example;
	const char *schema; /* its values in docs/topology.schema.json: a definition */
	uint64_t most;	    /* WORD_COUNT */
	/* A value of several parts sets so many words, this one and those behind it. */
	unsigned parts_max;
	/* By the first so many of its fields a rule does something, if one is not 0; with
	 * none, the word is for a rule that does something by another. */
	unsigned acts;
	bool loses; /* frames that count as lost by a loss model */
	/* What it does depends on nothing but a frame's number and on those before it: known
	 * without the frames (`netlab explain` without a capture). */
	bool by_number;
	struct word_field fields[WORD_FIELDS_MAX];	/* the last has 0 bytes */
	struct word_memory memory[WORD_MEMORIES_MAX]; /* as well */
};

/* Of a link's own rule, in the order in which they are shown, and applied where it
 * matters; and those that only a rule in "faults" has. */
extern const struct fault_word fault_words[], fault_match_words[];
extern const size_t fault_word_count, fault_match_word_count;

/* Of both tables; NULL: no such key. */
const struct fault_word *fault_word_find(const char *key);
/* The n-th of both, the match's first; NULL: there are no more. */
const struct fault_word *fault_word_at(size_t n);

/* Has it the same value in both? */
bool fault_word_same(const struct fault_word *word, const struct fault_rule *a,
		     const struct fault_rule *b);
/* Does a rule do something by it? */
bool fault_word_acts(const struct fault_word *word, const struct fault_rule *rule);
/* What it remembers begins anew. */
void fault_word_forget(const struct fault_word *word, struct fault_rule_state *state);
/* What it counts from the frames seen is so from now on. */
void fault_word_recount(const struct fault_word *word, struct fault_rule_state *state);
/* What `from` has under that key, byte by byte: who counts references does so. */
void fault_word_take(const struct fault_word *word, struct fault_rule *to,
		     const struct fault_rule *from);

#endif
