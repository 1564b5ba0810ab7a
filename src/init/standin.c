/* SPDX-License-Identifier: MIT */
#include "init/standin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "init/standin_files.h"
#include "base/cleanup.h"
#include "base/fdio.h"

enum { ACCOUNTS_BYTES_MAX = 4 << 20, PASSWORD_DAY = 19000 };

struct standin {
	const char *lower, *upper;
};

/* One line of the list. */
struct closed {
	char kind;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char path[PATH_MAX];
};

/* ---- accounts ------------------------------------------------------------- */

/* "name:" and what follows, for each line of accounts. */
static char *for_each_account(const char *text, const char *rest, bool with_members)
{
	char *out = NULL;
	size_t size;
	FILE *file = open_memstream(&out, &size);

	while (file && *text) {
		size_t line = strcspn(text, "\n"), name = strcspn(text, ":\n");
		const char *last = memrchr(text, ':', line);

		if (name && name < line)
			fprintf(file, "%.*s:%s%.*s\n", (int)name, text, rest,
				with_members ? (int)(text + line - last - 1) : 0,
				last ? last + 1 : "");
		text += line + (text[line] == '\n');
	}
	if (!file || fclose(file)) {
		free(out);
		return NULL;
	}
	return out;
}

char *standin_shadow(const char *passwd)
{
	char rest[64];

	/* A day in the past: on day 0 a password is to be changed at once. */
	snprintf(rest, sizeof(rest), "*:%d:0:99999:7:::", PASSWORD_DAY);
	return for_each_account(passwd, rest, false);
}

char *standin_gshadow(const char *group)
{
	return for_each_account(group, "*::", true);
}

/* The content of one of these is made of the host's list of names. */
static char *make_accounts(const struct standin *standin, const char *path)
{
	cleanup_free char *text = NULL;
	char source[PATH_MAX];
	bool groups = !strcmp(path, "/etc/gshadow");
	size_t size;

	snprintf(source, sizeof(source), "%s/etc/%s", standin->lower,
		 groups ? "group" : "passwd");
	if (fdio_read_file(AT_FDCWD, source, ACCOUNTS_BYTES_MAX, &text, &size, NULL))
		return NULL;
	return groups ? standin_gshadow(text) : standin_shadow(text);
}

/* ---- the upper layer ------------------------------------------------------ */

/* The folders above, as they are below. */
static int make_above(const struct standin *standin, const char *path, struct why *why)
{
	char lower[PATH_MAX * 2], upper[PATH_MAX * 2];
	struct stat st;

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int size = (int)(slash - path);

		snprintf(lower, sizeof(lower), "%s%.*s", standin->lower, size, path);
		snprintf(upper, sizeof(upper), "%s%.*s", standin->upper, size, path);
		if (mkdir(upper, 0755) < 0) {
			if (errno == EEXIST)
				continue;
			return why_errno(why, -errno, "%.*s", size, path);
		}
		if (lstat(lower, &st) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
		    chmod(upper, st.st_mode & 07777) < 0)
			return why_errno(why, -errno, "%.*s", size, path);
	}
	return 0;
}

static int put_folder(const struct standin *standin, const struct closed *closed,
		      struct why *why)
{
	char path[PATH_MAX * 2];

