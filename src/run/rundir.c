/* SPDX-License-Identifier: MIT */
#include "run/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"

enum { SAME_SECOND_MAX = 1000 };

/* LAB-YYYYmmdd-HHMMSS, and -2, -3 … if that second was used already. */
static int make_unique(int parent_fd, const char *parent, const char *lab, char *name,
		       size_t room, struct why *why)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	for (int n = 1; n <= SAME_SECOND_MAX; n++) {
		int len = snprintf(name, room, "%s-%s", lab, stamp);

		if (n > 1)
			snprintf(name + len, room - (size_t)len, "-%d", n);
		if (mkdirat(parent_fd, name, 0755) == 0)
			return 0;
		if (errno != EEXIST)
			return why_errno(
				why, -errno,
				"cannot make the run directory %s/%s; choose another "
				"place with --out",
				parent, name);
	}
	return why_set(why, -EEXIST, "%s has %d run directories of this second", parent,
		       SAME_SECOND_MAX);
}

/* LAB-latest is replaced as a whole; that it fails is no reason not to run. */
static void point_latest(int parent_fd, const char *lab, const char *name)
{
	char latest[NAME_MAX], fresh[NAME_MAX];

	snprintf(latest, sizeof(latest), "%s-latest", lab);
	snprintf(fresh, sizeof(fresh), ".%s-latest.%d", lab, getpid());
	unlinkat(parent_fd, fresh, 0);
	if (symlinkat(name, parent_fd, fresh) == 0 &&
	    renameat(parent_fd, fresh, parent_fd, latest) < 0)
		unlinkat(parent_fd, fresh, 0);
}

/* A link that somebody else has put there would take root wherever that user likes. */
static int check_link(const char *path, struct why *why)
{
	struct stat st;

	if (lstat(path, &st) || !S_ISLNK(st.st_mode) || st.st_uid == geteuid())
		return 0;
	return why_set(why, -EPERM,
		       "%s is a link that belongs to user %u, not to you (%u): it is not "
		       "followed; choose another place with --out",
		       path, st.st_uid, geteuid());
}

int rundir_make_default(const char *parent, struct why *why)
{
	static const char all[] = "# Made by netlab: runs are not for the repository.\n*\n";
	cleanup_close int fd = -1;
	int err = check_link(parent, why);

	if (err)
		return err;
	if (mkdir(parent, 0755) < 0)
		return errno == EEXIST ?
			       0 :
			       why_errno(why, -errno,
					 "cannot make %s for the run directory; choose "
					 "another place with --out",
					 parent);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return why_errno(why, -errno, "%s", parent);
	return fdio_write_file(fd, ".gitignore", all, sizeof(all) - 1, 0644, why);
}

int rundir_create(struct rundir *out, const char *parent, const char *lab,
		  struct why *why)
{
	static const char *const below[] = { "consoles", "logs", "captures" };
	cleanup_close int parent_fd = -1, fd = -1;
	char real[PATH_MAX], name[NAME_MAX];
	int err = fdio_make_dirs(parent, 0755, NULL);

	if (err)
		return why_errno(
			why, err,
			"cannot make %s for the run directory; choose another place "
			"with --out",
			parent);
	parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0 || !realpath(parent, real))
		return why_errno(why, -errno, "%s", parent);
	err = text_check_path(real, "choose another place with --out", why);
	if (!err)
		err = make_unique(parent_fd, real, lab, name, sizeof(name), why);
	if (err)
		return err;
	if (snprintf(out->path, sizeof(out->path), "%s/%s", real, name) >=
	    (int)sizeof(out->path))
		return why_set(why, -ENAMETOOLONG, "%s/%s: path too long", real, name);
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return why_errno(why, -errno, "%s", out->path);
	for (size_t i = 0; i < ARRAY_SIZE(below); i++)
		if (mkdirat(fd, below[i], 0755) < 0)
			return why_errno(why, -errno, "%s/%s", out->path, below[i]);
	point_latest(parent_fd, lab, name);
	out->fd = steal_fd(&fd);
	return 0;
}

int rundir_write(const struct rundir *run, const char *name, const void *bytes,
		 size_t size, struct why *why)
{
	return fdio_write_file(run->fd, name, bytes, size, 0644, why);
}

int rundir_append(const struct rundir *run, const char *name, struct why *why)
{
	int fd = openat(run->fd, name,
			O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? why_errno(why, -errno, "%s/%s", run->path, name) : fd;
}

int rundir_enter(struct rundir *run, struct why *why)
{
	int fd = open(run->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return why_errno(why, -errno, "%s", run->path);
	close(run->fd);
	run->fd = fd;
	return 0;
}

void rundir_close(struct rundir *run)
{
	if (run->fd >= 0)
		close(run->fd);
	run->fd = -1;
}

int logfile_open(struct logfile *log, const struct rundir *run, const char *name,
		 struct why *why)
{
	int fd = rundir_append(run, name, why);

	*log = (struct logfile){ .fd = fd < 0 ? -1 : fd };
	return fd < 0 ? fd : 0;
}

void logfile_write(struct logfile *log, const void *bytes, size_t size)
{
	static const char full[] = "\n[netlab: this log is full; the rest is not kept]\n";

	if (log->fd < 0) {
		log->lost += size;
		return;
	}
	if (log->written + size > LOGFILE_BYTES_MAX) {
		log->lost += size;
		/* If even this fails there is nothing more to be done. */
		(void)fdio_write(log->fd, full, sizeof(full) - 1);
		logfile_close(log);
		return;
	}
	log->error = fdio_append(log->fd, bytes, size);
	if (log->error) {
		log->lost += size;
		logfile_close(log);
		return;
	}
	log->written += size;
}

void logfile_close(struct logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
