/* SPDX-License-Identifier: MIT */
#include "node/closed.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Where programs keep what is not for everybody, and how deep that may lie. */
static const struct {
	const char *path;
	int depth;
} places[] = {
	{ "/etc", 4 },	     { "/var/cache", 2 }, { "/var/lib", 3 },
	{ "/var/log", 3 },   { "/var/mail", 1 },  { "/var/spool", 3 },
};

/* Large, and nobody's in a machine. */
static const char *const skipped[] = { "/var/lib/dpkg", "/var/lib/apt" };

struct look {
	uid_t uid;
	gid_t gid;
	bool other; /* uid is not ours: then the mode tells, else the system is asked */
	char *out;
	size_t used;
	size_t root_bytes; /* of the path, in front of what is listed */
};

static char found[CLOSED_BYTES_MAX];

static bool may(const struct look *look, int dir_fd, const char *name,
		const struct stat *st, mode_t wanted /* r 4, x 1 */)
{
	mode_t mode = st->st_mode;

	if (!look->other)
		return faccessat(dir_fd, name, (int)wanted, AT_EACCESS) == 0;
	if (st->st_uid == look->uid)
		mode >>= 6;
	else if (st->st_gid == look->gid)
		mode >>= 3;
	return (mode & wanted) == wanted;
}

/* A line that does not fit is not there: the machine then meets the closed door. */
static void list(struct look *look, char kind, const struct stat *st, const char *path)
{
	size_t room = CLOSED_BYTES_MAX - look->used;
	int n;

	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ')
			return;
	n = snprintf(look->out + look->used, room, "%c %o %u %u %s\n", kind,
		     st->st_mode & 07777, st->st_uid, st->st_gid, path + look->root_bytes);
	if (n > 0 && (size_t)n < room)
		look->used += (size_t)n;
	else
		look->out[look->used] = 0;
}

static void look_into(struct look *look, const char *path, int depth);

static void look_at(struct look *look, int dir_fd, const char *folder, const char *name,
		    int depth)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		if (!strcmp(path + look->root_bytes, skipped[i]))
			return;
	if (S_ISREG(st.st_mode) && !may(look, dir_fd, name, &st, R_OK))
		list(look, 'f', &st, path);
	if (!S_ISDIR(st.st_mode))
		return;
	if (!may(look, dir_fd, name, &st, X_OK))
		list(look, 'd', &st, path);
	/* What only root could list is not told: a lab of root's finds the same. */
	else if (depth > 1 && may(look, dir_fd, name, &st, R_OK))
		look_into(look, path, depth - 1);
}

/* In the order of names, so that equal hosts give equal machines. */
static void look_into(struct look *look, const char *path, int depth)
{
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent **entries;
	int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") && strcmp(name, ".."))
			look_at(look, fd, path, name, depth);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void closed_list(const char *root, uid_t uid, gid_t gid, char *out)
{
	struct look look = { .uid = uid,
			     .gid = gid,
			     .other = uid != geteuid(),
			     .out = out,
			     .root_bytes = strlen(root) };

	out[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s%s", root, places[i].path);
		look_into(&look, path, places[i].depth);
	}
}

void closed_look(uid_t uid, gid_t gid)
{
	closed_list("", uid, gid, found);
}

const char *closed_text(void)
{
	return found;
}