	snprintf(path, sizeof(path), "%s%s", standin->upper, closed->path);
	if (mkdir(path, 0700) < 0 || chown(path, closed->uid, closed->gid) < 0 ||
	    chmod(path, closed->mode) < 0 ||
	    setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return why_errno(why, -errno, "%s", closed->path);
	return 0;
}

static int put_file(const struct standin *standin, const struct closed *closed,
		    const char *content, struct why *why)
{
	char path[PATH_MAX * 2];
	int err;

	snprintf(path, sizeof(path), "%s%s", standin->upper, closed->path);
	if (!content) /* how an overlay says that there is none */
		return mknod(path, S_IFCHR, makedev(0, 0)) < 0 ?
			       why_errno(why, -errno, "%s", closed->path) :
			       0;
	err = fdio_write_file(AT_FDCWD, path, content, strlen(content), 0600, why);
	if (!err && (chown(path, closed->uid, closed->gid) < 0 ||
		     chmod(path, closed->mode) < 0))
		err = why_errno(why, -errno, "%s", closed->path);
	return err;
}

/* What comes with a path that is closed. */
static int put_companions(const struct standin *standin, const struct closed *closed,
			  struct why *why)
{
	for (const struct standin_file *file = standin_files; file->path; file++) {
		struct closed own = *closed;
		int err;

		if (!file->beside || strcmp(file->beside, closed->path))
			continue;
		own.mode = file->mode;
		if (closed->kind == 'f')
			own.uid = own.gid = 0;
		snprintf(own.path, sizeof(own.path), "%s", file->path);
		err = put_file(standin, &own, file->content, why);
		if (err)
			return err;
	}
	return 0;
}

static int put(const struct standin *standin, const struct closed *closed, struct why *why)
{
	cleanup_free char *made = NULL;
	const char *content = NULL;
	int err = make_above(standin, closed->path, why);

	if (err)
		return err;
	if (closed->kind == 'd') {
		err = put_folder(standin, closed, why);
		return err ? err : put_companions(standin, closed, why);
	}
	for (const struct standin_file *file = standin_files; file->path; file++)
		if (!file->beside && !strcmp(file->path, closed->path))
			content = file->content;
	if (!strcmp(closed->path, "/etc/shadow") || !strcmp(closed->path, "/etc/gshadow"))
		content = made = make_accounts(standin, closed->path);
	err = put_file(standin, closed, content, why);
	return err ? err : put_companions(standin, closed, why);
}

static bool read_line(const char *line, size_t size, struct closed *out)
{
	unsigned mode, uid, gid;
	int at = 0;

	if (sscanf(line, "%c %o %u %u %n", &out->kind, &mode, &uid, &gid, &at) != 4 || !at ||
	    (size_t)at >= size || line[at] != '/' || size - (size_t)at >= sizeof(out->path))
		return false;
	out->mode = mode & 07777;
	out->uid = uid;
	out->gid = gid;
	memcpy(out->path, line + at, size - (size_t)at);
	out->path[size - (size_t)at] = 0;
	return true;
}

int standin_apply(const char *lower, const char *upper, const char *closed,
		  struct why *why)
{
	const struct standin standin = { .lower = lower, .upper = upper };
	struct closed one;
	int err = 0;

	while (!err && *closed) {
		size_t size = strcspn(closed, "\n");

		if (!read_line(closed, size, &one))
			return why_set(why, -EINVAL, "the list of closed files: '%.*s'",
				       (int)size, closed);
		err = put(&standin, &one, why);
		closed += size + (closed[size] == '\n');
	}
	return err;
}

/* ---- /run ------------------------------------------------------------------ */

/* "NAME:x:UID:GID" */
static bool find_user(const char *passwd, const char *name, uid_t *uid, gid_t *gid)
{
	size_t size = strlen(name);

	for (const char *line = passwd; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, name, size) && line[size] == ':')
			return sscanf(line + size, ":%*[^:]:%u:%u", uid, gid) == 2;
	return false;
}

int standin_run_folders(const char *etc, const char *run, struct why *why)
{
	static const struct {
		const char *name, *user, *owner;
		mode_t mode;
	} folders[] = {
		{ "sshd", "sshd", "root", 0755 },
		{ "redis", "redis", "redis", 02755 },
		{ "frr", "frr", "frr", 0755 },
		{ "postgresql", "postgres", "postgres", 02775 },
		{ "mysqld", "mysql", "mysql", 0755 },
		{ "dbus", "messagebus", "messagebus", 0755 },
		{ "named", "bind", "bind", 0755 },
	};
	cleanup_free char *passwd = NULL;
	char path[PATH_MAX];
	size_t size;

	snprintf(path, sizeof(path), "%s/passwd", etc);
	if (fdio_read_file(AT_FDCWD, path, ACCOUNTS_BYTES_MAX, &passwd, &size, NULL))
		return 0; /* an image without users */
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		uid_t uid;
		gid_t gid;

		if (!find_user(passwd, folders[i].user, &uid, &gid) ||
		    !find_user(passwd, folders[i].owner, &uid, &gid))
			continue;
		snprintf(path, sizeof(path), "%s/%s", run, folders[i].name);
		if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chown(path, uid, gid) < 0 ||
		    chmod(path, folders[i].mode) < 0)
			return why_errno(why, -errno, "%s", path);
	}
	return 0;
}
