/* SPDX-License-Identifier: MIT */
/* base64.h - bytes in the control protocol (RFC 4648, with padding) */
#ifndef NL_BASE_BASE64_H
#define NL_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters for that many bytes, with the 0. */
#define BASE64_ROOM(bytes) (((bytes) + 2) / 3 * 4 + 1)

/* text has BASE64_ROOM(bytes) of room. */
void base64_encode(char *text, const uint8_t *from, size_t bytes);

/* Bytes written, at most chars / 4 * 3; -EINVAL if it is no base64.  `to` may be
 * the text itself. */
long base64_decode(uint8_t *to, const char *text, size_t chars);

#endif
