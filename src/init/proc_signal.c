/* SPDX-License-Identifier: MIT */
#include "init/proc_signal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "init/service_cgroup.h"

#define PREFIX "service."

static bool is_number(const char *text, int most, int *number)
{
	uint64_t count;

	if (units_parse_count(text, &count, NULL) || !count || count > (uint64_t)most)
		return false;
	*number = (int)count;
	return true;
}

static int to_process(pid_t pid, int signal_no)
{
	if (pid == 1) {
		fputs("process 1 is the machine's own; to end the machine: netlab node kill\n",
		      stderr);
		return 1;
	}
	if (kill(pid, signal_no)) {
		fprintf(stderr, "process %d: %s\n", (int)pid, strerror(errno));
		return 1;
	}
	return 0;
}

static void tell_which_there_are(const char *name)
{
	DIR *groups = opendir(SERVICE_CGROUPS);
	const struct dirent *group;
	bool any = false;

	fprintf(stderr, "no service \"%s\"", name);
	while (groups && (group = readdir(groups))) {
		if (strncmp(group->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		fprintf(stderr, "%s %s", any ? "" : "; there are",
			group->d_name + strlen(PREFIX));
		any = true;
	}
	fputs(any ? "\n" : " here\n", stderr);
	if (groups)
		closedir(groups);
}

static int to_service(const char *name, int signal_no)
{
	char path[PATH_MAX];
	cleanup_close int group_fd = -1;
	int err;

	if (access(SERVICE_CGROUPS "/cgroup.procs", F_OK)) {
		fprintf(stderr,
			"%s: this machine's kernel has no cgroups, by which a service's "
			"processes are known; name one by its number\n",
			name);
		return 1;
	}
	snprintf(path, sizeof(path), SERVICE_CGROUPS "/" PREFIX "%s", name);
	if (!strchr(name, '/'))
		group_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group_fd < 0) {
		tell_which_there_are(name);
		return 1;
	}
	if (!service_cgroup_has_members(group_fd)) {
		fprintf(stderr, "service %s has no process: it has ended\n", name);
		return 1;
	}
	err = service_cgroup_signal(group_fd, signal_no);
	if (err)
		fprintf(stderr, "service %s: its processes cannot be read: %s\n", name,
			strerror(-err));
	return err ? 1 : 0;
}

int proc_signal_run(const char *number, const char *target)
{
	int signal_no, pid;

	if (!is_number(number, _NSIG - 1, &signal_no)) {
		fprintf(stderr, "\"%s\" is no number of a signal\n", number);
		return 2;
	}
	return is_number(target, INT_MAX, &pid) ? to_process(pid, signal_no)
						: to_service(target, signal_no);
}
