/* SPDX-License-Identifier: MIT */
#include "node/jail_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/closed.h"
#include "node/mounts.h"

enum { CONTROL_BYTES = 64 << 10 };

/* Top-level folders that are there and empty.  Not here and not listed: shown.
 * Nothing in them is private, and whom the machine runs as must be able to look
 * into /root: the guest's root is bound by that, too. */
static const struct {
	const char *name;
	mode_t mode;
} hidden[] = {
	{ "home", 0755 },  { "root", 0755 },   { "tmp", 01777 }, { "run", 0755 },
	{ "media", 0755 }, { "mnt", 0755 },    { "dev", 0755 },  { "proc", 0555 },
	{ "sys", 0555 },   { "netlab", 0755 },
};

/* Folders of these would show what the list above hides. */
static const char *const hidden_below[] = { "var/tmp" };

static bool is_hidden(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (!strcmp(name, hidden[i].name))
			return true;
	return false;
}

static int make_dir(int root, const char *path, mode_t mode, struct why *why)
{
	if (mkdirat(root, path, mode) && errno != EEXIST)
		return why_errno(why, -errno, "create /%s", path);
	return 0;
}

static int make_file(int root, const char *path, const char *text, mode_t mode,
		     struct why *why)
{
	return fdio_write_file(root, path, text, strlen(text), mode, why);
}

/* 2000-01-01, as folders have it in virtual time: not the time at which it was made,
 * which is the host's and another one in each run. */
static int make_old(int root, const char *path, struct why *why)
{
	static const struct timespec times[2] = { { .tv_sec = 946684800 },
						  { .tv_sec = 946684800 } };

	if (utimensat(root, path, times, AT_SYMLINK_NOFOLLOW))
		return why_errno(why, -errno, "set the time of /%s", path);
	return 0;
}

static int make_link(int root, const char *path, const char *target, struct why *why)
{
	if (symlinkat(target, root, path))
		return why_errno(why, -errno, "link /%s", path);
	return make_old(root, path, why);
}

static int show_entry(int root, const char *name, struct why *why)
{
	char path[NAME_MAX + 2], target[PATH_MAX];
	struct stat st;
	ssize_t len;
	int err;

	snprintf(path, sizeof(path), "/%s", name);
	if (lstat(path, &st))
		return 0; /* gone, or a mount that is not ours to see */
	if (S_ISLNK(st.st_mode)) {
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			return 0;
		target[len] = 0;
		return make_link(root, name, target, why);
	}
	if (!S_ISDIR(st.st_mode))
		return 0; /* a swap file, perhaps; nothing that programs need */
	err = make_dir(root, name, 0755, why);
	return err ? err : mounts_bind(path, root, name, MOUNTS_READ_ONLY, why);
}

static int show_host(int root, struct why *why)
{
	DIR *dir = opendir("/");
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return why_errno(why, -errno, "read folder /");
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_hidden(entry->d_name))
			err = show_entry(root, entry->d_name, why);
	closedir(dir);
	return err;
}

/* An empty, read-only file system over a folder that is shown. */
static int cover(int root, const char *path, mode_t mode, struct why *why)
{
	char options[64];
	struct stat st;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
		return 0;
	snprintf(options, sizeof(options), "mode=%o,size=4k,nr_inodes=1", (unsigned)mode);
	return mounts_new("tmpfs", options, MOUNTS_READ_ONLY, root, path, why);
}

/* A home that is not in /home or /root.  Only if it is the user's own: /usr/sbin
 * is a home too, of the user daemon. */
static int cover_home(int root, const char *home, struct why *why)
{
	char path[PATH_MAX];
	struct stat st;

	if (geteuid() == 0) /* owns every folder; its home is /root */
		return 0;
	if (!home || !realpath(home, path) || !strcmp(path, "/") || stat(path, &st) ||
	    st.st_uid != geteuid())
		return 0;
	return cover(root, path + 1, 0755, why);
}

static int build_dev(int root, struct why *why)
{
	static const char *const devices[] = { "null", "zero", "full", "random",
					       "urandom" };
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(devices); i++) {
		char from[32];

		snprintf(from, sizeof(from), "/dev/%s", devices[i]);
		err = make_file(root, from + 1, "", 0600, why);
		/* No MOUNT_ATTR_NODEV: it is a device that is wanted. */
		if (!err)
			err = mounts_bind(from, root, from + 1,
					  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						  MOUNT_ATTR_NOEXEC,
					  why);
	}
	if (!err)
		err = make_dir(root, "dev/pts", 0755, why);
	if (!err && symlinkat("pts/ptmx", root, "dev/ptmx"))
		err = why_errno(why, -errno, "create /dev/ptmx");
	if (!err)
		err = mounts_new("devpts", "newinstance,mode=600,ptmxmode=666",
				 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, root, "dev/pts",
				 why);
	return err;
}

/* User-Mode Linux reads the flags and the cache line of the first processor, and
 * (from 6.16) the path of itself. */
