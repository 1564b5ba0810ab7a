/* SPDX-License-Identifier: MIT */
#include "init/service_cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

enum { PROCS_BYTES_MAX = 1 << 20 };

int service_cgroup_make(const char *root, const char *name)
{
	char path[PATH_MAX], procs[PATH_MAX];
	struct stat st;

	if (!root || snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path) ||
	    snprintf(procs, sizeof(procs), "%s/cgroup.procs", root) >= (int)sizeof(procs) ||
	    stat(procs, &st) < 0)
		return -1;
	mkdir(path, 0755);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int service_cgroup_open_door(int group_fd)
{
	return group_fd < 0 ? -1 : openat(group_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}

bool service_cgroup_has_members(int group_fd)
{
	cleanup_free char *text = NULL;
	size_t size;

	return group_fd >= 0 &&
	       !fdio_read_file(group_fd, "cgroup.events", 4096, &text, &size, NULL) &&
	       strstr(text, "populated 1");
}

/* Who is just being born is killed, too; kernels before 5.14 cannot. */
static bool kill_at_once(int group_fd)
{
	cleanup_close int fd = openat(group_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "1", 1) == 1;
}

int service_cgroup_signal(int group_fd, int signal_no)
{
	cleanup_free char *text = NULL;
	size_t size;
	int err;

	if (group_fd < 0 || (signal_no == SIGKILL && kill_at_once(group_fd)))
		return 0;
	err = fdio_read_file(group_fd, "cgroup.procs", PROCS_BYTES_MAX, &text, &size, NULL);
	if (err)
		return err;
	for (char *at = text, *end; *at; at = end + (*end == '\n')) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		/* One that is gone by now needs none. */
		if (pid > 1)
			kill((pid_t)pid, signal_no);
	}
	return 0;
}
