/* SPDX-License-Identifier: MIT */
#include "kernel/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/kconfig.h"
#include "kernel/kernel.h"
#include "kernel/need.h"
#include "kernel/place.h"
#include "kernel/recipe.h"
#include "kernel/run.h"
#include "kernel/source.h"
#include "kernel/workshop.h"

enum {
	ARGS_MAX = 40,
	CONFIG_BYTES_MAX = 4 << 20,
	FORMAT = 1, /* of what these steps make of their inputs: part of the key */
};

/* Measured with Linux 7.3: 0.55 GB of source, 0.5 GB of objects and what is linked;
 * and a source that is to be fetched, as package and as tarball. */
static const uint64_t tree_bytes = UINT64_C(1400) << 20;

struct build {
	const struct build_options *options;
	struct steps *steps;
	struct recipe recipe;
	struct source source;
	struct stored kernel; /* becomes */
	char version[64];
	char dir[PATH_MAX], fresh[PATH_MAX], src[PATH_MAX], out[PATH_MAX];
};

/* ---- what it is made of
 * -----------------------------------------------------------------
 */

static int find_compiler(char *out, size_t room, struct why *why)
{
	const char *const argv[] = { "gcc", "--version", NULL };
	struct run run = { .argv = argv, .timeout_ms = 10000, .keep_bytes = 4096 };
	int err = run_program(&run, why);

	if (!err && run.kept)
		snprintf(out, room, "%.*s", (int)strcspn(run.kept, "\n"), run.kept);
	free(run.kept);
	return err;
}

static int make_key(struct build *b, struct why *why)
{
	cleanup_free char *text = NULL;

	if (asprintf(&text, "format %d\nsource %s\ncompiler %s\nrecipe %s\n", FORMAT,
		     b->source.what, b->kernel.compiler, b->recipe.hash) < 0)
		return why_set(why, -ENOMEM, "kernel build: out of memory");
	recipe_hash(b->kernel.key, text);
	snprintf(b->kernel.source, sizeof(b->kernel.source), "%s", b->source.what);
	snprintf(b->kernel.recipe, sizeof(b->kernel.recipe), "%s", b->recipe.hash);
	b->kernel.patches = b->recipe.patch_count;
	return 0;
}

/* Is there one of these?  Of this key; or, with "" as key, of this recipe and
 * compiler, whatever the source was. */
static bool find_done(struct build *b, struct stored *out)
{
	cleanup_free struct stored *list = NULL;
	size_t count;

	if (store_list(&list, &count, NULL))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool same = *b->kernel.key ? !strcmp(list[i].key, b->kernel.key)
					   : !strcmp(list[i].recipe, b->recipe.hash) &&
						     !strcmp(list[i].compiler,
							     b->kernel.compiler);

		if (same) {
			*out = list[i];
			return true;
		}
	}
	return false;
}

/* ---- the steps
 * --------------------------------------------------------------------------
 */

static int apply_patches(struct build *b, struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < b->recipe.patch_count; i++) {
		const char *path = b->recipe.patches[i];
		const char *const argv[] = { "patch",	 "-p1",
					     "--fuzz=0", "--forward",
					     "--batch",	 "--no-backup-if-mismatch",
					     "-i",	 path,
					     NULL };

		steps_begin(b->steps, STEP_UNPACK, "patching with %.90s",
			    strrchr(path, '/') + 1);
		err = steps_run(b->steps, b->fresh, argv, NULL, why);
		if (err == -ECHILD)
			return why_set(why, err,
				       "%s does not fit Linux %s; give a source that it "
				       "was made for with --source, or a guest folder "
				       "for this one with NETLAB_GUEST; the log: %s",
				       strrchr(path, '/') + 1, b->version, b->steps->log);
	}
	return err;
}

/* The source appears patched and whole, or not at all. */
static int prepare_source(struct build *b, struct why *why)
{
	int err = workshop_remove(b->dir, "new", why);

	if (!err)
		err = source_fetch(&b->source, b->steps, why);
	if (!err)
		err = fdio_make_dirs(b->fresh, 0755, why);
	if (!err)
		err = source_unpack(&b->source, b->fresh, b->steps, why);
	if (!err)
		err = source_version(b->fresh, b->version, sizeof(b->version), why);
	if (!err)
		err = apply_patches(b, why);
	if (!err && rename(b->fresh, b->src))
		err = why_errno(why, -errno, "%s", b->src);
	return err;
}

/* Equal inputs, equal kernels: nothing of who builds, where and when, and nothing of tools
 * that are not needed, whose versions would stand in the configuration. */
static int run_make(struct build *b, const char *const words[], char **kept,
		    struct why *why)
{
	const char *argv[ARGS_MAX] = {
		"env",
		"-i",
		NULL,
		NULL,
		"LC_ALL=C",
		"TZ=UTC",
		"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
		"KBUILD_BUILD_USER=netlab",
		"KBUILD_BUILD_HOST=netlab",
		"KBUILD_BUILD_VERSION=1",
		"MAKEFLAGS=RUSTC=none PAHOLE=none",
		"ARCH=um",
	};
	cleanup_free char *path = NULL, *home = NULL;
	size_t count = 12;

