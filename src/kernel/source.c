/* SPDX-License-Identifier: MIT */
#include "kernel/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/kernel.h"
#include "kernel/place.h"

enum { TEXT_BYTES_MAX = 4 << 20 };

#define PREFIX "linux-source-"

/* What is told when no way leads to a source. */
static const char by_hand[] =
	"get one by hand (a linux-*.tar.xz of kernel.org, or Debian's linux-source "
	"package) and give it with --source; until then labs run with the packaged "
	"kernel";

/* ---- versions ------------------------------------------------------------------------
 */

static unsigned long makefile_number(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, name, length) && !strncmp(text + length, " = ", 3))
			return strtoul(text + length + 3, NULL, 10);
	}
	return 0;
}

int source_version(const char *dir, char *version, size_t room, struct why *why)
{
	char path[PATH_MAX];
	cleanup_free char *text = NULL;
	unsigned long major, minor;
	size_t size;
	int err = place_join(path, dir, "Makefile", why);

	if (!err)
		err = fdio_read_file(AT_FDCWD, path, TEXT_BYTES_MAX, &text, &size, why);
	if (err)
		return err;
	major = makefile_number(text, "VERSION");
	minor = makefile_number(text, "PATCHLEVEL");
	if (!major)
		return why_set(why, -EINVAL,
			       "%s is no kernel's: is it the top folder of "
			       "a kernel source?",
			       path);
	snprintf(version, room, "%lu.%lu.%lu", major, minor,
		 makefile_number(text, "SUBLEVEL"));
	if (kernel_at_least(version, SOURCE_MAJOR_MIN, SOURCE_MINOR_MIN))
		return 0;
	return why_set(why, -ERANGE,
		       "this kernel source is %s; netlab's kernel needs %d.%d or newer",
		       version, SOURCE_MAJOR_MIN, SOURCE_MINOR_MIN);
}

/* "linux-source-7.3.tar.xz", "linux-source-7.3_VERSION.tar.xz" -> "7.3" */
static bool release_of_file(const char *name, char release[64])
{
	size_t length;

	if (strncmp(name, PREFIX, strlen(PREFIX)) || !strstr(name, ".tar"))
		return false;
	name += strlen(PREFIX);
	length = strspn(name, "0123456789.");
	while (length && name[length - 1] == '.')
		length--;
	snprintf(release, 64, "%.*s", (int)(length < 63 ? length : 63), name);
	return kernel_at_least(release, SOURCE_MAJOR_MIN, SOURCE_MINOR_MIN);
}

/* The newest tarball of a linux-source package in that folder: its name, or "". */
static void newest_in(const char *dir, char out[NAME_MAX + 1])
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	char best[64] = "", release[64];

	*out = 0;
	while (folder && (entry = readdir(folder))) {
		if (!release_of_file(entry->d_name, release) ||
		    (*out && kernel_compare_releases(release, best) <= 0))
			continue;
		snprintf(best, sizeof(best), "%s", release);
		snprintf(out, NAME_MAX + 1, "%s", entry->d_name);
	}
	if (folder)
		closedir(folder);
}

/* ---- finding
 * -----------------------------------------------------------------------------
 */

/* Two tarballs of one name, size and time are one. */
static int take_tarball(struct source *out, const char *path, struct why *why)
{
	struct stat st;

	if (!realpath(path, out->path) || stat(out->path, &st))
		return why_errno(why, -errno, "kernel source %s", path);
	snprintf(out->what, sizeof(out->what), "%.128s (%lld bytes, of second %lld)",
		 strrchr(out->path, '/') + 1, (long long)st.st_size,
		 (long long)st.st_mtime);
	return 0;
}

static int take_given(struct source *out, const char *given, struct why *why)
{
	char version[64];
	struct stat st;
	int err;

	if (stat(given, &st))
		return why_errno(why, -errno, "--source %s", given);
	if (!S_ISDIR(st.st_mode))
		return take_tarball(out, given, why);
	if (!realpath(given, out->path))
		return why_errno(why, -errno, "--source %s", given);
	out->folder = true;
	err = source_version(out->path, version, sizeof(version), why);
	if (err)
		return why_wrap(why, err, "--source %s", given);
	snprintf(out->what, sizeof(out->what), "%s in %.180s", version, out->path);
	return 0;
}

