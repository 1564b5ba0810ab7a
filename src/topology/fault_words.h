/* SPDX-License-Identifier: MIT */
/* fault_words.h - link faults in the words that people use
 *
 *	loss    "1%" "0.5%" "100ppm"
 *	delay   "50ms"
 *	jitter  "5ms"                 at most the delay
 *	rate    "10Mbit" "none"
 *	limit   "100frames" "150kB" "100frames,150kB" "none"      needs a rate
 *	down    "true" "false"
 *
 * One set of words for the topology file, `netlab fault set` and the control
 * socket.  A word replaces what the spec had under that key and leaves the
 * others; whether the whole is a spec that a verdict exists for is
 * fault_spec_check()'s to say, once all words are applied.
 *
 * Errors:    0, or -EINVAL, -ERANGE, and the reason with the accepted forms; the
 *            spec is unchanged then.
 * Ownership: fault_words_to_json() gives the object to the caller.
 * Threads:   pure.
 */
#ifndef NL_TOPOLOGY_FAULT_WORDS_H
#define NL_TOPOLOGY_FAULT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"
#include "linkfault/fault.h"

enum { FAULT_WORDS_BYTES_MAX = 192 }; /* room for every word at once */

/* The keys, NULL at the end. */
extern const char *const fault_word_keys[];

bool fault_word_is_key(const char *key);

/* Apply one word.  An unknown key is refused with the nearest known one. */
int fault_word_apply(struct fault_spec *spec, const char *key, const char *value,
		     struct why *why);

/* "loss 10% delay 50ms"; "" for a perfect wire.  Returns text. */
const char *fault_words_format(const struct fault_spec *spec,
			       char text[FAULT_WORDS_BYTES_MAX]);

/* {"loss":"10%","delay":"50ms"}: what applies back to the same spec.  Only what
 * differs from a perfect wire is in it; NULL when memory is short. */
json_t *fault_words_to_json(const struct fault_spec *spec);

/* Apply every member of a JSON object ({"loss":"1%","down":true}) and check the
 * whole.  *spec is changed only if all of it is right. */
int fault_words_from_json(struct fault_spec *spec, const json_t *object, struct why *why);

#endif
