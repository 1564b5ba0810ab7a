/* SPDX-License-Identifier: MIT */
#include "agentproto/unpack_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agentproto/file_tree.h"
#include "base/cleanup.h"
#include "base/fdio.h"

/* What stands for a file until it is whole. */
#define PART TREE_STAGE_PREFIX "part"

enum { OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct place {
	bool look_only;
	struct tree_path path;
};

static int put(struct place *place, int from_fd, const char *from, int to_fd,
	       const char *to, struct why *why);

/* Calls put() for each entry. */
static int put_content(struct place *place, int from_fd, int to_fd, struct why *why)
{
	int fd = openat(from_fd, ".", OPEN_FOLDER);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err = 0;

	if (!dir) {
		err = why_errno(why, -errno, "%s", place->path.text);
		cleanup_close_(&fd);
		return err;
	}
	while (!err && (entry = readdir(dir))) {
		size_t before;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		before = file_tree_path_push(&place->path, entry->d_name);
		err = put(place, from_fd, entry->d_name, to_fd, entry->d_name, why);
		file_tree_path_pop(&place->path, before);
	}
	closedir(dir);
	return err;
}

static int put_into(struct place *place, int from_fd, const char *from, int to_fd,
		    const char *to, struct why *why)
{
	cleanup_close int source = openat(from_fd, from, OPEN_FOLDER);
	cleanup_close int target = openat(to_fd, to, OPEN_FOLDER);
	int err;

	if (source < 0 || target < 0)
		return why_errno(why, -errno, "%s", place->path.text);
	err = put_content(place, source, target, why);
	/* It is empty: who removes the rest needs no descriptor for it. */
	if (!err && !place->look_only)
		unlinkat(from_fd, from, AT_REMOVEDIR);
	return err;
}

static int copy_bytes(int from, int to)
{
	char bytes[16 << 10];
	ssize_t n;

	while ((n = fdio_read(from, bytes, sizeof(bytes))) > 0) {
		int err = fdio_write(to, bytes, (size_t)n);

		if (err)
			return err;
	}
	return (int)n;
}

static int copy_file(int from_fd, const char *from, int to_fd, const struct stat *st)
{
	const struct timespec times[] = { st->st_mtim, st->st_mtim };
	cleanup_close int source = openat(from_fd, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int target = -1;
	int err;

	if (source < 0)
		return -errno;
	target = openat(to_fd, PART, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0)
		return -errno;
	err = copy_bytes(source, target);
	if (!err && (fchmod(target, st->st_mode & 0777) || futimens(target, times)))
		err = -errno;
	return err;
}

static int copy_link(int from_fd, const char *from, int to_fd, const struct stat *st)
{
	const struct timespec times[] = { st->st_mtim, st->st_mtim };
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_fd, from, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = 0;
	if (symlinkat(target, to_fd, PART) ||
	    utimensat(to_fd, PART, times, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return 0;
}

/* Something else is mounted there: then not even a folder can be moved as a whole. */
static int carry_over(struct place *place, int from_fd, const char *from, int to_fd,
		      const char *to, const struct stat *st, struct why *why)
{
	int err;

	if (S_ISDIR(st->st_mode)) {
		if (mkdirat(to_fd, to, 0700))
			return why_errno(why, -errno, "%s", place->path.text);
		err = put_into(place, from_fd, from, to_fd, to, why);
		if (!err && fchmodat(to_fd, to, st->st_mode & 0777, 0))
			err = why_errno(why, -errno, "%s", place->path.text);
		return err;
	}
	unlinkat(to_fd, PART, 0);
	err = S_ISLNK(st->st_mode) ? copy_link(from_fd, from, to_fd, st) :
				     copy_file(from_fd, from, to_fd, st);
	if (!err && renameat(to_fd, PART, to_fd, to))
		err = -errno;
	if (err) {
		unlinkat(to_fd, PART, 0);
		return why_errno(why, err, "%s", place->path.text);
	}
	return 0;
}

static int put(struct place *place, int from_fd, const char *from, int to_fd,
	       const char *to, struct why *why)
{
	bool is_there;
	struct stat source, target;

	if (fstatat(from_fd, from, &source, AT_SYMLINK_NOFOLLOW))
		return why_errno(why, -errno, "%s", place->path.text);
	is_there = !fstatat(to_fd, to, &target, AT_SYMLINK_NOFOLLOW);
	if (!is_there && errno != ENOENT)
		return why_errno(why, -errno, "%s", place->path.text);
	if (is_there && S_ISDIR(source.st_mode) && !S_ISDIR(target.st_mode))
		return why_set(why, -ENOTDIR, "%s: is a %s, which a folder does not replace",
			       place->path.text, S_ISLNK(target.st_mode) ? "link" : "file");
	if (is_there && !S_ISDIR(source.st_mode) && S_ISDIR(target.st_mode))
		return why_set(why, -EISDIR, "%s: is a folder, which a file does not replace",
			       place->path.text);
	if (is_there && S_ISDIR(source.st_mode))
		return put_into(place, from_fd, from, to_fd, to, why);
	if (place->look_only || !renameat(from_fd, from, to_fd, to))
		return 0;
	if (errno != EXDEV)
		return why_errno(why, -errno, "%s", place->path.text);
	return carry_over(place, from_fd, from, to_fd, to, &source, why);
}

int unpack_place(int from_fd, const char *from, int to_fd, const char *to,
		 const char *path, struct why *why)
{
	struct place place = { .look_only = true };
	int err;

	file_tree_path_push(&place.path, path);
	err = put(&place, from_fd, from, to_fd, to, why);
	place.look_only = false;
	return err ? err : put(&place, from_fd, from, to_fd, to, why);
}

int unpack_place_content(int from_fd, int to_fd, const char *path, struct why *why)
{
	struct place place = { .look_only = true };
	int err;

	file_tree_path_push(&place.path, path);
	err = put_content(&place, from_fd, to_fd, why);
	place.look_only = false;
	return err ? err : put_content(&place, from_fd, to_fd, why);
}
