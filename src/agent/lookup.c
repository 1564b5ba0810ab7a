/* SPDX-License-Identifier: MIT */
#include "agent/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lookup_env(char *const *envp, const char *name)
{
	size_t size = strlen(name);

	for (; *envp; envp++)
		if (!strncmp(*envp, name, size) && (*envp)[size] == '=')
			return *envp + size + 1;
	return NULL;
}

/* How many entries: an empty one means the current folder. */
static size_t path_entries(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == ':';
	return n;
}

static int find_paths(struct lookup *out, const char *name, const char *path)
{
	size_t n = path_entries(path);

	out->paths = calloc(n + 1, sizeof(*out->paths));
	if (!out->paths)
		return -ENOMEM;
	if (strchr(name, '/')) {
		out->paths[0] = strdup(name);
		return out->paths[0] ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		int size = (int)strcspn(path, ":");

		if (asprintf(&out->paths[i], "%.*s%s%s", size, path, size ? "/" : "./",
			     name) < 0) {
			out->paths[i] = NULL;
			return -ENOMEM;
		}
		path += size + 1;
	}
	return 0;
}

static int make_script_argv(struct lookup *out, char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	out->script_argv = calloc(n + 2, sizeof(*out->script_argv));
	if (!out->script_argv)
		return -ENOMEM;
	out->script_argv[0] = (char *)"sh";
	for (size_t i = 1; i < n; i++)
		out->script_argv[i + 1] = argv[i];
	return 0;
}

int lookup_program(struct lookup *out, char *const *argv, char *const *envp,
		   struct why *why)
{
	const char *path = lookup_env(envp, "PATH");
	int err;

	*out = (struct lookup){ 0 };
	if (!argv[0][0])
		return why_set(why, -ENOENT, "the command is empty");
	err = find_paths(out, argv[0], path && *path ? path : "/usr/bin:/bin");
	err = err ? err : make_script_argv(out, argv);
	if (err) {
		lookup_free(out);
		return why_set(why, err, "%s: out of memory", argv[0]);
	}
	return 0;
}

void lookup_free(struct lookup *lookup)
{
	for (char **path = lookup->paths; path && *path; path++)
		free(*path);
	free(lookup->paths);
	free(lookup->script_argv);
	*lookup = (struct lookup){ 0 };
}