	if (asprintf(&path, "PATH=%s:/usr/sbin:/sbin",
		     getenv("PATH") ?: "/usr/bin:/bin") < 0 ||
	    asprintf(&home, "TMPDIR=%s", getenv("TMPDIR") ?: "/tmp") < 0)
		return why_set(why, -ENOMEM, "kernel build: out of memory");
	argv[2] = path;
	argv[3] = home;
	for (size_t i = 0; words[i]; i++)
		argv[count++] = words[i];
	argv[count] = NULL;
	return steps_run(b->steps, b->src, argv, kept, why);
}

static int check_config(struct build *b, struct why *why)
{
	char path[PATH_MAX], names[600];
	cleanup_free char *config = NULL;
	size_t size, denied;
	int err = place_join(path, b->src, ".config", why);

	if (!err)
		err = fdio_read_file(AT_FDCWD, path, CONFIG_BYTES_MAX, &config, &size,
				     why);
	if (err)
		return err;
	denied = kconfig_denied(b->recipe.fragment, config, names, sizeof(names));
	if (!denied)
		return 0;
	return why_set(
		why, -EINVAL,
		"Linux %s does not grant %zu option%s of %s: %s; take them out, or "
		"set what they need",
		b->version, denied, denied == 1 ? "" : "s", b->recipe.config, names);
}

static int configure(struct build *b, struct why *why)
{
	char setting[PATH_MAX + 32];
	const char *const words[] = { setting, "make", "allnoconfig", NULL };
	int err;

	snprintf(setting, sizeof(setting), "KCONFIG_ALLCONFIG=%s", b->recipe.config);
	steps_begin(b->steps, STEP_CONFIGURE, "configuring Linux %s", b->version);
	err = run_make(b, words, NULL, why);
	return err ? err : check_config(b, why);
}

/* How many objects make would make, by its own count. */
static int count_objects(struct build *b, uint64_t *count, struct why *why)
{
	static const char script[] = "make -k -n linux modules 2>/dev/null | "
				     "grep -c \"echo '  CC\" || :";
	const char *const words[] = { "sh", "-c", script, NULL };
	cleanup_free char *said = NULL;
	int err;

	steps_begin(b->steps, STEP_CONFIGURE, "counting what is to be compiled");
	err = run_make(b, words, &said, why);
	if (!err && said)
		*count = strtoull(said, NULL, 10);
	return err;
}

static int has_modules(struct build *b, bool *modules, struct why *why)
{
	char path[PATH_MAX];
	cleanup_free char *config = NULL;
	size_t size;
	int err = place_join(path, b->src, ".config", why);

	if (!err)
		err = fdio_read_file(AT_FDCWD, path, CONFIG_BYTES_MAX, &config, &size,
				     why);
	if (!err)
		*modules = !kconfig_denied("CONFIG_MODULES=y\n", config, NULL, 0);
	return err;
}

static int compile(struct build *b, bool modules, struct why *why)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char jobs[32];
	const char *const words[] = { "make", jobs, "linux", modules ? "modules" : NULL,
				      NULL };
	uint64_t objects = 0;
	int err = count_objects(b, &objects, why);

	if (err)
		return err;
	snprintf(jobs, sizeof(jobs), "-j%ld",
		 b->options->jobs ? (long)b->options->jobs
				  : (processors > 0 ? processors : 1));
	steps_begin(b->steps, STEP_COMPILE, "compiling Linux %s", b->version);
	steps_expect(b->steps, MEASURE_OBJECTS, objects);
	return run_make(b, words, NULL, why);
}

static int read_release(struct build *b, struct why *why)
{
	char path[PATH_MAX];
	cleanup_free char *text = NULL;
	size_t size;
	int err = place_join(path, b->src, "include/config/kernel.release", why);

	if (!err)
		err = fdio_read_file(AT_FDCWD, path, 256, &text, &size, why);
	if (!err) {
		text[strcspn(text, "\n")] = 0;
		snprintf(b->kernel.release, sizeof(b->kernel.release), "%.63s", text);
	}
	return err;
}

/* Symbols are an eighth of the file, and nobody needs them: the kernel has a table. */
static int install(struct build *b, bool modules, struct why *why)
{
	char setting[PATH_MAX + 32], linux_path[PATH_MAX], lib[PATH_MAX];
	const char *const strip[] = { "strip", "-s", "-o", linux_path, "linux", NULL };
	const char *const words[] = { "make", "modules_install", setting,
				      "INSTALL_MOD_STRIP=1", NULL };
	int err;

	steps_begin(b->steps, STEP_INSTALL, "installing Linux %s", b->version);
	err = workshop_remove(b->dir, "out", why);
	if (!err)
		err = fdio_make_dirs(b->out, 0755, why);
	if (!err)
		err = place_join(linux_path, b->out, "linux", why);
	if (!err)
		err = steps_run(b->steps, b->src, strip, NULL, why);
	if (!err)
		err = read_release(b, why);
	if (err || !modules)
		return err;
	snprintf(setting, sizeof(setting), "INSTALL_MOD_PATH=%s", b->out);
	err = run_make(b, words, NULL, why);
	snprintf(setting, sizeof(setting), "lib/modules/%s", b->kernel.release);
	if (!err)
		err = place_join(lib, b->out, setting, why);
	/* Links to a tree that goes away. */
	if (!err) {
		workshop_remove(lib, "build", NULL);
		workshop_remove(lib, "source", NULL);
	}
	return err;
}