static int build_proc(int root, const char *exec, struct why *why)
{
	cleanup_file FILE *from = fopen("/proc/cpuinfo", "re");
	cleanup_free char *line = NULL;
	char text[8192] = "";
	size_t room = 0, used = 0;
	int err;

	while (from && getline(&line, &room, from) > 1)
		if ((!strncmp(line, "flags", 5) ||
		     !strncmp(line, "cache_alignment", 15)) &&
		    used + strlen(line) < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
						 line);
	err = make_file(root, "proc/cpuinfo", text, 0444, why);
	if (!err)
		err = make_dir(root, "proc/self", 0555, why);
	if (!err && symlinkat(exec, root, "proc/self/exe"))
		err = why_errno(why, -errno, "create /proc/self/exe");
	return err;
}

static int bind_named(int root, const struct jail_bind *bind, struct why *why)
{
	char path[NAME_MAX];
	struct stat st;
	int err;

	if (!bind->source)
		return 0;
	snprintf(path, sizeof(path), "netlab/%s", bind->name);
	if (stat(bind->source, &st))
		return why_errno(why, -errno, "%s", bind->source);
	err = S_ISDIR(st.st_mode) ? make_dir(root, path, 0755, why)
				  : make_file(root, path, "", 0600, why);
	return err ? err : mounts_bind(bind->source, root, path, MOUNTS_READ_ONLY, why);
}

/* Where the program may write: file systems of its own, no larger than needed, so
 * that it can fill up nobody's but these. */
static int build_own(int root, const char *path, const struct jail_spec *spec,
		     uint64_t bytes, struct why *why)
{
	char options[128];
	int err = make_dir(root, path, 0700, why);

	if (err)
		return err;
	snprintf(options, sizeof(options),
		 "mode=700,uid=%u,gid=%u,nr_inodes=64,size=%" PRIu64, spec->uid, spec->gid,
		 bytes);
	return mounts_new("tmpfs", options, MOUNTS_WRITABLE, root, path, why);
}

static int build_memory(int root, const struct jail_spec *spec, struct why *why)
{
	int err;

	if (!spec->memory_dir)
		return build_own(root, "netlab/memory", spec, spec->memory_bytes, why);
	err = make_dir(root, "netlab/memory", 0700, why);
	return err ? err :
		     mounts_bind(spec->memory_dir, root, "netlab/memory", MOUNTS_WRITABLE, why);
}

static int build_netlab(int root, int work_tree, const struct jail_spec *spec,
			struct why *why)
{
	char script[64];
	int err = make_dir(root, "netlab/work", 0700, why);

	if (!err)
		err = mounts_place(work_tree, root, "netlab/work", why);
	if (!err)
		err = build_memory(root, spec, why);
	if (!err)
		err = build_own(root, "netlab/control", spec, CONTROL_BYTES, why);
	/* Empty, where the topology's folder is not shown. */
	if (!err)
		err = make_dir(root, "netlab/lab", 0755, why);
	for (size_t i = 0; !err && i < spec->bind_count; i++)
		err = bind_named(root, &spec->binds[i], why);
	/* What a machine's kernel executes as argv[0] when it is told to reboot. */
	snprintf(script, sizeof(script), "#!/bin/sh\nexit %d\n", JAIL_EXIT_REBOOT);
	if (!err)
		err = make_file(root, "netlab/closed", closed_text(), 0444, why);
	if (!err)
		err = make_file(root, "netlab/reboot", script, 0755, why);
	return err ? err : make_old(root, "netlab/reboot", why);
}

static int fill(int root, int work_tree, const struct jail_spec *spec, struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(hidden); i++)
		err = make_dir(root, hidden[i].name, hidden[i].mode, why);
	if (!err)
		err = show_host(root, why);
	for (size_t i = 0; !err && i < ARRAY_SIZE(hidden_below); i++)
		err = cover(root, hidden_below[i], 01777, why);
	if (!err)
		err = cover_home(root, spec->home, why);
	if (!err)
		err = build_dev(root, why);
	if (!err)
		err = build_proc(root, spec->exec, why);
	return err ? err : build_netlab(root, work_tree, spec, why);
}

int jail_root_enter(const struct jail_spec *spec, int *proc_fd, struct why *why)
{
	cleanup_close int work_tree = mounts_clone(
		AT_FDCWD, spec->work_dir, MOUNTS_READ_ONLY | MOUNT_ATTR_NOEXEC, why);
	cleanup_close int root = -1;
	struct mount_attr sealed = { .attr_set = MOUNTS_READ_ONLY };
	int err;

	if (work_tree < 0)
		return work_tree;
	/* Any folder will do as its place: here, one that is certainly there. */
	err = mounts_new("tmpfs", "mode=755,size=1m,nr_inodes=512", MOUNTS_WRITABLE,
			 AT_FDCWD, spec->work_dir, why);
	if (err)
		return err;
	root = open(spec->work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fchdir(root))
		return why_errno(why, -errno, "open the new root");
	*proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*proc_fd < 0)
		return why_errno(why, -errno, "open /proc");
	err = fill(root, work_tree, spec, why);
	if (err)
		return err;
	if (mount_setattr(root, "", AT_EMPTY_PATH, &sealed, sizeof(sealed)))
		return why_errno(why, -errno, "make the new root read-only");
	/* The old root comes to lie over the new one, and is taken away. */
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return why_errno(why, -errno, "pivot_root");
	if (chdir(JAIL_DIR "/work"))
		return why_errno(why, -errno, "enter " JAIL_DIR "/work");
	return 0;
}
