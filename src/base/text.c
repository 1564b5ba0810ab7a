/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/utf8.h"

/* Bytes of the well-formed UTF-8 sequence at s, 0 if there is none (RFC 3629). */
static size_t sequence(const uint8_t *s, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t size;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		size = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		size = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		size = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (size > left || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

json_t *text_json(const char *bytes, size_t size)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const uint8_t *s = (const uint8_t *)bytes;
	cleanup_free char *clean = malloc(3 * size + 1);
	size_t used = 0;

	if (!clean)
		return NULL;
	for (size_t i = 0, step; i < size; i += step) {
		size_t n = sequence(s + i, size - i);

		step = n ? n : 1;
		if (n == 1 && (s[i] < ' ' || s[i] == 0x7f) && s[i] != '\n' &&
		    s[i] != '\t')
			continue;
		memcpy(clean + used, n ? bytes + i : replacement, n ? n : 3);
		used += n ? n : 3;
	}
	return json_stringn(clean, used);
}

json_t *text_json_z(const char *text)
{
	return text_json(text, strlen(text));
}

int text_check_path(const char *path, const char *cure, struct why *why)
{
	char shown[PATH_MAX];
	size_t left = strlen(path);

	for (const char *p = path; left;) {
		size_t bytes = utf8_char_bytes(p, left);

		if (!bytes)
			break;
		p += bytes;
		left -= bytes;
	}
	if (!left)
		return 0;
	snprintf(shown, sizeof(shown), "%s", path);
	utf8_clean(shown);
	return why_set(why, -EINVAL,
		       "the path %s has a byte that is not UTF-8, as all records of a run "
		       "are: %s",
		       shown, cure);
}
