/* SPDX-License-Identifier: MIT */
#include "run/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "run/digest.h"
#include "topology/read_json.h"

/* ---- files and their hashes ---------------------------------------------------------
 */

/* Somebody may be writing it: then it is what it is a moment later. */
enum { TRIES = 3 };

/* False: it cannot be read, or is no regular file. */
static bool hash_file(const char *path, char text[DIGEST_TEXT_BYTES], uint64_t *bytes)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	uint64_t hash;
	int err = -ESTALE;

	for (int i = 0; i < TRIES && err == -ESTALE; i++) {
		if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		    lseek(fd, 0, SEEK_SET) < 0)
			return false;
		err = digest_hash_file(fd, (uint64_t)st.st_size, &hash);
	}
	if (err)
		return false;
	*bytes = (uint64_t)st.st_size;
	digest_text(text, hash);
	return true;
}

/* What cannot be read here cannot be read by machines either. */
static void list_file(json_t *files, const char *path)
{
	char hash[DIGEST_TEXT_BYTES];
	uint64_t bytes;

	if (hash_file(path, hash, &bytes))
		json_array_append_new(files,
				      json_pack("{s:s, s:I, s:s}", "path", path, "bytes",
						(json_int_t)bytes, "hash", hash));
}

/* What programs do hangs on more files of the host than can be looked at; but where
 * packages are installed, or users made, these change. */
static const struct {
	const char *path, *meaning;
} of_host[] = {
	{ "/var/lib/dpkg/status", "the host's packages" },
	{ "/var/lib/rpm/rpmdb.sqlite", "the host's packages" },
	{ "/usr/lib/sysimage/rpm/rpmdb.sqlite", "the host's packages" },
	{ "/lib/apk/db/installed", "the host's packages" },
	{ "/etc/ld.so.cache", "the host's libraries" },
	{ "/etc/passwd", "the host's users" },
	{ "/etc/group", "the host's groups" },
};

