/* SPDX-License-Identifier: MIT */
#include "kernel/apt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/apt_sources.h"
#include "kernel/kernel.h"
#include "kernel/place.h"
#include "kernel/run.h"
#include "kernel/source.h"

enum { LIST_BYTES_MAX = 1 << 20, ARGS_MAX = 16 };

#define PREFIX "linux-source-"

/* The program, with the configuration of an offer and in one language. */
static int run_apt(struct steps *steps, const char *config, const char *dir,
		   const char *const words[], char **kept, struct why *why)
{
	const char *argv[ARGS_MAX] = { "env", "LC_ALL=C" };
	char setting[PATH_MAX + 16];
	size_t count = 2;

	snprintf(setting, sizeof(setting), "APT_CONFIG=%s", config);
	if (*config)
		argv[count++] = setting;
	for (size_t i = 0; words[i]; i++)
		argv[count++] = words[i];
	argv[count] = NULL;
	return steps_run(steps, dir, argv, kept, why);
}

/* ---- what is offered -----------------------------------------------------------------
 */

/* "linux-source-7.3 - Linux kernel source": the newest of such lines. */
static void pick_newest(const char *text, struct apt_offer *out)
{
	for (; text; text = strchr(text, '\n')) {
		char name[sizeof(out->package)];

		text += *text == '\n';
		if (sscanf(text, PREFIX "%40[0-9.] ", name) != 1 ||
		    !kernel_at_least(name, SOURCE_MAJOR_MIN, SOURCE_MINOR_MIN))
			continue;
		if (*out->package &&
		    kernel_compare_releases(name, out->package + strlen(PREFIX)) <= 0)
			continue;
		snprintf(out->package, sizeof(out->package), PREFIX "%.40s", name);
	}
}

static void read_field(const char *text, const char *name, char *out, size_t room)
{
	size_t length = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, length))
			continue;
		snprintf(out, room, "%.*s", (int)strcspn(text + length, "\n"),
			 text + length);
		return;
	}
}

static int find_offer(struct apt_offer *out, const char *config, struct steps *steps,
		      struct why *why)
{
	const char *search[] = { "apt-cache", "search", "--names-only",
				 "^linux-source-[0-9.]+$", NULL };
	const char *show[] = { "apt-cache", "show", "--no-all-versions", NULL, NULL };
	cleanup_free char *names = NULL, *fields = NULL;
	struct apt_offer offer = { 0 };
	char bytes[32] = "0";
	int err;

	snprintf(offer.config, sizeof(offer.config), "%s", config);
	err = run_apt(steps, config, NULL, search, &names, why);
	if (err)
		return err;
	if (names)
		pick_newest(names, &offer);
	if (!*offer.package)
		return why_set(why, -ENOENT,
			       "apt offers no linux-source of %d.%d or newer",
			       SOURCE_MAJOR_MIN, SOURCE_MINOR_MIN);
	show[3] = offer.package;
	err = run_apt(steps, config, NULL, show, &fields, why);
	if (err)
		return err;
	read_field(fields, "Version: ", offer.version, sizeof(offer.version));
	read_field(fields, "Size: ", bytes, sizeof(bytes));
	offer.bytes = strtoull(bytes, NULL, 10);
	*out = offer;
	return 0;
}

int apt_offered(struct apt_offer *out, struct steps *steps, struct why *why)
{
	if (!run_find("apt-get") || !run_find("apt-cache"))
		return why_set(why, -ENOENT, "there is no apt here");
	return find_offer(out, "", steps, why);
}

/* ---- a private folder
 * ------------------------------------------------------------------
 */

static void read_list(const char *path, struct apt_archive *best)
{
	size_t length = strlen(path), size;
	cleanup_free char *text = NULL;
	bool deb822 = length > 8 && !strcmp(path + length - 8, ".sources");
	bool list = length > 5 && !strcmp(path + length - 5, ".list");

	if ((deb822 || list) &&
	    !fdio_read_file(AT_FDCWD, path, LIST_BYTES_MAX, &text, &size, NULL))
		apt_sources_read(text, deb822, best);
}

static int find_archive(struct apt_archive *out, struct why *why)
{
	static const char parts[] = "/etc/apt/sources.list.d";
	struct dirent **entries = NULL;
	int count = scandir(parts, &entries, NULL, alphasort);

	*out = (struct apt_archive){ 0 };
	read_list("/etc/apt/sources.list", out);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (!place_join(path, parts, entries[i]->d_name, NULL))
			read_list(path, out);
		free(entries[i]);
	}
	free(entries);
	if (out->sure)
		return 0;
	return why_set(why, -ENOENT,
		       "/etc/apt/sources.list and %s name no mirror of Debian", parts);
}

/* "bookworm"; "" if this is no Debian. */
static void find_codename(char *out, size_t room)
{
	cleanup_free char *text = NULL;
	size_t size;

	*out = 0;
	if (!fdio_read_file(AT_FDCWD, "/etc/os-release", LIST_BYTES_MAX, &text, &size,
			    NULL))
		read_field(text, "VERSION_CODENAME=", out, room);
}

/* How the system's apt fetches, and nothing else that it is set to do. */
static int write_config(const char *dir, const char *path, struct steps *steps,
			struct why *why)
{
	const char *dump[] = { "apt-config", "dump", NULL };
	cleanup_free char *all = NULL, *text = NULL;
	char *rest, *line;
	size_t size;
	FILE *out;
	int err = run_apt(steps, "", NULL, dump, &all, why);

