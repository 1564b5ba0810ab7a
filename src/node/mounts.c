/* SPDX-License-Identifier: MIT */
#include "node/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int too_old(int err, const char *call, struct why *why)
{
	if (err == -ENOSYS)
		return why_set(why, err,
			       "%s is missing: netlab needs Linux 5.12 or newer, and a "
			       "container's security profile must allow it",
			       call);
	return why_errno(why, err, "%s", call);
}

static int set_attrs(int fd, const char *path, int flags, uint64_t set, uint64_t clear,
		     struct why *why)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (mount_setattr(fd, path, (unsigned)flags | AT_RECURSIVE, &attr, sizeof(attr)))
		return too_old(-errno, "mount_setattr", why);
	return 0;
}

int mounts_clone(int dir_fd, const char *path, uint64_t attrs, struct why *why)
{
	cleanup_close int fd = open_tree(dir_fd, path,
					 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						 AT_RECURSIVE | AT_NO_AUTOMOUNT);
	int err;

	if (fd < 0)
		return why_wrap(why, too_old(-errno, "open_tree", why), "%s", path);
	err = attrs ? set_attrs(fd, "", AT_EMPTY_PATH, attrs, 0, why) : 0;
	if (err)
		return why_wrap(why, err, "%s", path);
	return steal_fd(&fd);
}

int mounts_place(int tree_fd, int dir_fd, const char *path, struct why *why)
{
	if (move_mount(tree_fd, "", dir_fd, path,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS))
		return why_errno(why, -errno, "%s: move_mount", path);
	return 0;
}

int mounts_bind(const char *path_from, int dir_fd, const char *path_to, uint64_t attrs,
		struct why *why)
{
	cleanup_close int fd = mounts_clone(AT_FDCWD, path_from, attrs, why);

	return fd < 0 ? fd : mounts_place(fd, dir_fd, path_to, why);
}

int mounts_change(int dir_fd, const char *path, uint64_t set, uint64_t clear,
		  struct why *why)
{
	int err = set_attrs(dir_fd, path, 0, set, clear, why);

	return err ? why_wrap(why, err, "%s", path) : 0;
}

/* mount(2) knows flags of its own for the same things. */
static unsigned long classic_flags(uint64_t attrs)
{
	return (attrs & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0) |
	       (attrs & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0) |
	       (attrs & MOUNT_ATTR_NODEV ? MS_NODEV : 0) |
	       (attrs & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0);
}

int mounts_new(const char *type, const char *options, uint64_t attrs, int dir_fd,
	       const char *path, struct why *why)
{
	int back = -1, err = 0;

	/* mount(2) has no at-variant; the caller's working folder comes back. */
	if (dir_fd != AT_FDCWD) {
		back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (back < 0 || fchdir(dir_fd)) {
			err = why_errno(why, -errno, "%s", path);
			goto out;
		}
	}
	if (mount(type, path, type, classic_flags(attrs), options))
		err = why_errno(why, -errno, "mount a %s at %s", type, path);
	if (back >= 0 && fchdir(back) && !err)
		err = why_errno(why, -errno, "return to the working folder");
out:
	if (back >= 0)
		close(back);
	return err;
}
