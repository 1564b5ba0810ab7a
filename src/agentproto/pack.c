/* SPDX-License-Identifier: MIT */
#include "agentproto/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

/* No terminal becomes ours, no FIFO makes us wait. */
enum { LOOK = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

struct pack {
	int out_fd;
	struct tree_left_out *left;
	struct tree_path path;
	unsigned depth;
	size_t used; /* of out */
	uint8_t out[TREE_SIZE_BYTES + TREE_BLOCK_BYTES_MAX];
	uint8_t block[TREE_BLOCK_BYTES_MAX];
};

static int flush(struct pack *pack, struct why *why)
{
	int err = fdio_write(pack->out_fd, pack->out, pack->used);

	pack->used = 0;
	return err ? why_errno(why, err, "send %s", pack->path.text) : 0;
}

static int put(struct pack *pack, const void *bytes, size_t size, struct why *why)
{
	if (pack->used + size > sizeof(pack->out)) {
		int err = flush(pack, why);

		if (err)
			return err;
	}
	memcpy(pack->out + pack->used, bytes, size);
	pack->used += size;
	return 0;
}

static int put_record(struct pack *pack, char kind, const struct stat *st,
		      const char *name, struct why *why)
{
	uint8_t head[TREE_HEAD_BYTES];
	struct tree_record record = { .kind = kind, .name_bytes = (uint16_t)strlen(name) };
	int err;

	if (st) {
		record.mode = st->st_mode & 0777;
		record.mtime_s = st->st_mtim.tv_sec;
		record.mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	}
	file_tree_record_put(head, &record);
	err = put(pack, head, sizeof(head), why);
	return err ? err : put(pack, name, record.name_bytes, why);
}

static int put_size(struct pack *pack, uint32_t size, struct why *why)
{
	uint8_t bytes[TREE_SIZE_BYTES];

	file_tree_size_put(bytes, size);
	return put(pack, bytes, sizeof(bytes), why);
}

static int put_block(struct pack *pack, size_t size, struct why *why)
{
	int err;

	if (size == TREE_BLOCK_BYTES_MAX && file_tree_is_zeros(pack->block, size))
		return put_size(pack, TREE_ZEROS, why);
	err = put_size(pack, (uint32_t)size, why);
	return err ? err : put(pack, pack->block, size, why);
}

/* Most of what cannot be read says so at once; then no file appears at all. */
static int pack_file(struct pack *pack, int fd, const struct stat *st, const char *name,
		     bool is_root, struct why *why)
{
	ssize_t n = fdio_read(fd, pack->block, sizeof(pack->block));
	int err;

	if (n < 0 && is_root)
		return why_errno(why, (int)n, "%s", pack->path.text);
	if (n < 0) {
		file_tree_leave_out(pack->left, pack->path.text, strerror((int)-n));
		return 0;
	}
	err = put_record(pack, 'F', st, name, why);
	while (!err && n > 0) {
		err = put_block(pack, (size_t)n, why);
		/* The last one was short: it was the end. */
		n = n == sizeof(pack->block) ?
			    fdio_read(fd, pack->block, sizeof(pack->block)) :
			    0;
	}
	if (err || n == 0)
		return err ? err : put_size(pack, 0, why);
	if (is_root)
		return why_errno(why, (int)n, "%s", pack->path.text);
	file_tree_leave_out(pack->left, pack->path.text, strerror((int)-n));
	return put_size(pack, TREE_BROKEN, why);
}

static int pack_link(struct pack *pack, int dir_fd, const char *name,
		     const struct stat *st, struct why *why)
{
	ssize_t n = readlinkat(dir_fd, name, (char *)pack->block, PATH_MAX);
	int err;

	if (n <= 0) {
		file_tree_leave_out(pack->left, pack->path.text,
			       n ? strerror(errno) : "an empty link");
		return 0;
	}
	err = put_record(pack, 'L', st, name, why);
	return err ? err : put_block(pack, (size_t)n, why);
}

static int pack_entry(struct pack *pack, int dir_fd, const char *name, struct why *why);

static int pack_content(struct pack *pack, DIR *dir, struct why *why)
{
	const struct dirent *entry;
	int err = 0;

	while (!err && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") && strcmp(name, "..") &&
		    strncmp(name, TREE_STAGE_PREFIX, strlen(TREE_STAGE_PREFIX)))
			err = pack_entry(pack, dirfd(dir), name, why);
	}
	if (!err && errno)
		file_tree_leave_out(pack->left, pack->path.text, strerror(errno));
	return err;
}

