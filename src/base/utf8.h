/* SPDX-License-Identifier: MIT */
/* utf8.h - well-formed UTF-8, and nothing else
 *
 * Refused as RFC 3629 says: overlong forms, surrogates, beyond U+10FFFF.
 *
 * Errors: 0 bytes.  Threads: pure.
 */
#ifndef NL_BASE_UTF8_H
#define NL_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text, of which size bytes are there; 0 if it is not
 * well formed. */
size_t utf8_char_bytes(const char *text, size_t size);

/* Write the character; returns its 1 to 4 bytes.  Not for surrogates. */
size_t utf8_encode(char out[4], uint32_t code);

/* Put '?' for every control character and byte that is not UTF-8. */
void utf8_clean(char *text);

#endif
