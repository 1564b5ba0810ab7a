/* SPDX-License-Identifier: MIT */
#include "agentproto/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agentproto/unpack_place.h"
#include "base/cleanup.h"
#include "base/fdio.h"

#define ROOT "x" /* what comes, in its folder */

enum {
	OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	STAGES_MAX = 1000, /* names that are tried */
};

struct unpack {
	int in_fd;
	enum unpack_links links;
	struct tree_left_out *left;
	struct tree_path path;
	unsigned depth;
	size_t from, to; /* what has been read and not used, in `in` */
	uint8_t in[TREE_BLOCK_BYTES_MAX];
	uint8_t block[TREE_BLOCK_BYTES_MAX];
};

static volatile sig_atomic_t asked_to_stop;

static void on_stop(int signal_no)
{
	(void)signal_no;
	asked_to_stop = 1;
}

/* ---- reading the stream -------------------------------------------------- */

static int cut_short(struct why *why)
{
	return why_set(why, -EPROTO, "the copy was cut short");
}

static int get(struct unpack *unpack, void *out, size_t size, struct why *why)
{
	uint8_t *at = out;

	while (size) {
		size_t have = unpack->to - unpack->from;
		ssize_t n;

		if (have) {
			have = have < size ? have : size;
			memcpy(at, unpack->in + unpack->from, have);
			unpack->from += have;
			at += have;
			size -= have;
			continue;
		}
		if (asked_to_stop)
			return why_set(why, -EINTR, "interrupted");
		n = read(unpack->in_fd, unpack->in, sizeof(unpack->in));
		if (n < 0 && errno != EINTR)
			return why_errno(why, -errno, "read the copy");
		if (n == 0)
			return cut_short(why);
		unpack->from = 0;
		unpack->to = n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int get_size(struct unpack *unpack, uint32_t *size, struct why *why)
{
	uint8_t bytes[TREE_SIZE_BYTES];
	int err = get(unpack, bytes, sizeof(bytes), why);

	*size = file_tree_size_get(bytes);
	if (!err && *size > TREE_BLOCK_BYTES_MAX && *size != TREE_BROKEN && *size != TREE_ZEROS)
		err = why_set(why, -EPROTO, "a block of %u bytes", *size);
	return err;
}

/* A name must be one: nothing that leads elsewhere. */
static int check_name(const struct tree_record *record, const char *name, bool is_root,
		      struct why *why)
{
	bool nameless = record->kind == 'U' || record->kind == 'E' || is_root;

	if (nameless ? record->name_bytes == 0 :
		       *name && strlen(name) == record->name_bytes && !strchr(name, '/') &&
			       strcmp(name, ".") && strcmp(name, ".."))
		return 0;
	return why_set(why, -EPROTO, "a name that is none");
}

static int get_record(struct unpack *unpack, struct tree_record *record,
		      char name[TREE_NAME_BYTES_MAX + 1], bool is_root, struct why *why)
{
	uint8_t head[TREE_HEAD_BYTES];
	int err = get(unpack, head, sizeof(head), why);

	if (!err && file_tree_record_get(head, record))
		err = why_set(why, -EPROTO, "no record of a copy");
	err = err ? err : get(unpack, name, record->name_bytes, why);
	if (err)
		return err;
	name[record->name_bytes] = 0;
	return check_name(record, name, is_root, why);
}

/* ---- making what it says ------------------------------------------------- */

static int finish(int fd, const struct tree_record *record, mode_t mode,
		  const struct unpack *unpack, struct why *why)
{
	const struct timespec mtime = { .tv_sec = record->mtime_s,
					.tv_nsec = record->mtime_ns };
	const struct timespec times[] = { mtime, mtime };

	if (fchmod(fd, mode) || futimens(fd, times))
		return why_errno(why, -errno, "%s", unpack->path.text);
	return 0;
}

static int get_block(struct unpack *unpack, int fd, uint32_t size, struct why *why)
{
	int err = 0;

	if (size == TREE_ZEROS) {
		if (lseek(fd, TREE_BLOCK_BYTES_MAX, SEEK_CUR) < 0)
			err = -errno;
	} else {
		err = get(unpack, unpack->block, size, why);
		if (err)
			return err;
		err = fdio_write(fd, unpack->block, size);
	}
	return err ? why_errno(why, err, "%s", unpack->path.text) : 0;
}

static int make_file(struct unpack *unpack, int dir_fd, const char *name,
		     const struct tree_record *record, struct why *why)
{
	cleanup_close int fd = openat(dir_fd, name,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				      0600);
	uint32_t size;
	int err;

	if (fd < 0)
		return why_errno(why, -errno, "%s", unpack->path.text);
	while (!(err = get_size(unpack, &size, why)) && size && size != TREE_BROKEN) {
		err = get_block(unpack, fd, size, why);
		if (err)
			return err;
	}
	if (!err && size == TREE_BROKEN) /* the sender tells of it */
		return unlinkat(dir_fd, name, 0) ? why_errno(why, -errno, "%s", name) : 0;
	if (!err && ftruncate(fd, lseek(fd, 0, SEEK_CUR)))
		err = why_errno(why, -errno, "%s", unpack->path.text);
	return err ? err : finish(fd, record, record->mode, unpack, why);
}

bool unpack_link_is_inside(const char *target, unsigned depth)
{
	bool going_up = true;

	if (*target == '/')
		return false;
	while (*target) {
		size_t size = strcspn(target, "/");
		bool up = size == 2 && !memcmp(target, "..", 2);

		if (up && (!going_up || depth-- == 0))
			return false;
		going_up = up || (going_up && (size == 0 || (size == 1 && *target == '.')));
		target += size;
		target += strspn(target, "/");
	}
	return true;
}

static int make_link(struct unpack *unpack, int dir_fd, const char *name,
		     const struct tree_record *record, struct why *why)
{
	const struct timespec mtime = { .tv_sec = record->mtime_s,
					.tv_nsec = record->mtime_ns };
	const struct timespec times[] = { mtime, mtime };
	char target[PATH_MAX];
	uint32_t size;
	int err = get_size(unpack, &size, why);

	if (!err && (!size || size >= sizeof(target)))
		err = why_set(why, -EPROTO, "a link that points nowhere");
	err = err ? err : get(unpack, target, size, why);
	if (err)
		return err;
	target[size] = 0;
	if (strlen(target) != size)
		return why_set(why, -EPROTO, "a link that points nowhere");
	if (unpack->links == UNPACK_LINKS_INSIDE &&
	    !unpack_link_is_inside(target, unpack->depth - 1)) {
		file_tree_leave_out(unpack->left, unpack->path.text,
			       "a link that may lead out of what is copied");
		return 0;
	}
	if (symlinkat(target, dir_fd, name) ||
	    utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW))
		return why_errno(why, -errno, "%s", unpack->path.text);
	return 0;
}

static int make_folder(struct unpack *unpack, int dir_fd, const char *name,
		       const struct tree_record *record, struct why *why);

static int make_entry(struct unpack *unpack, int dir_fd, const char *name,
		      const struct tree_record *record, struct why *why)
{
	switch (record->kind) {
	case 'F':
		return make_file(unpack, dir_fd, name, record, why);
	case 'L':
		return make_link(unpack, dir_fd, name, record, why);
	case 'D':
		return make_folder(unpack, dir_fd, name, record, why);
	default:
		return why_set(why, -EPROTO, "an end where none belongs");
	}
}

static int make_content(struct unpack *unpack, int dir_fd, struct why *why)
{
	for (;;) {
		char name[TREE_NAME_BYTES_MAX + 1];
		struct tree_record record;
		size_t before;
		int err = get_record(unpack, &record, name, false, why);

		if (err || record.kind == 'U')
			return err;
		before = file_tree_path_push(&unpack->path, name);
		err = make_entry(unpack, dir_fd, name, &record, why);
		if (err)
			return err;
		file_tree_path_pop(&unpack->path, before);
	}
}

static int make_folder(struct unpack *unpack, int dir_fd, const char *name,
		       const struct tree_record *record, struct why *why)
{
	cleanup_close int fd = -1;
	int err;

	if (unpack->depth == TREE_DEPTH_MAX)
		return why_set(why, -EPROTO, "more than %d folders deep", TREE_DEPTH_MAX);
	if (!mkdirat(dir_fd, name, 0700))
		fd = openat(dir_fd, name, OPEN_FOLDER | O_NOFOLLOW);
	if (fd < 0)
		return why_errno(why, -errno, "%s", unpack->path.text);
	unpack->depth++;
	err = make_content(unpack, fd, why);
	unpack->depth--;
	return err ? err : finish(fd, record, record->mode | 0700, unpack, why);
}

/* ---- where it goes ------------------------------------------------------- */

struct target {
	int fd; /* the folder that it comes into */
	char name[NAME_MAX + 1]; /* as what; "": its content */
	char path[PATH_MAX];
};

/* Folder and last component of what is to be made anew, or replaced. */
static int split(struct target *target, struct why *why)
{
	char folder[PATH_MAX];
	char *slash;

	for (size_t n = strlen(target->path); n > 1 && target->path[n - 1] == '/'; n--)
		target->path[n - 1] = 0;
	snprintf(folder, sizeof(folder), "%s", target->path);
	slash = strrchr(folder, '/');
	if (snprintf(target->name, sizeof(target->name), "%s", slash ? slash + 1 : folder) >=
	    (int)sizeof(target->name))
		return why_set(why, -ENAMETOOLONG, "%s: the name is too long", target->path);
	if (!*target->name || !strcmp(target->name, ".") || !strcmp(target->name, ".."))
		return why_set(why, -ENOENT, "%s: no such folder", target->path);
	if (slash)
		slash[slash == folder] = 0;
	target->fd = open(slash ? folder : ".", OPEN_FOLDER);
	if (target->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return why_set(why, -errno, "%s: no such folder", slash ? folder : ".");
	return target->fd < 0 ? why_errno(why, -errno, "%s", folder) : 0;
}

static int find_target(struct target *target, const char *to, const char *name,
		       bool is_folder, struct why *why)
{
	struct stat st;
	int n;

	target->fd = -1;
	if (!stat(to, &st) && S_ISDIR(st.st_mode)) {
		n = snprintf(target->path, sizeof(target->path), "%s%s%s", to,
			     to[strlen(to) - 1] == '/' || !*name ? "" : "/", name);
		if (!*name && is_folder) {
			target->name[0] = 0;
			target->fd = open(to, OPEN_FOLDER);
			return target->fd < 0 ? why_errno(why, -errno, "%s", to) : 0;
		}
	} else {
		if (!lstat(to, &st) && is_folder)
			return why_set(why, -ENOTDIR,
				       "%s: is a file, which a folder does not replace", to);
		if (!is_folder && *to && to[strlen(to) - 1] == '/')
			return why_set(why, -ENOENT, "%s: no such folder", to);
		n = snprintf(target->path, sizeof(target->path), "%s", to);
	}
	if (n >= (int)sizeof(target->path))
		return why_set(why, -ENAMETOOLONG, "%.60s...: too long", to);
	return split(target, why);
}

/* A folder that nobody else has: no chance is needed, only a name that is free. */
static int make_stage(const struct target *target, char stage[32], int *fd,
		      struct why *why)
{
	for (unsigned i = 0; i < STAGES_MAX; i++) {
		snprintf(stage, 32, TREE_STAGE_PREFIX "%d.%u", (int)getpid(), i);
		if (!mkdirat(target->fd, stage, 0700)) {
			*fd = openat(target->fd, stage, OPEN_FOLDER | O_NOFOLLOW);
			return *fd < 0 ? why_errno(why, -errno, "%s", target->path) : 0;
		}
		if (errno != EEXIST)
			break;
	}
	stage[0] = 0;
	return why_errno(why, -errno, "%s", target->path);
}

static int put_in_place(int stage_fd, const struct target *target, struct why *why)
{
	cleanup_close int root = -1;
	int err;

	if (*target->name)
		return unpack_place(stage_fd, ROOT, target->fd, target->name, target->path,
				    why);
	root = openat(stage_fd, ROOT, OPEN_FOLDER | O_NOFOLLOW);
	if (root < 0)
		return why_errno(why, -errno, "%s", target->path);
	err = unpack_place_content(root, target->fd, target->path, why);
	if (!err)
		unlinkat(stage_fd, ROOT, AT_REMOVEDIR);
	return err;
}

static int receive(struct unpack *unpack, const struct tree_record *root, int stage_fd,
		   struct why *why)
{
	char name[TREE_NAME_BYTES_MAX + 1];
	struct tree_record end;
	int err = make_entry(unpack, stage_fd, ROOT, root, why);

	err = err ? err : get_record(unpack, &end, name, true, why);
	return !err && end.kind != 'E' ? why_set(why, -EPROTO, "no end of the copy") : err;
}

static int unpack_into(struct unpack *unpack, const struct tree_record *root,
		       const struct target *target, struct why *why)
{
	cleanup_close int stage_fd = -1;
	char stage[32];
	int err = make_stage(target, stage, &stage_fd, why);

	file_tree_path_push(&unpack->path, target->path);
	err = err ? err : receive(unpack, root, stage_fd, why);
	err = err ? err : put_in_place(stage_fd, target, why);
	/* Of what went wrong, the first is told. */
	if (*stage && fdio_remove_tree(target->fd, stage, err ? NULL : why) && !err)
		err = why_wrap(why, -EIO, "%s", target->path);
	return err;
}

int unpack_tree(int in_fd, const char *to, const char *name, enum unpack_links links,
		struct tree_left_out *left, struct why *why)
{
	cleanup_free struct unpack *unpack = calloc(1, sizeof(*unpack));
	char magic[TREE_MAGIC_BYTES], none[TREE_NAME_BYTES_MAX + 1];
	struct target target = { .fd = -1 };
	struct tree_record root;
	int err;

	if (!unpack)
		return why_set(why, -ENOMEM, "out of memory");
	unpack->in_fd = in_fd;
	unpack->links = links;
	unpack->left = left;
	err = get(unpack, magic, sizeof(magic), why);
	if (!err && memcmp(magic, TREE_MAGIC, sizeof(magic)))
		err = why_set(why, -EPROTO, "what comes is no copy");
	err = err ? err : get_record(unpack, &root, none, true, why);
	if (!err && root.kind != 'F' && root.kind != 'D')
		err = why_set(why, -EPROTO, "neither a file nor a folder");
	err = err ? err : find_target(&target, to, name, root.kind == 'D', why);
	err = err ? err : unpack_into(unpack, &root, &target, why);
	cleanup_close_(&target.fd);
	return err;
}

int unpack_run(const char *to, const char *name, enum unpack_links links)
{
	const struct sigaction stop = { .sa_handler = on_stop };
	struct tree_left_out left = { .count = 0 };
	struct why why;

	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (unpack_tree(STDIN_FILENO, to, name, links, &left, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return TREE_STATUS_FAILED;
	}
	return file_tree_tell_left_out(&left);
}