	if (err)
		return err;
	out = open_memstream(&text, &size);
	if (!out)
		return why_set(why, -ENOMEM, "apt: out of memory");
	rest = all;
	while (rest && (line = strsep(&rest, "\n")))
		if (!strncmp(line, "Acquire::", 9))
			fprintf(out, "%s\n", line);
	fprintf(out,
		"Acquire::Languages \"none\";\n"
		"Acquire::AllowInsecureRepositories \"false\";\n"
		"Acquire::AllowWeakRepositories \"false\";\n"
		"Acquire::AllowDowngradeToInsecureRepositories \"false\";\n"
		"APT::Get::AllowUnauthenticated \"false\";\n"
		"APT::Update::Error-Mode \"any\";\n"
		"APT::Sandbox::User \"root\";\n"
		"Dir::State \"%s/state\";\n"
		"Dir::State::lists \"%s/lists\";\n"
		"Dir::State::status \"%s/status\";\n"
		"Dir::Cache \"%s/cache\";\n"
		"Dir::Etc::sourcelist \"%s/sources.list\";\n"
		"Dir::Etc::sourceparts \"/dev/null\";\n"
		"Dir::Etc::parts \"/dev/null\";\n"
		"Dir::Etc::main \"/dev/null\";\n"
		"Dir::Etc::preferences \"/dev/null\";\n"
		"Dir::Etc::preferencesparts \"/dev/null\";\n",
		dir, dir, dir, dir, dir);
	if (fclose(out))
		return why_set(why, -ENOMEM, "apt: out of memory");
	return fdio_write_file(AT_FDCWD, path, text, size, 0644, why);
}

static int make_private(const char *dir, struct why *why)
{
	static const char *const folders[] = { "lists/partial", "cache/archives/partial",
					       "state" };
	char path[PATH_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(folders); i++) {
		err = place_join(path, dir, folders[i], why);
		if (!err)
			err = fdio_make_dirs(path, 0755, why);
	}
	if (!err)
		err = place_join(path, dir, "status", why);
	return err ? err : fdio_write_file(AT_FDCWD, path, "", 0, 0644, why);
}

/* The first line of apt's that says what is wrong, for *why.  -ENOENT: the mirror
 * answers, but has not got that. */
static int explain(const char *said, const char *uri, struct why *why)
{
	char line[400] = "apt did not say why";

	for (const char *at = said; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, "E: ", 3) || !strncmp(at, "W: ", 3)) {
			snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
			break;
		}
	}
	return why_set(why, said && strstr(said, "404") ? -ENOENT : -ENONET, "%s: %s",
		       uri, line);
}

static int try_suite(struct apt_offer *out, const char *dir, const char *config,
		     const struct apt_archive *archive, const char *suite,
		     struct steps *steps, struct why *why)
{
	const char *update[] = { "apt-get", "update", NULL };
	char path[PATH_MAX], line[1400], key[600] = "";
	cleanup_free char *said = NULL;
	int err = place_join(path, dir, "sources.list", why);

	if (*archive->signed_by)
		snprintf(key, sizeof(key), "[signed-by=%s] ", archive->signed_by);
	snprintf(line, sizeof(line), "deb %s%s %s main\n", key, archive->uri, suite);
	if (!err)
		err = fdio_write_file(AT_FDCWD, path, line, strlen(line), 0644, why);
	if (err)
		return err;
	steps_begin(steps, STEP_FIND, "reading what Debian has in %s", suite);
	err = run_apt(steps, config, NULL, update, &said, why);
	if (err == -ECHILD)
		return explain(said, archive->uri, why);
	return err ? err : find_offer(out, config, steps, why);
}

int apt_offered_elsewhere(struct apt_offer *out, struct steps *steps, struct why *why)
{
	char dir[PATH_MAX], config[PATH_MAX], codename[32], suite[64];
	const char *const *release;
	struct apt_archive archive;
	int err = place_cache(dir, "apt", why);

	if (!run_find("apt-get") || !run_find("apt-config"))
		return why_set(why, -ENOENT, "there is no apt here");
	if (!err)
		err = place_join(config, dir, "apt.conf", why);
	if (!err)
		err = find_archive(&archive, why);
	if (!err)
		err = make_private(dir, why);
	if (!err)
		err = write_config(dir, config, steps, why);
	if (err)
		return err;
	find_codename(codename, sizeof(codename));
	for (release = apt_releases_from(codename); *release; release++) {
		const char *const ends[] = { "-backports", "" };

		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			/* The system's own release was looked at with the system's apt.
			 */
			if (!*ends[i] && !strcmp(*release, codename))
				continue;
			snprintf(suite, sizeof(suite), "%s%s", *release, ends[i]);
			err = try_suite(out, dir, config, &archive, suite, steps, why);
			if (err != -ENOENT)
				return err;
		}
	}
	return why_set(why, -ENOENT,
		       "no release of Debian at %s has a linux-source of %d.%d or newer",
		       archive.uri, SOURCE_MAJOR_MIN, SOURCE_MINOR_MIN);
}

int apt_fetch(const struct apt_offer *offer, const char *dir, struct steps *steps,
	      struct why *why)
{
	const char *get[] = { "apt-get",  "-q",
			      "-o",	  "APT::Status-Fd=1",
			      "-o",	  "APT::Sandbox::User=root",
			      "download", offer->package,
			      NULL };
	cleanup_free char *said = NULL;
	int err;

	steps_begin(steps, STEP_FETCH, "fetching %s %s (%llu MB)", offer->package,
		    offer->version, (unsigned long long)(offer->bytes >> 20));
	steps_expect(steps, MEASURE_DOWNLOAD, offer->bytes ? offer->bytes : 1);
	err = run_apt(steps, offer->config, dir, get, &said, why);
	return err == -ECHILD ? explain(said, offer->package, why) : err;
}
