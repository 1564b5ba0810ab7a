/* SPDX-License-Identifier: MIT */
#include "kernel/workshop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/place.h"
#include "kernel/recipe.h"

enum { LOCK_TICK_MS = 300 };

int workshop_lock(const char *dir, struct steps *steps, struct why *why)
{
	char path[PATH_MAX], holder[32] = "";
	struct pollfd cancel = { .fd = steps->cancel_fd ? steps->cancel_fd : -1,
				 .events = POLLIN };
	int err = place_join(path, dir, "lock", why);

	if (err)
		return err;
	cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return why_errno(why, -errno, "%s", path);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		ssize_t got;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return why_errno(why, -errno, "%s", path);
		got = pread(fd, holder, sizeof(holder) - 1, 0);
		holder[got > 0 ? got : 0] = 0;
		steps_begin(steps, STEP_FIND, "waiting for process %.20s, which builds",
			    *holder ? holder : "?");
		if (poll(&cancel, 1, LOCK_TICK_MS) > 0)
			return why_set(why, -ECANCELED, "interrupted while waiting");
	}
	snprintf(holder, sizeof(holder), "%d", (int)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, holder, strlen(holder), 0) < 0)
		return why_errno(why, -errno, "%s", path);
	return steal_fd(&fd);
}

int workshop_open_log(const char *dir, struct steps *steps, struct why *why)
{
	int err = place_join(steps->log, dir, "log", why), fd;

	if (err)
		return err;
	fd = open(steps->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return why_errno(why, -errno, "%s", steps->log);
	steps->log_fd = fd;
	return 0;
}

int workshop_remove(const char *dir, const char *name, struct why *why)
{
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : why_errno(why, -errno, "%s", dir);
	return fdio_remove_tree(fd, name, why);
}

int workshop_remove_all(const char *all, struct why *why)
{
	struct dirent *entry;
	DIR *dir = opendir(all);
	int err = 0;

	if (!dir)
		return why_errno(why, -errno, "%s", all);
	while (!err && (entry = readdir(dir)))
		if (strlen(entry->d_name) == RECIPE_HASH_BYTES - 1)
			err = fdio_remove_tree(dirfd(dir), entry->d_name, why);
	closedir(dir);
	return err;
}
