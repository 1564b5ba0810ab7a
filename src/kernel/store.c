/* SPDX-License-Identifier: MIT */
#include "kernel/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/kernel.h"
#include "kernel/place.h"

#define MANIFEST "kernel.json"

enum { MANIFEST_BYTES_MAX = 64 << 10, KEY_SHOWN = 8 };

/* ---- one kernel ----------------------------------------------------------------------
 */

static int get(const json_t *json, const char *key, char *out, size_t room)
{
	const char *text = json_string_value(json_object_get(json, key));

	if (!text || strlen(text) >= room)
		return -EINVAL;
	snprintf(out, room, "%s", text);
	return 0;
}

static int read_manifest(struct stored *kernel, struct why *why)
{
	char path[PATH_MAX];
	cleanup_free char *text = NULL;
	json_error_t error;
	struct stat st;
	size_t size;
	json_t *json;
	int err = place_join(path, kernel->dir, MANIFEST, why);

	if (!err)
		err = fdio_read_file(AT_FDCWD, path, MANIFEST_BYTES_MAX, &text, &size,
				     why);
	if (err)
		return err;
	json = json_loadb(text, size, 0, &error);
	if (stat(path, &st) ||
	    get(json, "release", kernel->release, sizeof(kernel->release)) ||
	    get(json, "key", kernel->key, sizeof(kernel->key)) ||
	    get(json, "recipe", kernel->recipe, sizeof(kernel->recipe)) ||
	    get(json, "source", kernel->source, sizeof(kernel->source)) ||
	    get(json, "compiler", kernel->compiler, sizeof(kernel->compiler)))
		err = why_set(why, -EINVAL,
			      "%s is not what netlab writes; remove that folder", path);
	kernel->patches = (uint64_t)json_integer_value(json_object_get(json, "patches"));
	kernel->built_s = err ? 0 : st.st_mtime;
	json_decref(json);
	return err;
}

static int write_manifest(const struct stored *kernel, const char *dir, struct why *why)
{
	char path[PATH_MAX];
	cleanup_free char *text = NULL;
	int err = place_join(path, dir, MANIFEST, why);
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I}", "release", kernel->release, "key",
		kernel->key, "recipe", kernel->recipe, "source", kernel->source,
		"compiler", kernel->compiler, "patches", (json_int_t)kernel->patches);

	if (!err)
		text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	if (!err && !text)
		err = why_set(why, -ENOMEM, "%s: out of memory", path);
	return err ? err : fdio_write_file(AT_FDCWD, path, text, strlen(text), 0644, why);
}

static bool is_plain(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') &&
	       strlen(name) < STORE_NAME_BYTES_MAX;
}

int store_kernel_path(char out[PATH_MAX], const struct stored *kernel, struct why *why)
{
	return place_join(out, kernel->dir, "linux", why);
}

int store_find(struct stored *out, const char *name, struct why *why)
{
	struct stored kernel = { 0 };
	char all[PATH_MAX], path[PATH_MAX];
	int err = place_cache(all, "kernels", why);

	if (err)
		return err;
	if (!is_plain(name) || place_join(kernel.dir, all, name, NULL) ||
	    store_kernel_path(path, &kernel, NULL) || access(path, X_OK))
		return why_set(why, -ENOENT,
			       "there is no kernel '%s' in %s; see: netlab kernel ls",
			       name, all);
	snprintf(kernel.name, sizeof(kernel.name), "%s", name);
	err = read_manifest(&kernel, why);
	if (!err)
		*out = kernel;
	return err;
}

/* ---- all of them
 * -----------------------------------------------------------------------
 */

static int best_first(const void *a, const void *b)
{
	const struct stored *m = a, *n = b;
	int order = kernel_compare_releases(n->release, m->release);

	if (order)
		return order;
	if (m->built_s != n->built_s)
		return m->built_s < n->built_s ? 1 : -1;
	return strcmp(m->name, n->name);
}

int store_list(struct stored **out, size_t *count, struct why *why)
{
	cleanup_free struct stored *list = NULL;
	struct dirent *entry;
	char all[PATH_MAX];
	size_t have = 0;
	DIR *dir;
	int err = place_cache(all, "kernels", why);

	*out = NULL;
	*count = 0;
	if (err)
		return err;
	dir = opendir(all);
	if (!dir)
		return errno == ENOENT ? 0 : why_errno(why, -errno, "%s", all);
	while (!err && (entry = readdir(dir))) {
		struct stored *more, one;

		if (store_find(&one, entry->d_name, NULL))
			continue;
		more = realloc(list, (have + 1) * sizeof(*list));
		if (!more) {
			err = why_set(why, -ENOMEM, "%s: out of memory", all);
		} else {
			list = more;
			list[have++] = one;
		}
	}
	closedir(dir);
	if (err)
		return err;
	if (have)
		qsort(list, have, sizeof(*list), best_first);
	*out = steal_ptr(&list);
	*count = have;
	return 0;
}

/* ---- changes
 * ---------------------------------------------------------------------------
 */

/* Away at once, however long the removal takes. */
static int remove_at(const char *all, const char *name, struct why *why)
{
	cleanup_close int fd = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char hidden[STORE_NAME_BYTES_MAX + 8];
	int err;

	if (fd < 0)
		return why_errno(why, -errno, "%s", all);
	snprintf(hidden, sizeof(hidden), ".old-%s", name);
	err = fdio_remove_tree(fd, hidden, why);
	if (err)
		return err;
	if (renameat(fd, name, fd, hidden))
		return errno == ENOENT ? 0 : why_errno(why, -errno, "%s/%s", all, name);
	return fdio_remove_tree(fd, hidden, why);
}

int store_add(struct stored *kernel, const char *dir, struct why *why)
{
	char all[PATH_MAX];
	size_t version = strspn(kernel->release, "0123456789.");
	int err = place_cache(all, "kernels", why);

	snprintf(kernel->name, sizeof(kernel->name), "%.*s-%.*s", (int)version,
		 kernel->release, KEY_SHOWN, kernel->key);
	if (!err)
		err = place_join(kernel->dir, all, kernel->name, why);
	if (!err)
		err = fdio_make_dirs(all, 0755, why);
	if (!err)
		err = write_manifest(kernel, dir, why);
	if (!err)
		err = remove_at(all, kernel->name, why);
	if (!err && rename(dir, kernel->dir))
		err = why_errno(why, -errno, "%s", kernel->dir);
	return err;
}

int store_remove(const char *name, struct why *why)
{
	char all[PATH_MAX];
	struct stored kernel;
	int err = store_find(&kernel, name, why);

	if (!err)
		err = place_cache(all, "kernels", why);
	return err ? err : remove_at(all, name, why);
}
