/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "cli/client.h"

const struct command *command_find(int argc, char *const *argv, int *used)
{
	size_t i, first;

	for (i = 0; argc > 0 && i < command_count; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');

		first = blank ? (size_t)(blank - name) : strlen(name);
		if (strlen(argv[0]) != first || memcmp(argv[0], name, first))
			continue;
		if (blank && (argc < 2 || strcmp(argv[1], blank + 1)))
			continue;
		*used = blank ? 2 : 1;
		return &commands[i];
	}
	return NULL;
}

bool command_family(const char *word)
{
	size_t i, bytes = strlen(word);

	for (i = 0; i < command_count; i++)
		if (!strncmp(commands[i].name, word, bytes) &&
		    commands[i].name[bytes] == ' ')
			return true;
	return false;
}

bool command_takes(const struct command *command, const struct option_spec *option)
{
	if (!strcmp(option->name, "lab"))
		return command->flags & (NEED_LAB | TAKES_LAB);
	if (!strcmp(option->name, "json"))
		return command->flags & TAKES_JSON;
	return true;
}

const char *call_option(const struct command_call *call, const char *name)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].spec->name, name))
			value = call->given[i].value;
	return value;
}

const char *call_option_next(const struct command_call *call, const char *name, size_t *cursor)
{
	while (*cursor < call->given_count) {
		const struct given *given = &call->given[(*cursor)++];

		if (!strcmp(given->spec->name, name))
			return given->value;
	}
	return NULL;
}

void call_free(struct command_call *call)
{
	client_free(call->client);
	free(call->given);
	free(call->argv);
}