static int take_from(struct source *out, const char *dir, struct why *why)
{
	char name[NAME_MAX + 1], path[PATH_MAX];
	int err;

	newest_in(dir, name);
	if (!*name)
		return -ENOENT;
	err = place_join(path, dir, name, why);
	return err ? err : take_tarball(out, path, why);
}

/* A fetched one has the words of its offer, as before it was fetched. */
static int take_fetched(struct source *out, const char *dir, struct why *why)
{
	int err = take_from(out, dir, why);
	char *at;

	if (err)
		return err;
	snprintf(out->what, sizeof(out->what), "%.200s", strrchr(out->path, '/') + 1);
	at = strstr(out->what, ".tar");
	if (at)
		*at = 0;
	at = strchr(out->what, '_');
	if (at)
		*at = ' ';
	return 0;
}

int source_find(struct source *out, const char *given, bool fresh, struct steps *steps,
		struct why *why)
{
	struct source source = { 0 };
	char cache[PATH_MAX];
	int err;

	steps_begin(steps, STEP_FIND, "looking for a kernel source");
	if (given) {
		err = take_given(&source, given, why);
	} else {
		err = place_cache(cache, "source", why);
		if (err)
			return err;
		err = take_from(&source, "/usr/src", why);
		if (err == -ENOENT && !fresh)
			err = take_fetched(&source, cache, why);
		if (err == -ENOENT)
			err = apt_offered(&source.offer, steps, why);
		/* A system whose apt does not work may have a mirror that does. */
		if (err == -ENOENT || err == -ECHILD)
			err = apt_offered_elsewhere(&source.offer, steps, why);
		if (err == -ENOENT || err == -ENONET || err == -ECHILD) {
			struct why last = { "" };

			if (why)
				last = *why;
			return why_set(why, err, "no kernel source was found: %.500s; %s",
				       last.text, by_hand);
		}
	}
	if (err)
		return err;
	if (!*source.path)
		snprintf(source.what, sizeof(source.what), "%s %s", source.offer.package,
			 source.offer.version);
	*out = source;
	return 0;
}

/* ---- fetching
 * ----------------------------------------------------------------------------
 */

/* The one entry of a folder whose name ends so. */
static int find_end(const char *dir, const char *end, char out[PATH_MAX], struct why *why)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	int err = -ENOENT;

	while (folder && err && (entry = readdir(folder))) {
		const char *found = strstr(entry->d_name, end);

		if (found && entry->d_name[0] != '.')
			err = place_join(out, dir, entry->d_name, why);
	}
	if (folder)
		closedir(folder);
	return err ? why_set(why, err, "there is no %s in %s", end, dir) : 0;
}

static int remove_folder(const char *parent, const char *name, struct why *why)
{
	cleanup_close int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? why_errno(why, -errno, "%s", parent)
		      : fdio_remove_tree(fd, name, why);
}

/* Out of the package; the tarball's time is the package's, so it stays the same. */
static int open_package(const struct apt_offer *offer, const char *work,
			char tarball[PATH_MAX], struct steps *steps, struct why *why)
{
	char deb[PATH_MAX], inside[PATH_MAX];
	const char *unpack[] = { "dpkg-deb", "-x", deb, work, NULL };
	int err = find_end(work, ".deb", deb, why);

	if (err)
		return err;
	steps_begin(steps, STEP_FETCH, "opening %s", offer->package);
	err = steps_run(steps, NULL, unpack, NULL, why);
	if (!err)
		err = place_join(inside, work, "usr/src", why);
	return err ? err : find_end(inside, ".tar", tarball, why);
}

int source_fetch(struct source *source, struct steps *steps, struct why *why)
{
	char dir[PATH_MAX], work[PATH_MAX], tarball[PATH_MAX], name[NAME_MAX + 1];
	int err;

	if (*source->path)
		return 0;
	err = place_cache(dir, "source.new", why);
	if (!err)
		err = place_join(work, dir, "work", why);
	if (!err)
		err = fdio_make_dirs(dir, 0755, why);
	if (!err)
		err = remove_folder(dir, "work", why);
	if (!err)
		err = fdio_make_dirs(work, 0755, why);
	if (!err)
		err = apt_fetch(&source->offer, work, steps, why);
	if (!err)
		err = open_package(&source->offer, work, tarball, steps, why);
	if (err)
		return err;
	/* The name keeps the package's version, as what it was. */
	snprintf(name, sizeof(name), "%s_%s%s", source->offer.package,
		 source->offer.version, strstr(strrchr(tarball, '/'), ".tar"));
	err = place_join(source->path, dir, name, why);
	if (!err && rename(tarball, source->path))
		err = why_errno(why, -errno, "%s", source->path);
	if (!err)
		err = remove_folder(dir, "work", why);
	/* In the place of the one before. */
	if (!err) {
		char old[PATH_MAX], cache[PATH_MAX];

		err = place_cache(cache, "", why);
		if (!err)
			err = remove_folder(cache, "source", why);
		if (!err)
			err = place_join(old, cache, "source", why);
		if (!err && rename(dir, old))
			err = why_errno(why, -errno, "%s", old);
		if (!err)
			err = place_join(source->path, old, name, why);
	}
	return err;
}

