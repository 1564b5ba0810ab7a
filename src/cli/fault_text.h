/* SPDX-License-Identifier: MIT */
/* fault_text.h - the protocol's `directions` for people
 *
 * Errors: none: what a field does not say is shown as "-".
 */
#ifndef NL_CLI_FAULT_TEXT_H
#define NL_CLI_FAULT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { FAULT_TEXT_BYTES = 2048 };

/* A JSON string's text, "-" if it is none. */
const char *fault_word(const json_t *json);

/* A fault object as it is typed, "delay=20ms loss='1% 25%'", without its rules for
 * certain frames; "none" for a perfect wire. */
const char *fault_text(char *text, size_t bytes, const json_t *fault);

/* With its rules: "delay=20ms, rule votes: match=tcp loss=30%". */
const char *fault_text_whole(char *text, size_t bytes, const json_t *fault);

/* An answer with `directions`, as a table with or without counters, or JSON. */
void fault_print(const json_t *answer, bool json, bool counters);

#endif
