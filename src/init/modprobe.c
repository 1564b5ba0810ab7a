/* SPDX-License-Identifier: MIT */
#include "init/modprobe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

enum {
	NAME_BYTES_MAX = 256,
	OPTIONS_BYTES_MAX = 1024,
	TEXT_BYTES_MAX = MODULES_DEP_BYTES_MAX,
};

/* Module names have '_' where their files may have '-', and aliases follow them. */
static void to_underscores(char *text)
{
	bool in_class = false;

	for (; *text; text++) {
		if (*text == '[' || *text == ']')
			in_class = *text == '[';
		if (*text == '-' && !in_class)
			*text = '_';
	}
}

/* A line's word, from *at on, which moves behind it; "" at the line's end. */
static void next_word(const char **at, char *word, size_t bytes)
{
	size_t size;

	*at += strspn(*at, " \t");
	size = strcspn(*at, " \t\n");
	snprintf(word, bytes, "%.*s", (int)(size < bytes ? size : bytes - 1), *at);
	*at += size;
}

static const char *next_line(const char *at)
{
	at += strcspn(at, "\n");
	return at + (*at == '\n');
}

const char *modprobe_alias(const char **at, const char *name, size_t *size)
{
	char wanted[NAME_BYTES_MAX], word[NAME_BYTES_MAX], pattern[NAME_BYTES_MAX];

	snprintf(wanted, sizeof(wanted), "%s", name);
	to_underscores(wanted);
	while (**at) {
		const char *line = *at;

		*at = next_line(line);
		next_word(&line, word, sizeof(word));
		if (strcmp(word, "alias") != 0)
			continue;
		next_word(&line, pattern, sizeof(pattern));
		to_underscores(pattern);
		line += strspn(line, " \t");
		*size = strcspn(line, " \t\n");
		if (*size && !fnmatch(pattern, wanted, 0))
			return line;
	}
	return NULL;
}

void modprobe_options(const char *text, const char *module, char *out, size_t bytes)
{
	char word[NAME_BYTES_MAX];

	size_t used = 0;

	snprintf(out, bytes, "%s", "");
	for (; *text; text = next_line(text)) {
		const char *line = text;
		size_t size;

		next_word(&line, word, sizeof(word));
		if (strcmp(word, "options") != 0)
			continue;
		next_word(&line, word, sizeof(word));
		to_underscores(word);
		if (strcmp(word, module) != 0)
			continue;
		line += strspn(line, " \t");
		size = strcspn(line, "\n");
		if (used + size + 1 < bytes)
			used += (size_t)snprintf(out + used, bytes - used, "%s%.*s",
						 used ? " " : "", (int)size, line);
	}
}

struct loading {
	const struct modules *modules;
	char *softdep; /* NULL: the kernel has no such file */
	char *options;
};

static int load_one(const struct loading *loading, const char *module, struct why *why)
{
	char options[OPTIONS_BYTES_MAX];

	modprobe_options(loading->options ? loading->options : "", module, options,
			 sizeof(options));
	return modules_load_with(loading->modules, module, options, why);
}

/* "softdep MODULE pre: A B post: C".  What it names may be an alias, or not there, or
 * not load: it is a wish. */
static void load_wishes(const struct loading *loading, const char *module,
			const char *when)
{
	char word[NAME_BYTES_MAX];

	for (const char *text = loading->softdep; text && *text; text = next_line(text)) {
		const char *line = text;
		bool now = false;

		next_word(&line, word, sizeof(word));
		if (strcmp(word, "softdep") != 0)
			continue;
		next_word(&line, word, sizeof(word));
		if (strcmp(word, module) != 0)
			continue;
		for (next_word(&line, word, sizeof(word)); *word;
		     next_word(&line, word, sizeof(word))) {
			if (word[strlen(word) - 1] == ':')
				now = !strcmp(word, when);
			else if (now)
				load_one(loading, word, NULL);
		}
	}
}

static int load_with_wishes(const struct loading *loading, const char *module,
			    struct why *why)
{
	int err;

	load_wishes(loading, module, "pre:");
	err = load_one(loading, module, why);
	if (!err)
		load_wishes(loading, module, "post:");
	return err;
}

static int load_all(const struct loading *loading, const char *name, const char *aliases,
		    struct why *why)
{
	char module[NAME_BYTES_MAX];
	const char *found;
	size_t size;
	int n = 0, err = 0;

	if (modules_find(loading->modules->dep, name, &size)) {
		snprintf(module, sizeof(module), "%s", name);
		to_underscores(module);
		err = load_with_wishes(loading, module, why);
		return err ? err : 1;
	}
	while (!err && (found = modprobe_alias(&aliases, name, &size))) {
		snprintf(module, sizeof(module), "%.*s", (int)size, found);
		err = load_with_wishes(loading, module, why);
		n++;
	}
	return err ? err : n;
}

/* NULL where there is none. */
static int read_optional(int dir_fd, const char *path, char **text, struct why *why)
{
	size_t size;
	int err = fdio_read_file(dir_fd, path, TEXT_BYTES_MAX, text, &size, why);

	return err == -ENOENT ? 0 : err;
}

static int load_with_options(const struct modules *modules, const char *name, char *options,
			     struct why *why)
{
	cleanup_free char *aliases = NULL, *softdep = NULL;
	struct loading loading = { .modules = modules, .options = options };
	int err;

	if (!modules->dep)
		return 0;
	err = read_optional(modules->dir_fd, "modules.alias", &aliases, why);
	err = err ? err
		  : read_optional(modules->dir_fd, "modules.softdep", &softdep, why);
	if (err)
		return err;
	loading.softdep = softdep;
	return load_all(&loading, name, aliases ? aliases : "", why);
}

int modprobe_load(const struct modules *modules, const char *name,
		  const char *options_file, struct why *why)
{
	cleanup_free char *options = NULL;
	int err = modules->dep ? read_optional(AT_FDCWD, options_file, &options, why) : 0;

	return err ? err : load_with_options(modules, name, options, why);
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".conf");
}

/* All of a folder's, in the order of names.  What cannot be read is not there. */
static void add_folder(FILE *out, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_conf, alphasort);

	for (int i = 0; i < count; i++) {
		cleanup_free char *text = NULL;
		char path[512];
		size_t size;

		snprintf(path, sizeof(path), "%s/%.255s", folder, entries[i]->d_name);
		if (!fdio_read_file(AT_FDCWD, path, TEXT_BYTES_MAX, &text, &size, NULL))
			fprintf(out, "%s\n", text);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* The last word is the agent's own: it is in /run. */
static char *read_options(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	add_folder(out, "/lib/modprobe.d");
	add_folder(out, "/etc/modprobe.d");
	add_folder(out, "/run/modprobe.d");
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void log_failure(const struct why *why)
{
	cleanup_close int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dprintf(fd, "<3>netlab-agent: %s\n", why->text);
}

int modprobe_run(const char *name)
{
	cleanup_free char *options = read_options();
	struct modules modules;
	struct utsname uts;
	struct why why = { "" };
	char dir[128];
	int got;

	if (uname(&uts) < 0)
		return 1;
	snprintf(dir, sizeof(dir), "/lib/modules/%.64s", uts.release);
	got = modules_open(&modules, dir, &why);
	if (!got)
		got = load_with_options(&modules, name, options, &why);
	modules_close(&modules);
	if (got < 0)
		log_failure(&why);
	return got > 0 ? 0 : 1;
}
