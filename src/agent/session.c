/* SPDX-License-Identifier: MIT */
#include "agent/session.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"

/* The session of a process, 0 if it is gone or a zombie.  The name in brackets
 * may hold anything: what counts comes after the last ")". */
static pid_t session_of(int proc_fd, const char *pid, bool *busy)
{
	char path[32], text[512];
	const char *after;
	long session;
	ssize_t n;
	char state;

	snprintf(path, sizeof(path), "%.20s/stat", pid);
	cleanup_close int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -1 : fdio_read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = 0;
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %c %*d %*d %ld", &state, &session) != 2 || state == 'Z')
		return 0;
	*busy = state == 'R' || state == 'D';
	return (pid_t)session;
}

/* Returns how many there are; *busy: how many of them would run if they could. */
static int for_all(pid_t session, int signal, int *busy)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	*busy = 0;

	/* A wrong number here would reach processes that are nobody's business. */
	ASSERT(session > 1 && session != getsid(0));
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		bool is_busy;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    session_of(dirfd(dir), entry->d_name, &is_busy) != session)
			continue;
		count++;
		*busy += is_busy;
		if (signal)
			kill((pid_t)strtol(entry->d_name, NULL, 10), signal);
	}
	closedir(dir);
	return count;
}

int session_signal(pid_t session, int signal)
{
	int busy;

	return for_all(session, signal, &busy);
}

bool session_is_busy(pid_t session)
{
	int busy;

	for_all(session, 0, &busy);
	return busy > 0;
}
