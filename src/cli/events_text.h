/* SPDX-License-Identifier: MIT */
/* events_text.h - a journal entry as a line for people
 *
 *	    1.234567  n1       booting -> configuring
 *
 * Seconds of lab time, what it is about, the event, and its other members.
 */
#ifndef NL_CLI_EVENTS_TEXT_H
#define NL_CLI_EVENTS_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* Returns text. */
const char *events_text(char *text, size_t bytes, const json_t *entry);

#endif
