/* SPDX-License-Identifier: MIT */
#include "linkfault/rule_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { UNKNOWN = 1 };

static const char *names[RULE_NAMES_MAX] = { "", "?" };
static uint16_t count = 2;

uint16_t rule_name_number(const char *name)
{
	for (uint16_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	if (count == RULE_NAMES_MAX || !(names[count] = strdup(name)))
		return UNKNOWN;
	return count++;
}

const char *rule_name_text(uint16_t number)
{
	ASSERT(number < count);
	return names[number];
}
