/* SPDX-License-Identifier: MIT */
#include "cli/pace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PPM_PER_STEP = 1000, STEPS_MAX = 1000000, DIGITS_MAX = 3 };

int pace_parse(const char *text, uint64_t *pace_ppm, struct why *why)
{
	uint64_t steps = 0;
	int behind = -1; /* digits behind the point */
	const char *c = text;

	if (strcmp(text, "max") == 0) {
		*pace_ppm = 0;
		return 0;
	}
	for (; *c && steps <= STEPS_MAX && behind < DIGITS_MAX; c++) {
		if (*c == '.' && behind < 0 && c > text) {
			behind = 0;
			continue;
		}
		if (*c < '0' || *c > '9')
			break;
		steps = steps * 10 + (uint64_t)(*c - '0');
		behind += behind >= 0;
	}
	for (int i = behind < 0 ? 0 : behind; i < DIGITS_MAX; i++)
		steps *= 10;
	if (c == text || *c || behind == 0 || steps == 0 || steps > STEPS_MAX)
		return why_set(
			why, -EINVAL,
			"pace \"%.40s\": write max, or a factor of the host's time "
			"from 0.001 to 1000",
			text);
	*pace_ppm = steps * PPM_PER_STEP;
	return 0;
}

const char *pace_format(char text[PACE_TEXT_BYTES_MAX], uint64_t pace_ppm)
{
	uint64_t steps = pace_ppm / PPM_PER_STEP;
	size_t used;

	if (pace_ppm == 0)
		return memcpy(text, "max", sizeof("max"));
	snprintf(text, PACE_TEXT_BYTES_MAX, "%" PRIu64 ".%03" PRIu64, steps / 1000,
		 steps % 1000);
	for (used = strlen(text); text[used - 1] == '0'; used--)
		text[used - 1] = 0;
	if (text[used - 1] == '.')
		text[used - 1] = 0;
	return text;
}
