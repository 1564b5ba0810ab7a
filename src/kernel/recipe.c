/* SPDX-License-Identifier: MIT */
#include "kernel/recipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "base/fdio.h"
#include "kernel/place.h"

enum { TEXT_BYTES_MAX = 4 << 20 };

/* From the folder of the program.  BUILD/guest is a link that CMake makes. */
static const char *const places[] = { "../share/netlab/guest", "../../guest",
				      "../guest" };

static bool is_recipe(const char *dir)
{
	char path[PATH_MAX];

	return !place_join(path, dir, "kernel.config", NULL) && !access(path, R_OK);
}

static int find_dir(char out[PATH_MAX], struct why *why)
{
	const char *given = getenv("NETLAB_GUEST");
	char folder[PATH_MAX], path[PATH_MAX];
	ssize_t size;

	if (given && *given) {
		if (is_recipe(given) && realpath(given, out))
			return 0;
		return why_set(why, -ENOENT,
			       "there is no kernel.config in NETLAB_GUEST=%s", given);
	}
	size = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	if (size < 0)
		return why_errno(why, -errno, "/proc/self/exe");
	folder[size] = 0;
	*strrchr(folder, '/') = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!place_join(path, folder, places[i], NULL) && is_recipe(path) &&
		    realpath(path, out))
			return 0;
	return why_set(why, -ENOENT,
		       "the kernel's configuration (guest/kernel.config) is neither in "
		       "%s/../share/netlab nor in a build tree: install netlab as a "
		       "whole, or set NETLAB_GUEST to its folder",
		       folder);
}

static int is_patch(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 6 &&
	       !strcmp(entry->d_name + length - 6, ".patch");
}

/* By bytes: the order shall not depend on the language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int list_patches(struct recipe *recipe, struct why *why)
{
	struct dirent **entries = NULL;
	char dir[PATH_MAX];
	int count, err = place_join(dir, recipe->dir, "patches", why);

	if (err)
		return err;
	count = scandir(dir, &entries, is_patch, by_name);
	if (count < 0 && errno == ENOENT)
		return 0; /* none are needed */
	if (count < 0)
		return why_errno(why, -errno, "%s", dir);
	recipe->patches = calloc((size_t)count + 1, sizeof(*recipe->patches));
	if (!recipe->patches)
		err = why_set(why, -ENOMEM, "%s: out of memory", dir);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (!err)
			err = place_join(path, dir, entries[i]->d_name, why);
		if (!err) {
			recipe->patches[i] = strdup(path);
			recipe->patch_count += recipe->patches[i] != NULL;
			if (!recipe->patches[i])
				err = why_set(why, -ENOMEM, "%s: out of memory", dir);
		}
		free(entries[i]);
	}
	free(entries);
	return err;
}

void recipe_hash(char out[RECIPE_HASH_BYTES], const char *text)
{
	snprintf(out, RECIPE_HASH_BYTES, "%016" PRIx64, draw_key(0, text));
}

/* A part's name and size keep its end apart from the next one's beginning. */
static int add_part(char **all, const char *name, const char *text, struct why *why)
{
	char *more;

	if (asprintf(&more, "%s%s %zu\n%s", *all ? *all : "", name, strlen(text), text) <
	    0)
		return why_set(why, -ENOMEM, "the kernel's recipe: out of memory");
	free(*all);
	*all = more;
	return 0;
}

static int hash_all(struct recipe *recipe, struct why *why)
{
	cleanup_free char *all = NULL;
	int err = add_part(&all, "kernel.config", recipe->fragment, why);

	for (size_t i = 0; !err && i < recipe->patch_count; i++) {
		cleanup_free char *text = NULL;
		size_t size;

		err = fdio_read_file(AT_FDCWD, recipe->patches[i], TEXT_BYTES_MAX, &text,
				     &size, why);
		if (!err)
			err = add_part(&all, strrchr(recipe->patches[i], '/') + 1, text,
				       why);
	}
	if (!err)
		recipe_hash(recipe->hash, all);
	return err;
}

int recipe_read(struct recipe *out, struct why *why)
{
	struct recipe recipe = { 0 };
	size_t size;
	int err = find_dir(recipe.dir, why);

	if (!err)
		err = place_join(recipe.config, recipe.dir, "kernel.config", why);
	if (!err)
		err = fdio_read_file(AT_FDCWD, recipe.config, TEXT_BYTES_MAX,
				     &recipe.fragment, &size, why);
	if (!err)
		err = list_patches(&recipe, why);
	if (!err)
		err = hash_all(&recipe, why);
	if (err)
		recipe_free(&recipe);
	else
		*out = recipe;
	return err;
}

void recipe_free(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->patch_count; i++)
		free(recipe->patches[i]);
	free(recipe->patches);
	free(recipe->fragment);
	*recipe = (struct recipe){ 0 };
}
