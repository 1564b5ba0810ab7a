/* SPDX-License-Identifier: MIT */
/* text.h - bytes of unknown origin as a JSON string
 *
 * What a guest says may be anything; JSON wants UTF-8.  Bytes that are none become
 * U+FFFD, and control characters other than tab and newline are left out.
 *
 * Ownership: the caller gets a new reference; NULL only without memory.
 */
#ifndef NL_BASE_TEXT_H
#define NL_BASE_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "base/why.h"

json_t *text_json(const char *bytes, size_t size);
json_t *text_json_z(const char *text); /* up to the 0 */

/* A path that becomes a part of the records: -EINVAL if it cannot, with what to do. */
int text_check_path(const char *path, const char *cure, struct why *why);

#endif