/* ---- unpacking
 * -----------------------------------------------------------------------------
 */

/* Every Kconfig and Makefile has to stay: they name one another. */
static const char *const left_out[] = {
	"*/Documentation/*.rst",
	"*/Documentation/*.txt",
	"*/Documentation/*.yaml",
	"*/Documentation/*.svg",
	"*/tools/testing",
	"*/tools/perf",
	"*/arch/*/boot/dts",
	"*/arch/*/configs/*",
	"*/drivers/gpu/*.[ch]",
	"*/drivers/media/*.[ch]",
	"*/drivers/infiniband/*.[ch]",
	"*/drivers/net/ethernet/*.[ch]",
	"*/drivers/net/wireless/*.[ch]",
	"*/drivers/staging/*.[ch]",
	"*/drivers/accel/*.[ch]",
	"*/drivers/iio/*.[ch]",
	"*/drivers/pinctrl/*.[ch]",
	"*/drivers/clk/*.[ch]",
	"*/sound/*.[ch]",
};
static const char *const other_processors[] = {
	"alpha", "arc",	       "arm",  "arm64", "csky",	    "hexagon", "loongarch",
	"m68k",	 "microblaze", "mips", "nios2", "openrisc", "parisc",  "powerpc",
	"riscv", "s390",       "sh",   "sparc", "xtensa",
};

enum {
	ARGS_MAX = 32 + ARRAY_SIZE(left_out) + ARRAY_SIZE(other_processors),
	CHECKPOINTS = 85, /* one each 20 MB of a tarball of today */
};

int source_unpack(const struct source *source, const char *dir, struct steps *steps,
		  struct why *why)
{
	/* A folder may hold somebody's own build; that stays there. */
	static const char copy[] =
		"{ tar -cf - -C \"$1\" --exclude-vcs --exclude='*.o' --exclude='*.cmd' "
		"--exclude='*.a' --exclude=./.config --exclude=./include/config "
		"--exclude='./include/generated' --exclude='./arch/*/include/generated' "
		"--exclude=./vmlinux --exclude=./linux --exclude=./modules.order . || "
		": >\"$2.failed\"; } | "
		"{ dir=$2; shift 2; tar \"$@\" -f -; } && test ! -e \"$dir.failed\"";
	char options[ARRAY_SIZE(left_out) + ARRAY_SIZE(other_processors)][64];
	const char *argv[ARGS_MAX];
	size_t count = 0, k = 0;

	if (source->folder) {
		argv[count++] = "sh";
		argv[count++] = "-c";
		argv[count++] = copy;
		argv[count++] = "copy";
		argv[count++] = source->path;
		argv[count++] = dir;
	} else {
		argv[count++] = "tar";
	}
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		snprintf(options[k++], sizeof(options[0]), "--exclude=%s", left_out[i]);
	for (size_t i = 0; i < ARRAY_SIZE(other_processors); i++)
		snprintf(options[k++], sizeof(options[0]), "--exclude=*/arch/%s/*.[chS]",
			 other_processors[i]);
	argv[count++] = "--wildcards";
	for (size_t i = 0; i < k; i++)
		argv[count++] = options[i];
	argv[count++] = "-x";
	argv[count++] = "-C";
	argv[count++] = dir;
	argv[count++] = "--strip-components=1";
	argv[count++] = "--no-same-owner";
	argv[count++] = "--checkpoint=2000";
	argv[count++] = "--checkpoint-action=echo=%u";
	if (!source->folder) {
		argv[count++] = "-f";
		argv[count++] = source->path;
	}
	argv[count] = NULL;
	steps_begin(steps, STEP_UNPACK, "unpacking %.100s",
		    strrchr(source->path, '/') + 1);
	steps_expect(steps, MEASURE_LINES, CHECKPOINTS);
	return steps_run(steps, NULL, argv, NULL, why);
}
