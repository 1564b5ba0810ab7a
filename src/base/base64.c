/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <errno.h>

static const char letters[64] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *text, const uint8_t *from, size_t bytes)
{
	uint32_t v;

	for (; bytes >= 3; bytes -= 3, from += 3) {
		v = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
		*text++ = letters[v >> 18];
		*text++ = letters[v >> 12 & 63];
		*text++ = letters[v >> 6 & 63];
		*text++ = letters[v & 63];
	}
	if (bytes) {
		v = (uint32_t)from[0] << 16 | (bytes == 2 ? (uint32_t)from[1] << 8 : 0);
		*text++ = letters[v >> 18];
		*text++ = letters[v >> 12 & 63];
		*text++ = bytes == 2 ? letters[v >> 6 & 63] : '=';
		*text++ = '=';
	}
	*text = 0;
}

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long base64_decode(uint8_t *to, const char *text, size_t chars)
{
	uint8_t *start = to;
	size_t i, pad = 0;

	if (chars % 4)
		return -EINVAL;
	if (chars && text[chars - 1] == '=')
		pad = text[chars - 2] == '=' ? 2 : 1;
	for (i = 0; i < chars; i += 4) {
		size_t drop = i + 4 == chars ? pad : 0;
		int a = value(text[i]), b = value(text[i + 1]);
		int c = drop > 1 ? 0 : value(text[i + 2]);
		int d = drop ? 0 : value(text[i + 3]);

		if (a < 0 || b < 0 || c < 0 || d < 0)
			return -EINVAL;
		*to++ = (uint8_t)(a << 2 | b >> 4);
		if (drop < 2)
			*to++ = (uint8_t)(b << 4 | c >> 2);
		if (!drop)
			*to++ = (uint8_t)(c << 6 | d);
	}
	return (long)(to - start);
}