/* It runs, and is what it was to be. */
static int try_it(struct build *b, struct why *why)
{
	char path[PATH_MAX];
	const char *const argv[] = { path, "--version", NULL };
	struct run run = { .argv = argv, .timeout_ms = 10000, .keep_bytes = 4096 };
	struct kernel kernel;
	int err = place_join(path, b->out, "linux", why);

	if (!err)
		err = kernel_look(&kernel, path, why);
	if (!err)
		err = run_program(&run, why);
	if (!err && !run.kept_size)
		err = why_set(why, -EINVAL, "'%s --version' says nothing", path);
	free(run.kept);
	if (!err && strcmp(kernel.release, b->kernel.release))
		err = why_set(why, -EINVAL, "%s says that it is %s, not %s", path,
			      kernel.release, b->kernel.release);
	return err;
}

static int make_it(struct build *b, struct why *why)
{
	bool modules = false;
	int err = configure(b, why);

	if (!err)
		err = has_modules(b, &modules, why);
	if (!err)
		err = compile(b, modules, why);
	if (!err)
		err = install(b, modules, why);
	return err ? err : try_it(b, why);
}

/* ---- the whole
 * ----------------------------------------------------------------------------
 */

static int set_paths(struct build *b, const char *all, struct why *why)
{
	int err = place_join(b->dir, all, b->kernel.key, why);

	if (!err)
		err = place_join(b->fresh, b->dir, "new", why);
	if (!err)
		err = place_join(b->src, b->dir, "src", why);
	return err ? err : place_join(b->out, b->dir, "out", why);
}

static int build_tree(struct build *b, const char *all, struct why *why)
{
	bool resumed;
	int err = 0;

	if (b->options->again)
		err = workshop_remove(all, b->kernel.key, why);
	resumed = !err && !access(b->src, F_OK);
	if (!err)
		err = need_room(all,
				(resumed ? tree_bytes / 2 : tree_bytes) +
					(*b->source.path ? 0 : 2 * b->source.offer.bytes),
				why);
	if (!err && resumed)
		err = source_version(b->src, b->version, sizeof(b->version), why);
	else if (!err)
		err = prepare_source(b, why);
	if (!err)
		err = make_it(b, why);
	/* What an earlier build left half may be why. */
	if (err == -ECHILD && resumed) {
		err = workshop_remove(all, b->kernel.key, why);
		if (!err)
			err = prepare_source(b, why);
		if (!err)
			err = make_it(b, why);
	}
	if (!err)
		err = store_add(&b->kernel, b->out, why);
	return err;
}

/* Under the lock. */
static int build_locked(struct build *b, const char *all, bool *was_there,
			struct stored *out, struct why *why)
{
	int err = workshop_open_log(all, b->steps, why);

	if (!err)
		err = source_find(&b->source, b->options->source, b->options->again,
				  b->steps, why);
	if (!err)
		err = make_key(b, why);
	if (!err && !b->options->again && find_done(b, out)) {
		*was_there = true;
		return 0;
	}
	if (!err)
		err = set_paths(b, all, why);
	if (!err)
		err = build_tree(b, all, why);
	if (err)
		return err;
	*out = b->kernel;
	return workshop_remove_all(all, why);
}

int build_kernel(struct stored *out, bool *was_there, const struct build_options *options,
		 struct steps *steps, struct why *why)
{
	struct build b = { .options = options, .steps = steps };
	char all[PATH_MAX];
	int err = recipe_read(&b.recipe, why), lock = -1;

	*was_there = false;
	if (!err)
		err = need_tools(why);
	if (!err)
		err = find_compiler(b.kernel.compiler, sizeof(b.kernel.compiler), why);
	if (!err)
		err = place_cache(all, "build", why);
	/* Without a source that is given: whatever it was made of. */
	if (!err && !options->again && !options->source && find_done(&b, out)) {
		*was_there = true;
		goto done;
	}
	if (!err)
		err = fdio_make_dirs(all, 0755, why);
	if (!err) {
		lock = workshop_lock(all, steps, why);
		err = lock < 0 ? lock : 0;
	}
	if (!err && !options->again && !options->source && find_done(&b, out))
		*was_there = true; /* by whom was waited for */
	else if (!err)
		err = build_locked(&b, all, was_there, out, why);
	if (lock >= 0)
		close(lock);
done:
	if (steps->log_fd)
		close(steps->log_fd);
	steps->log_fd = 0;
	recipe_free(&b.recipe);
	return err;
}
