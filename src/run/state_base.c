/* SPDX-License-Identifier: MIT */
#include "run/state_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A runtime folder is there, ours, and not open to others. */
static bool is_runtime_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

/* Whoever says where, has labs there and nowhere else.  Who does not, or says what the
 * login says, has them in the login's folder while there is one, else in /tmp: those of
 * the one kind are looked for from the other, too. */
static int choose_path(char path[PATH_MAX], unsigned place, struct why *why)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char of_user[64];
	int n;

	snprintf(of_user, sizeof(of_user), "/run/user/%u", geteuid());
	if (!runtime || !*runtime)
		runtime = is_runtime_dir(of_user) ? of_user : NULL;
	if (place && (!runtime || strcmp(runtime, of_user) != 0))
		return -ENOENT;
	if (place || !runtime) {
		snprintf(path, PATH_MAX, "/tmp/netlab-%u", geteuid());
		return 0;
	}
	if (*runtime != '/')
		return why_set(why, -EINVAL, "XDG_RUNTIME_DIR is not an absolute path: %s",
			       runtime);
	n = snprintf(path, PATH_MAX, "%s/netlab", runtime);
	return n < PATH_MAX ? 0 :
			      why_set(why, -ENAMETOOLONG, "XDG_RUNTIME_DIR is too long");
}

/* Root who has become root with another user's environment would leave there what that user
 * can neither use nor remove. */
static int check_runtime(const char *path, struct why *why)
{
	char above[PATH_MAX];
	struct stat st;

	snprintf(above, sizeof(above), "%s", path);
	*strrchr(above, '/') = 0;
	if (!*above || stat(above, &st) || st.st_uid == geteuid() || st.st_uid == 0)
		return 0;
	return why_set(why, -EPERM,
		       "the runtime folder %s (XDG_RUNTIME_DIR) belongs to user %u, not to "
		       "you (%u): unset XDG_RUNTIME_DIR",
		       above, st.st_uid, geteuid());
}

/* In /tmp anybody could have put a folder of that name before us. */
static int check_private(int fd, const char *path, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return why_errno(why, -errno, "%s", path);
	if (st.st_uid != geteuid())
		return why_set(why, -EPERM,
			       "%s belongs to user %u, not to you (%u): set "
			       "XDG_RUNTIME_DIR to a "
			       "folder of your own",
			       path, st.st_uid, geteuid());
	if (st.st_mode & 077)
		return why_set(why, -EPERM,
			       "%s is open to other users (mode %03o): chmod 700 %s",
			       path, st.st_mode & 0777, path);
	return 0;
}

int state_base_open(int *fd, char path[PATH_MAX], unsigned place, bool create,
		    struct why *why)
{
	cleanup_close int base = -1;
	int err = choose_path(path, place, why);

	if (err)
		return err;
	if (create)
		err = check_runtime(path, why);
	if (err)
		return err;
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return why_errno(why, -errno, "cannot make %s, the folder of all labs",
				 path);
	base = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (base < 0)
		return why_errno(why, -errno, "%s", path);
	err = check_private(base, path, why);
	/* What somebody else has put into /tmp is no place of ours. */
	if (err)
		return place ? -ENOENT : err;
	while (flock(base, LOCK_EX) < 0)
		if (errno != EINTR)
			return why_errno(why, -errno, "lock %s", path);
	*fd = steal_fd(&base);
	return 0;
}
