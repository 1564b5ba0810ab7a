/* SPDX-License-Identifier: MIT */
#include "plan/epoch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S" };

/* strptime() takes spaces, signs and single digits: what is written back tells. */
static bool reads_as(const char *text, const char *form, struct tm *out)
{
	char back[32];
	const char *end;

	*out = (struct tm){ 0 };
	end = strptime(text, form, out);
	if (!end || (strcmp(end, "") != 0 && strcmp(end, "Z") != 0))
		return false;
	return strftime(back, sizeof(back), form, out) == (size_t)(end - text) &&
	       !strncmp(back, text, (size_t)(end - text));
}

int epoch_parse(const char *text, uint64_t *out_s, struct why *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm, was;
		time_t seconds;

		if (!reads_as(text, forms[i], &tm))
			continue;
		was = tm;
		seconds = timegm(&tm);
		/* The 31st of June becomes another day. */
		if (tm.tm_mday != was.tm_mday || tm.tm_sec != was.tm_sec)
			break;
		if (tm.tm_year + 1900 < EPOCH_YEAR_MIN ||
		    tm.tm_year + 1900 > EPOCH_YEAR_MAX)
			return why_set(why, -EINVAL, "\"%.40s\": from %d to %d", text,
				       EPOCH_YEAR_MIN, EPOCH_YEAR_MAX);
		*out_s = (uint64_t)seconds;
		return 0;
	}
	return why_set(why, -EINVAL,
		       "\"%.40s\" is no date: write 2026-11-28 or 2026-11-28T12:30:00, which "
		       "are UTC",
		       text);
}

const char *epoch_format(char text[EPOCH_TEXT_BYTES], uint64_t epoch_s)
{
	time_t seconds = (time_t)epoch_s;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, EPOCH_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}
