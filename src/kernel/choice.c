/* SPDX-License-Identifier: MIT */
#include "kernel/choice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/place.h"
#include "kernel/recipe.h"

#define PACKAGED "packaged"

static const char *const installed[] = { "/usr/local/bin/linux.uml",
					 "/usr/bin/linux.uml" };
static const char get_one[] = "install one with: apt-get install user-mode-linux; "
			      "or build netlab's own: netlab kernel build";

const char *choice_packaged(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++)
		if (!access(installed[i], X_OK))
			return installed[i];
	return NULL;
}

const char *choice_reason_text(enum choice_reason reason)
{
	static const char *const texts[] = {
		"it was named",
		"NETLAB_KERNEL names it",
		"`netlab kernel use` set it",
		"it is netlab's own, with this version's configuration and patches",
		("it is netlab's own, of another version; `netlab kernel build` makes one of "
		 "this version"),
		"no kernel of netlab's own was built",
	};

	_Static_assert(ARRAY_SIZE(texts) == CHOICE_REASONS, "a text for each reason");
	return texts[reason];
}

static int take_packaged(struct choice *out, struct why *why)
{
	const char *path = choice_packaged();

	if (!path)
		return why_set(why, -ENOENT,
			       "no User-Mode Linux kernel is installed (%s); %s, "
			       "or give one with --kernel",
			       installed[1], get_one);
	snprintf(out->path, sizeof(out->path), "%s", path);
	snprintf(out->name, sizeof(out->name), PACKAGED);
	return 0;
}

static int take_stored(struct choice *out, const struct stored *kernel, struct why *why)
{
	snprintf(out->name, sizeof(out->name), "%s", kernel->name);
	return store_kernel_path(out->path, kernel, why);
}

/* A path or a name. */
static int take_named(struct choice *out, const char *wanted, struct why *why)
{
	struct stored kernel;
	int err;

	if (!strcmp(wanted, PACKAGED))
		return take_packaged(out, why);
	if (strchr(wanted, '/')) {
		if (!realpath(wanted, out->path))
			return why_set(why, -errno,
				       "kernel %s: %s; which there are: netlab kernel "
				       "ls; %s",
				       wanted, strerror(errno), get_one);
		return 0;
	}
	err = store_find(&kernel, wanted, why);
	return err ? err : take_stored(out, &kernel, why);
}

static int take_best(struct choice *out, struct why *why)
{
	cleanup_free struct stored *list = NULL;
	struct recipe recipe = { 0 };
	const struct stored *best;
	size_t count = 0;

	/* Who has no home and no cache has no kernels of its own. */
	if (store_list(&list, &count, NULL))
		count = 0;
	if (!count) {
		out->reason = CHOICE_PACKAGED;
		return take_packaged(out, why);
	}
	best = &list[0];
	out->reason = CHOICE_OWN_OTHER;
	if (!recipe_read(&recipe, NULL)) {
		for (size_t i = 0; i < count && out->reason != CHOICE_OWN; i++)
			if (!strcmp(list[i].recipe, recipe.hash)) {
				best = &list[i];
				out->reason = CHOICE_OWN;
			}
		recipe_free(&recipe);
	}
	return take_stored(out, best, why);
}

int choice_make(struct choice *out, const char *wanted, struct why *why)
{
	const char *environment = getenv("NETLAB_KERNEL");
	struct choice choice = { .reason = CHOICE_GIVEN };
	char used[PATH_MAX];
	int err;

	if (wanted && *wanted) {
		err = take_named(&choice, wanted, why);
	} else if (environment && *environment) {
		choice.reason = CHOICE_ENVIRONMENT;
		err = take_named(&choice, environment, why);
		if (err)
			why_wrap(why, err, "NETLAB_KERNEL");
	} else if (!(err = choice_used(used, why)) && *used) {
		choice.reason = CHOICE_USE;
		err = take_named(&choice, used, why);
		if (err)
			why_wrap(why, err,
				 "the kernel that `netlab kernel use` has set is gone "
				 "(back to the best there is: netlab kernel use auto)");
	} else if (!err) {
		err = take_best(&choice, why);
	}
	if (!err)
		*out = choice;
	return err;
}

int choice_find(struct kernel *out, const char *wanted, struct why *why)
{
	struct choice choice;
	int err = choice_make(&choice, wanted, why);

	return err ? err : kernel_look(out, choice.path, why);
}

/* ---- what was set
 * ------------------------------------------------------------------------
 */

int choice_used(char out[PATH_MAX], struct why *why)
{
	char path[PATH_MAX];
	cleanup_free char *text = NULL;
	size_t size;
	int err;

	*out = 0;
	if (place_config(path, "kernel", NULL))
		return 0; /* no home, no settings */
	if (access(path, F_OK))
		return 0;
	err = fdio_read_file(AT_FDCWD, path, PATH_MAX - 1, &text, &size, why);
	if (err)
		return err;
	text[strcspn(text, "\n")] = 0;
	snprintf(out, PATH_MAX, "%s", text);
	return 0;
}

int choice_use(const char *wanted, struct why *why)
{
	char dir[PATH_MAX], path[PATH_MAX], line[PATH_MAX + 1];
	struct choice choice = { 0 };
	struct kernel kernel;
	int err = place_config(dir, "", why);

	if (!err)
		err = place_join(path, dir, "kernel", why);
	if (err)
		return err;
	if (!strcmp(wanted, "auto")) {
		if (unlink(path) && errno != ENOENT)
			return why_errno(why, -errno, "%s", path);
		return 0;
	}
	err = take_named(&choice, wanted, why);
	if (!err)
		err = kernel_look(&kernel, choice.path, why);
	if (!err)
		err = fdio_make_dirs(dir, 0755, why);
	if (err)
		return err;
	snprintf(line, sizeof(line), "%s\n", *choice.name ? choice.name : choice.path);
	return fdio_write_file(AT_FDCWD, path, line, strlen(line), 0644, why);
}