static int pack_folder(struct pack *pack, int fd, const struct stat *st, const char *name,
		       struct why *why)
{
	DIR *dir;
	int err;

	if (pack->depth == TREE_DEPTH_MAX) {
		file_tree_leave_out(pack->left, pack->path.text, "too many folders deep");
		return 0;
	}
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		err = why_errno(why, -errno, "%s", pack->path.text);
		cleanup_close_(&fd);
		return err;
	}
	pack->depth++;
	err = put_record(pack, 'D', st, name, why);
	err = err ? err : pack_content(pack, dir, why);
	err = err ? err : put_record(pack, 'U', NULL, "", why);
	pack->depth--;
	closedir(dir);
	return err;
}

/* One that is below the path. */
static int pack_inside(struct pack *pack, int dir_fd, const char *name, struct why *why)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		file_tree_leave_out(pack->left, pack->path.text, strerror(errno));
		return 0;
	}
	if (S_ISLNK(st.st_mode))
		return pack_link(pack, dir_fd, name, &st, why);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		file_tree_leave_out(pack->left, pack->path.text,
			       "neither a file, a folder nor a link");
		return 0;
	}
	cleanup_close int fd = openat(dir_fd, name, LOOK | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, &st)) {
		file_tree_leave_out(pack->left, pack->path.text, strerror(errno));
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return pack_folder(pack, fd, &st, name, why);
	if (S_ISREG(st.st_mode))
		return pack_file(pack, fd, &st, name, false, why);
	file_tree_leave_out(pack->left, pack->path.text, "it changed its kind meanwhile");
	return 0;
}

static int pack_entry(struct pack *pack, int dir_fd, const char *name, struct why *why)
{
	size_t before = file_tree_path_push(&pack->path, name);
	int err = pack_inside(pack, dir_fd, name, why);

	file_tree_path_pop(&pack->path, before);
	return err;
}

static int open_root(const char *path, struct stat *st, struct why *why)
{
	int fd;

	if (stat(path, st)) {
		int err = -errno;

		if (err == -ENOENT && !lstat(path, st))
			return why_set(why, err, "%s: a link to what is not there", path);
		if (err == -ENOENT)
			return why_set(why, err, "%s: no such file or folder", path);
		return why_errno(why, err, "%s", path);
	}
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return why_set(why, -EINVAL, "%s: neither a file nor a folder", path);
	fd = open(path, LOOK);
	if (fd < 0)
		return why_errno(why, -errno, "%s", path);
	return fd;
}

int pack_tree(const char *path, int out_fd, struct tree_left_out *left, struct why *why)
{
	cleanup_free struct pack *pack = calloc(1, sizeof(*pack));
	struct stat st;
	cleanup_close int fd = open_root(path, &st, why);
	int err;

	if (fd < 0)
		return fd;
	if (!pack)
		return why_set(why, -ENOMEM, "out of memory");
	pack->out_fd = out_fd;
	pack->left = left;
	file_tree_path_push(&pack->path, path);
	err = put(pack, TREE_MAGIC, TREE_MAGIC_BYTES, why);
	if (!err && S_ISDIR(st.st_mode))
		err = pack_folder(pack, fd, &st, "", why);
	else if (!err)
		err = pack_file(pack, fd, &st, "", true, why);
	err = err ? err : put_record(pack, 'E', NULL, "", why);
	return err ? err : flush(pack, why);
}

int pack_run(const char *path)
{
	struct tree_left_out left = { .count = 0 };
	struct why why;

	if (pack_tree(path, STDOUT_FILENO, &left, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return TREE_STATUS_FAILED;
	}
	return file_tree_tell_left_out(&left);
}
