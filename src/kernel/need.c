/* SPDX-License-Identifier: MIT */
#include "kernel/need.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/run.h"

/* Each with Debian's package for it. */
static const struct {
	const char *program, *package;
} tools[] = {
	{ "gcc", "gcc libc6-dev" }, { "ld", "binutils" }, { "make", "make" },
	{ "flex", "flex" },	    { "bison", "bison" }, { "bc", "bc" },
	{ "patch", "patch" },	    { "xz", "xz-utils" }, { "tar", "tar" },
	{ "perl", "perl-base" },    { "depmod", "kmod" },
};

int need_tools(struct why *why)
{
	char programs[256] = "", packages[256] = "";
	size_t p = 0, k = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (run_find(tools[i].program))
			continue;
		p += (size_t)snprintf(programs + p, sizeof(programs) - p, "%s%s",
				      p ? ", " : "", tools[i].program);
		k += (size_t)snprintf(packages + k, sizeof(packages) - k, " %s",
				      tools[i].package);
	}
	if (!p)
		return 0;
	return why_set(why, -ENOENT,
		       "to build a kernel, these programs are missing: %s; on Debian, "
		       "as root: apt-get install%s",
		       programs, packages);
}

int need_room(const char *dir, uint64_t bytes, struct why *why)
{
	struct statvfs fs;
	char path[PATH_MAX];
	uint64_t room;

	snprintf(path, sizeof(path), "%s", dir);
	while (statvfs(path, &fs)) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT || !slash || slash == path)
			return why_errno(why, -errno, "%s", path);
		*slash = 0;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= bytes)
		return 0;
	return why_set(
		why, -ENOSPC,
		"building a kernel needs %llu MB in %s, and there are %llu MB: make "
		"room, or set XDG_CACHE_HOME to a folder that has it",
		(unsigned long long)(bytes >> 20), dir, (unsigned long long)(room >> 20));
}
