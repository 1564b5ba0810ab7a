/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

size_t utf8_char_bytes(const char *text, size_t size)
{
	const uint8_t *t = (const uint8_t *)text;
	uint8_t low = 0x80, high = 0xbf; /* what the second byte may be */
	size_t bytes;

	if (!size)
		return 0;
	if (t[0] < 0x80)
		return 1;
	if (t[0] < 0xc2 || t[0] > 0xf4)
		return 0;
	bytes = t[0] < 0xe0 ? 2 : t[0] < 0xf0 ? 3 : 4;
	if (size < bytes)
		return 0;
	if (t[0] == 0xe0)
		low = 0xa0;
	if (t[0] == 0xed)
		high = 0x9f;
	if (t[0] == 0xf0)
		low = 0x90;
	if (t[0] == 0xf4)
		high = 0x8f;
	if (t[1] < low || t[1] > high)
		return 0;
	for (size_t i = 2; i < bytes; i++)
		if ((t[i] & 0xc0) != 0x80)
			return 0;
	return bytes;
}

size_t utf8_encode(char out[4], uint32_t code)
{
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = bytes - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(lead[bytes] | code);
	return bytes;
}

void utf8_clean(char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t bytes = utf8_char_bytes(text, left);

		if (!bytes || (unsigned char)*text < ' ' || *text == 127) {
			*text = '?';
			bytes = 1;
		}
		text += bytes;
		left -= bytes;
	}
}
