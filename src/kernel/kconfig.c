/* SPDX-License-Identifier: MIT */
#include "kernel/kconfig.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 128, VALUE_BYTES_MAX = 512 };

struct option {
	char name[NAME_BYTES_MAX];   /* "CONFIG_X" */
	char value[VALUE_BYTES_MAX]; /* "n": not set */
};

/* Reads the line at *text and goes behind it.  False: it sets nothing. */
static bool read_option(const char **text, struct option *option)
{
	static const char unset[] = " is not set";
	const char *line = *text;
	size_t length = strcspn(line, "\n"), name;
	bool off = !strncmp(line, "# CONFIG_", 9);

	*text = line + length + (line[length] == '\n');
	while (length && strchr(" \t\r", line[length - 1]))
		length--;
	if (off) {
		line += 2;
		length -= 2;
	}
	name = strcspn(line, "= \n");
	if (strncmp(line, "CONFIG_", 7) || name >= NAME_BYTES_MAX || name >= length)
		return false;
	snprintf(option->name, sizeof(option->name), "%.*s", (int)name, line);
	if (off) {
		snprintf(option->value, sizeof(option->value), "n");
		return length == name + strlen(unset) &&
		       !memcmp(line + name, unset, strlen(unset));
	}
	if (line[name] != '=' || length - name - 1 >= VALUE_BYTES_MAX)
		return false;
	snprintf(option->value, sizeof(option->value), "%.*s", (int)(length - name - 1),
		 line + name + 1);
	return true;
}

/* What is said of it from there on; the last word, if there are several. */
static bool find(const char *text, const char *name, struct option *found)
{
	struct option one;
	bool seen = false;

	while (*text)
		if (read_option(&text, &one) && !strcmp(one.name, name)) {
			*found = one;
			seen = true;
		}
	return seen;
}

size_t kconfig_denied(const char *asked, const char *got, char *names, size_t room)
{
	struct option wanted, is, later;
	size_t count = 0, used = 0;

	if (room)
		*names = 0;
	while (*asked) {
		if (!read_option(&asked, &wanted) || find(asked, wanted.name, &later))
			continue;
		if (!find(got, wanted.name, &is))
			snprintf(is.value, sizeof(is.value), "n");
		if (!strcmp(is.value, wanted.value))
			continue;
		if (used < room)
			used += (size_t)snprintf(names + used, room - used, "%s%s",
						 count ? " " : "", wanted.name);
		count++;
	}
	return count;
}
