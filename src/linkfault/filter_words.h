/* SPDX-License-Identifier: MIT */
/* filter_words.h - what can be said of a filter before libpcap sees it
 *
 * libpcap asks the host's resolver about a name ("host example.com"), and compiles in a
 * time that grows with the cube of the words.  So its words are looked at first: a name
 * where an address belongs is refused, and whether it is short enough to be compiled on
 * the spot is known.
 *
 * Errors:    -EINVAL with *why, which names the word.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_FILTER_WORDS_H
#define NL_LINKFAULT_FILTER_WORDS_H

#include <stdbool.h>

#include "base/why.h"

/* No name of a host, network or card is in it. */
int filter_words_check(const char *text, struct why *why);

/* Compiling it takes well under a millisecond or two. */
bool filter_words_are_few(const char *text);

#endif