static void list_host(json_t *files, const struct plan *plan)
{
	bool shown = false;

	for (size_t n = 0; n < plan->node_count; n++)
		shown |= plan->nodes[n].image_kind == IMAGE_HOST;
	for (size_t i = 0; shown && i < ARRAY_SIZE(of_host); i++)
		list_file(files, of_host[i].path);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Run directories lie in or beside the folder; they are many, and come later. */
static bool is_runs(const FTSENT *at, const char *runs)
{
	char plan[PATH_MAX];

	if (!strcmp(at->fts_path, runs) || !strcmp(at->fts_name, "netlab-runs"))
		return true;
	return snprintf(plan, sizeof(plan), "%s/journal.jsonl", at->fts_path) <
		       (int)sizeof(plan) &&
	       access(plan, F_OK) == 0;
}

/* True: all of them. */
static bool list_folder(json_t *files, const char *folder, const char *runs)
{
	char *const roots[] = { (char *)folder, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	uint64_t bytes = 0, count = 0;
	bool all = walk != NULL;
	FTSENT *at;

	while (all && (at = fts_read(walk))) {
		if (at->fts_info == FTS_D && at->fts_level && is_runs(at, runs))
			fts_set(walk, at, FTS_SKIP);
		if (at->fts_info != FTS_F)
			continue;
		bytes += (uint64_t)at->fts_statp->st_size;
		all = ++count <= ORIGIN_FILES_MAX && bytes <= ORIGIN_BYTES_MAX;
		if (all)
			list_file(files, at->fts_path);
	}
	if (walk)
		fts_close(walk);
	return all;
}

/* ---- writing ------------------------------------------------------------------------
 */

static json_t *texts(const char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(list[i]));
	return array;
}

static int keep_topology(const struct rundir *run, const char *path, struct why *why)
{
	cleanup_free char *text = NULL;
	size_t size;
	int err = fdio_read_file(AT_FDCWD, path, READ_JSON_BYTES_MAX, &text, &size, why);

	return err ? err : rundir_write(run, "topology.json", text, size, why);
}

int origin_write(const struct rundir *run, const struct origin_config *config,
		 struct why *why)
{
	cleanup_free char *runs = strdup(run->path), *text = NULL;
	json_t *files = json_array(), *origin;
	bool all;

	if (runs && strrchr(runs, '/'))
		*strrchr(runs, '/') = 0;
	for (size_t i = 0; i < config->part_count; i++)
		list_file(files, config->parts[i]);
	list_host(files, config->plan);
	all = list_folder(files, config->plan->dir, runs ? runs : "");
	origin = json_pack(
		"{s:s, s:s, s:I, s:I, s:s*, s:s*, s:I, s:I, s:o, s:b, s:o}", "name",
		config->name, "topology", config->plan->file, "seed",
		(json_int_t)config->seed, "epoch_s", (json_int_t)config->epoch_s, "kernel",
		config->kernel, "cost", config->cost, "boot_timeout_s",
		(json_int_t)config->boot_timeout_s, "guard_s", (json_int_t)config->guard_s,
		"sets", texts(config->sets, config->set_count), "all", all, "files", files);
	text = origin ? json_dumps(origin, JSON_INDENT(1)) : NULL;
	json_decref(origin);
	if (!text)
		return why_set(why, -ENOMEM, "origin.json: out of memory");
	if (keep_topology(run, config->topology, why))
		return why_wrap(why, -EIO, "the run directory");
	return rundir_write(run, "origin.json", text, strlen(text), why);
}

/* ---- reading ------------------------------------------------------------------------
 */

static const char *text_at(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static uint64_t number_at(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

int origin_read(struct origin *out, const char *run_dir, struct why *why)
{
	struct origin origin = { 0 };
	const json_t *sets, *set;
	json_error_t error;
	char path[PATH_MAX];
	size_t i;

	if (snprintf(path, sizeof(path), "%s/origin.json", run_dir) >= (int)sizeof(path))
		return why_set(why, -ENAMETOOLONG, "%.64s...: the path is too long",
			       run_dir);
	origin.json = json_load_file(path, 0, &error);
	if (!origin.json)
		return why_set(why, -EINVAL,
			       "%s: %s: runs in virtual time have one, and only they can "
			       "be run again",
			       path, error.text);
	origin.name = text_at(origin.json, "name");
	origin.topology = text_at(origin.json, "topology");
	origin.kernel = text_at(origin.json, "kernel");
	origin.cost = text_at(origin.json, "cost");
	origin.seed = number_at(origin.json, "seed");
	/* Runs from before it could be chosen have none: 0. */
	origin.epoch_s = number_at(origin.json, "epoch_s");
	origin.boot_timeout_s = (uint32_t)number_at(origin.json, "boot_timeout_s");
	origin.guard_s = (uint32_t)number_at(origin.json, "guard_s");
	origin.all = json_is_true(json_object_get(origin.json, "all"));
	sets = json_object_get(origin.json, "sets");
	origin.sets = calloc(json_array_size(sets) + 1, sizeof(*origin.sets));
	if (!origin.name || !origin.topology || !origin.sets) {
		origin_free(&origin);
		return why_set(why, -EINVAL, "%s: it has no name or no topology", path);
	}
	json_array_foreach((json_t *)sets, i, set) if (json_is_string(set))
		origin.sets[origin.set_count++] = json_string_value(set);
	*out = origin;
	return 0;
}

void origin_free(struct origin *origin)
{
	json_decref(origin->json);
	free(origin->sets);
	*origin = (struct origin){ 0 };
}

static void tell_changed(const char *path, const char *what,
			 void (*changed)(void *ctx, const char *path, const char *what),
			 void *ctx)
{
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(of_host); i++) {
		if (strcmp(path, of_host[i].path) != 0)
			continue;
		snprintf(text, sizeof(text), "(%s) %s", of_host[i].meaning, what);
		what = text;
		break;
	}
	changed(ctx, path, what);
}

size_t origin_check(const struct origin *origin,
		    void (*changed)(void *ctx, const char *path, const char *what),
		    void *ctx)
{
	const json_t *files = json_object_get(origin->json, "files"), *file;
	char hash[DIGEST_TEXT_BYTES];
	size_t i, count = 0;
	uint64_t bytes;

	json_array_foreach((json_t *)files, i, file)
	{
		const char *path = text_at(file, "path"), *was = text_at(file, "hash");
		bool there;

		if (!path || !was || !strcmp(path, origin->topology))
			continue;
		there = hash_file(path, hash, &bytes);
		if (there && bytes == number_at(file, "bytes") && !strcmp(hash, was))
			continue;
		tell_changed(path, there ? "was changed" : "is gone", changed, ctx);
		count++;
	}
	return count;
}
