/* SPDX-License-Identifier: MIT */
#include "init/environ.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Where NAME is, or the end. */
static size_t find(const struct environ_list *list, const char *name)
{
	size_t size = strlen(name), i = 0;

	while (i < list->count &&
	       (strncmp(list->vars[i], name, size) || list->vars[i][size] != '='))
		i++;
	return i;
}

/* Takes the string. */
static int put(struct environ_list *list, size_t at, char *var, struct why *why)
{
	if (at == list->count) {
		char **vars = realloc(list->vars, (at + 2) * sizeof(*vars));

		if (!vars) {
			free(var);
			return why_set(why, -ENOMEM, "out of memory for the environment");
		}
		vars[at] = vars[at + 1] = NULL;
		list->vars = vars;
		list->count++;
	}
	free(list->vars[at]);
	list->vars[at] = var;
	return 0;
}

int environ_set(struct environ_list *list, const char *name, const char *value,
		struct why *why)
{
	char *var;

	if (!*name || strchr(name, '='))
		return why_set(why, -EINVAL, "\"%.64s\" cannot be a variable's name", name);
	if (asprintf(&var, "%s=%s", name, value) < 0)
		return why_set(why, -ENOMEM, "out of memory for the environment");
	return put(list, find(list, name), var, why);
}

int environ_add(struct environ_list *list, const char *var, struct why *why)
{
	char *copy = strdup(var);

	if (!copy)
		return why_set(why, -ENOMEM, "out of memory for the environment");
	return put(list, list->count, copy, why);
}

int environ_copy(struct environ_list *to, const struct environ_list *from,
		 struct why *why)
{
	for (size_t i = 0; i < from->count; i++) {
		int err = environ_add(to, from->vars[i], why);

		if (err)
			return err;
	}
	return 0;
}

int environ_defaults(struct environ_list *list, const char *hostname, struct why *why)
{
	static const char *const vars[][2] = {
		{ "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		{ "HOME", "/root" },
		{ "USER", "root" },
		{ "LOGNAME", "root" },
		{ "SHELL", "/bin/sh" },
		{ "LANG", "C.UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
		int err = environ_set(list, vars[i][0], vars[i][1], why);

		if (err)
			return err;
	}
	return environ_set(list, "HOSTNAME", hostname, why);
}

void environ_free(struct environ_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->vars[i]);
	free(list->vars);
	*list = (struct environ_list){ 0 };
}
