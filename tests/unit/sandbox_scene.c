/* SPDX-License-Identifier: MIT */
#include "unit/sandbox_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/report.h"
#include "node/sandbox.h"
#include "node/userns.h"

enum { ORDINARY_ID = 12345 };

/* Root of a namespace with one id (unshare -r) is an ordinary user. */
static bool is_root(void)
{
	return getuid() == 0 && userns_knows("/proc/self/uid_map", ORDINARY_ID);
}

static char place[] = "/tmp/netlab-walls-XXXXXX";

/* Asked of the host alone: were it our own code that says no, then a bug in it
 * would skip its tests. */
static bool host_allows(void)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) ||
		      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	waitpid(pid, &status, 0);
	return status == 0;
}

int scene_begin(void **state)
{
	(void)state;
	if (!host_allows()) {
		printf("skipped: this host does not let this user make namespaces\n");
		exit(77);
	}
	return mkdtemp(place) && !chmod(place, 0755) ? 0 : -1;
}

const char *scene_place(void)
{
	return place;
}

int scene_end(void **state)
{
	struct why why = { "" };
	cleanup_close int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

	(void)state;
	if (!fdio_remove_tree(tmp, strrchr(place, '/') + 1, &why))
		return 0;
	fprintf(stderr, "%s\n", why.text);
	return -1;
}

int scene_broken(struct why *why, const char *cond, const char *fmt, ...)
{
	char said[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	return why_set(why, -EPROTO, "not so: %s - %s", cond, said);
}

static void make_folder(char path[PATH_MAX], const char *above, const char *name, mode_t mode,
			uid_t uid)
{
	snprintf(path, PATH_MAX, "%s/%s", above, name);
	assert_int_equal(fdio_make_dirs(path, mode, NULL), 0);
	assert_int_equal(chmod(path, mode), 0);
	if (is_root())
		assert_int_equal(chown(path, uid, uid), 0);
}

static void set_scene(struct scene *scene, uid_t uid)
{
	char name[32], home[PATH_MAX], file[PATH_MAX + 8];

	scene->uid = uid;
	scene->is_root = uid == 0 && is_root();
	snprintf(name, sizeof(name), "%u", uid);
	make_folder(scene->dir, place, name, 0755, uid);
	make_folder(scene->writable, scene->dir, "writable", 0755, uid);
	make_folder(scene->outside, scene->dir, "outside", 0755, uid);
	make_folder(scene->private_dir, scene->dir, "private", 0755, uid);
	make_folder(home, scene->dir, "home", 0700, is_root() ? ORDINARY_ID : uid);
	make_folder(scene->closed, home, "project", 0755, is_root() ? ORDINARY_ID : uid);
	snprintf(file, sizeof(file), "%s/file", scene->closed);
	assert_int_equal(fdio_write_file(AT_FDCWD, file, "x", 1, 0644, NULL), 0);
}

static int become(uid_t uid, struct why *why)
{
	if (uid == getuid())
		return 0;
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return why_errno(why, -errno, "become user %u", uid);
	return 0;
}

int scene_check_mounts(const char *mountinfo, const char *const *writable, struct why *why)
{
	cleanup_file FILE *info = fopen(mountinfo, "re");
	cleanup_free char *line = NULL;
	char point[PATH_MAX], options[256], padded[260];
	size_t room = 0, count = 0;

	HOLD(info, "%s", mountinfo);
	while (getline(&line, &room, info) > 0) {
		bool known = false;

		HOLD(sscanf(line, "%*d %*d %*s %*s %4095s %255s", point, options) == 2, "%s", line);
		for (const char *const *w = writable; *w; w++)
			known |= !strncmp(point, *w, strlen(*w));
		snprintf(padded, sizeof(padded), ",%s,", options);
		HOLD(known || (strstr(padded, ",ro,") && strstr(padded, ",nosuid,") &&
			       strstr(padded, ",nodev,")),
		     "%s", line);
		count++;
	}
	HOLD(count > 3, "%zu mounts", count);
	return 0;
}

int scene_fork_lab(const struct scene *scene, pid_t *pid, struct why *why)
{
	const char *const writable[] = { scene->writable };
	const char *const reach[] = { scene->closed, NULL };
	struct sandbox_lab config = { .writable = writable,
				      .writable_count = 1,
				      .reach = reach,
				      .reach_count = 2,
				      .private_dir = scene->private_dir,
				      .private_bytes = 8 << 20 };

	return sandbox_fork_lab(&config, pid, NULL, why);
}

static int run_in_lab(const struct scene *scene, promise_fn *fn, struct why *why)
{
	int ends[2], err = report_open(ends, why);
	struct why local = { "" };
	pid_t pid;

	if (!err)
		err = scene_fork_lab(scene, &pid, why);
	if (err)
		return err;
	if (pid == 0) {
		close(ends[0]);
		err = fn(scene, &local);
		if (err)
			report_fail(ends[1], err, &local);
		_exit(0);
	}
	close(ends[1]);
	err = report_wait(ends[0], why);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return err;
}

static void as_user(uid_t uid, promise_fn *fn, bool in_lab)
{
	struct scene scene;
	struct why why = { "" };
	int ends[2], err;
	pid_t pid;

	set_scene(&scene, uid);
	assert_int_equal(report_open(ends, NULL), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		err = become(uid, &why);
		if (!err)
			err = in_lab ? run_in_lab(&scene, fn, &why) : fn(&scene, &why);
		if (err)
			report_fail(ends[1], err, &why);
		_exit(0);
	}
	close(ends[1]);
	err = report_wait(ends[0], &why);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	if (err)
		fail_msg("as user %u: %s", uid, why.text);
}

static void as_each(promise_fn *fn, bool in_lab)
{
	as_user(getuid(), fn, in_lab);
	if (is_root())
		as_user(ORDINARY_ID, fn, in_lab);
}

void scene_as_each_user(promise_fn *fn)
{
	as_each(fn, false);
}

void scene_in_lab(promise_fn *fn)
{
	as_each(fn, true);
}
