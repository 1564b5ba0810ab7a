/* SPDX-License-Identifier: MIT */
/* fault_words.h - link faults in the words that people use
 *
 * docs/faults.md has every word with its forms; linkfault/word.h is the table.
 * One set of words for the topology file, `netlab fault set` and the control socket:
 *
 *	{ "loss": "1%", "delay": "50ms",
 *	  "faults": [ { "name": "slow", "match": "tcp port 2380", "loss": "30%" } ] }
 *
 * A word replaces what the rule had under that key and leaves the others; "none"
 * makes it as a perfect wire has it.  Whether the whole is a spec that a verdict
 * exists for is fault_spec_check()'s to say, once all words are applied.
 *
 * Words are for the link's own rule (number 0), but for those of a match, which a
 * rule in "faults" has besides.
 *
 * Errors:    0, or -EINVAL, -ERANGE, and the reason with the accepted forms; what was
 *            to be changed is unchanged then.
 * Ownership: fault_words_to_json() gives the object to the caller.
 * Threads:   one: the lists of keys are made once; and files that a word names are read.
 */
#ifndef NL_FAULTWORDS_FAULT_WORDS_H
#define NL_FAULTWORDS_FAULT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ns.h"
#include "base/why.h"
#include "faultwords/fault_files.h"
#include "linkfault/spec.h"

enum { FAULT_WORDS_BYTES_MAX = 4096, FAULT_WORD_BYTES_MAX = 512 };

/* What words may refer to. */
struct fault_context {
	const char *dir; /* of relative file names; NULL: they are refused */
	const struct fault_profile *profiles;
	size_t profile_count;
	uint64_t now_ns; /* of lab time: what "for" counts from */
	struct fault_files *files; /* that were read, and are; NULL: none is kept */
	const struct fault_rule *read; /* has data of files already; NULL: nobody has */
};

/* The keys of a link's own rule, NULL at the end; "faults" is not among them. */
const char *const *fault_word_keys(void);
/* And those that only a rule in "faults" has. */
const char *const *fault_match_keys(void);

bool fault_word_is_key(const char *key);
bool fault_match_is_key(const char *key);

/* What a value of that key looks like ("50ms"), for who wrote it wrongly. */
const char *fault_word_example(const char *key);
/* May it be a whole number, true or false, as JSON has them? */
bool fault_word_is_count(const char *key);
bool fault_word_is_flag(const char *key);

/* When something that begins now is over: at a full millisecond, so that people can
 * read it. */
static inline uint64_t fault_until_ns(uint64_t now_ns, uint64_t for_ns)
{
	const uint64_t ms = 1000000;

	return ns_add(ns_add(now_ns, for_ns), ms - 1) / ms * ms;
}

/* Apply one word to a rule.  An unknown key is refused with the nearest known one. */
int fault_word_apply(struct fault_rule *rule, const struct fault_context *context,
		     const char *key, const char *value, struct why *why);

/* The name of a rule that has none given: "1", "2", ...; or that of the rule with the
 * same match. */
int fault_rule_for(struct fault_spec **spec, const char *name, const char *match,
		   struct fault_rule **rule, struct why *why);

/* "loss 10% delay 50ms"; "" for a perfect wire.  Returns text. */
const char *fault_words_format(const struct fault_spec *spec,
			       char text[FAULT_WORDS_BYTES_MAX]);

/* {"loss":"10%","delay":"50ms"}: what applies back to the same spec.  Only what
 * differs from a perfect wire is in it; NULL when memory is short. */
json_t *fault_words_to_json(const struct fault_spec *spec);

/* Apply every member of a JSON object ({"loss":"1%","down":true}) and check the
 * whole.  *spec may be NULL; it is replaced only if all is right, by one that is the
 * caller's, or NULL if nothing is left in it. */
int fault_words_from_json(struct fault_spec **spec, const struct fault_context *context,
			  const json_t *object, struct why *why);

/* Do they name a file, so that it is read?  Those of a profile have been. */
bool fault_words_name_files(const json_t *object);

/* Clear one key, or with "faults" all rules but the link's own, or with the name of a
 * rule in `rule` that (key NULL) or its key.  *spec as above. */
int fault_words_clear(struct fault_spec **spec, const char *rule, const char *key,
		      struct why *why);

/* Sets of keys of a link's own rule, a bit each: that of one key (0: there is none of
 * that name), those that the words change ("delay":"50ms 5ms" is jitter, too, and a
 * profile is all of them), all. */
#define FAULT_KEYS_ALL UINT64_MAX
uint64_t fault_key_bit(const char *key);
uint64_t fault_keys_of(const json_t *words);

#endif
