/* SPDX-License-Identifier: MIT */
#include "init/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

enum { COMPRESSED_FILE = 4 }; /* MODULE_INIT_COMPRESSED_FILE, since Linux 5.17 */

/* The folder itself if it has modules.dep, else the one of this kernel in it. */
static int open_dir(const char *dir, struct why *why)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	struct utsname uts;
	int fd = open(dir, flags);

	if (fd >= 0 && faccessat(fd, "modules.dep", F_OK, 0) < 0 && uname(&uts) == 0) {
		int below = openat(fd, uts.release, flags);

		close(fd);
		fd = below;
	}
	return fd < 0 ? why_errno(why, -errno, "open %s", dir) : fd;
}

int modules_open(struct modules *out, const char *dir, struct why *why)
{
	size_t size;
	int err = 0;

	*out = (struct modules){ .dir_fd = -1 };
	if (!*dir)
		return 0;
	out->dir_fd = open_dir(dir, why);
	if (out->dir_fd < 0)
		err = out->dir_fd;
	else
		err = fdio_read_file(out->dir_fd, "modules.dep", MODULES_DEP_BYTES_MAX,
				     &out->dep, &size, why);
	return err ? why_wrap(why, err, "kernel modules in %s", dir) : 0;
}

void modules_close(struct modules *modules)
{
	cleanup_close_(&modules->dir_fd);
	free(modules->dep);
	*modules = (struct modules){ .dir_fd = -1 };
}

/* Is this file ("kernel/fs/overlayfs/overlay.ko.xz") the module of that name? */
static bool is_module(const char *file, size_t size, const char *name)
{
	const char *base = file + size;

	while (base > file && base[-1] != '/')
		base--;
	for (; *name; name++, base++) {
		char a = *name == '-' ? '_' : *name;

		if (base == file + size || (*base == '-' ? '_' : *base) != a)
			return false;
	}
	return (size_t)(file + size - base) >= 3 && !memcmp(base, ".ko", 3) &&
	       (base + 3 == file + size || base[3] == '.');
}

const char *modules_find(const char *dep, const char *name, size_t *size)
{
	while (*dep) {
		*size = strcspn(dep, "\n");
		if (is_module(dep, strcspn(dep, ":\n"), name))
			return dep;
		dep += *size;
		dep += *dep == '\n';
	}
	return NULL;
}

static int load_file(const struct modules *modules, const char *file, size_t size,
		     const char *options, struct why *why)
{
	bool plain = size > 3 && !memcmp(file + size - 3, ".ko", 3);
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%.*s", (int)size, file) >= (int)sizeof(path))
		return why_set(why, -ENAMETOOLONG, "%.*s", (int)size, file);
	cleanup_close int fd = openat(modules->dir_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return why_errno(why, -errno, "open %s", path);
	if (syscall(SYS_finit_module, fd, options, plain ? 0 : COMPRESSED_FILE) < 0 &&
	    errno != EEXIST)
		return why_errno(why, -errno, "load %s", path);
	return 0;
}

/* "FILE: DEP DEP ...": each stands before those that it needs itself, so they are
 * loaded from the end of the line to its beginning. */
int modules_load_with(const struct modules *modules, const char *name,
		      const char *options, struct why *why)
{
	struct word {
		const char *at;
		size_t size;
	} words[MODULES_DEPS_MAX];
	const char *line, *end;
	size_t size, n = 0;

	line = modules->dep ? modules_find(modules->dep, name, &size) : NULL;
	if (!line)
		return 0;
	for (end = line + size; line < end; line += strspn(line, ": ")) {
		if (n == MODULES_DEPS_MAX)
			return why_set(why, -E2BIG,
				       "kernel module %s needs too many others", name);
		words[n].at = line;
		words[n].size = strcspn(line, ": \n");
		line += words[n++].size;
	}
	while (n--) {
		int err = load_file(modules, words[n].at, words[n].size, n ? "" : options,
				    why);

		if (err)
			return why_wrap(why, err, "kernel module %s", name);
	}
	return 0;
}

int modules_load(const struct modules *modules, const char *name, struct why *why)
{
	return modules_load_with(modules, name, "", why);
}

/* Whoever may open these without being root elsewhere, may here. */
static mode_t node_mode(const char *path)
{
	return !strcmp(path, "fuse") || !strcmp(path, "net/tun") ? 0666 : 0600;
}

/* "MODULE PATH cMAJOR:MINOR", or b; -EINVAL if it is not that. */
static int make_node(const char *line, const char *dev, struct why *why)
{
	char name[64], path[64], kind, target[PATH_MAX];
	unsigned major_number, minor_number;
	int err;

	if (sscanf(line, "%63s %63s %c%u:%u", name, path, &kind, &major_number,
		   &minor_number) != 5 ||
	    (kind != 'c' && kind != 'b') || strstr(path, "..") || *path == '/')
		return why_set(why, -EINVAL, "modules.devname: '%.*s'",
			       (int)strcspn(line, "\n"), line);
	snprintf(target, sizeof(target), "%s/%s", dev, path);
	*strrchr(target, '/') = 0;
	err = fdio_make_dirs(target, 0755, why);
	if (err)
		return err;
	snprintf(target, sizeof(target), "%s/%s", dev, path);
	if (!mknod(target, (kind == 'c' ? S_IFCHR : S_IFBLK) | node_mode(path),
		   makedev(major_number, minor_number)))
		return chmod(target, node_mode(path))
			       ? why_errno(why, -errno, "%s", target)
			       : 0;
	return errno == EEXIST ? 0 : why_errno(why, -errno, "create %s", target);
}

int modules_make_nodes(const struct modules *modules, const char *dev, struct why *why)
{
	cleanup_free char *text = NULL;
	size_t size;
	int err;

	if (!modules->dep)
		return 0;
	err = fdio_read_file(modules->dir_fd, "modules.devname", MODULES_DEP_BYTES_MAX,
			     &text, &size, why);
	if (err)
		return err == -ENOENT ? 0 : err;
	for (const char *line = text; !err && *line; line += *line == '\n') {
		if (*line != '#' && *line != '\n')
			err = make_node(line, dev, why);
		line += strcspn(line, "\n");
	}
	return err;
}
