/* SPDX-License-Identifier: MIT */
#include "init/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { RECORD_BYTES = 8192, EXIT_KILLED = 128 + SIGKILL };

void oom_open(struct oom *oom, const char *log)
{
	*oom = (struct oom){ .fd = -1 };
	if (log)
		oom->fd = open(log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (oom->fd >= 0)
		lseek(oom->fd, 0, SEEK_END);
}

void oom_close(struct oom *oom)
{
	cleanup_close_(&oom->fd);
	oom->fd = -1;
}

struct oom_victim oom_parse(const char *record)
{
	struct oom_victim victim = { 0 };
	const char *message = strchr(record, ';');
	const char *at = message ? strstr(message, "ut of memory: Killed process ") : NULL;

	if (!at || sscanf(at, "ut of memory: Killed process %d (%15[^)\n]", &victim.pid,
			  victim.name) != 2)
		victim.pid = 0;
	return victim;
}

/* A record a read; one that was overwritten meanwhile is EPIPE, and the next follows. */
static void read_news(struct oom *oom)
{
	char record[RECORD_BYTES];

	while (oom->fd >= 0) {
		ssize_t n = read(oom->fd, record, sizeof(record) - 1);
		struct oom_victim victim;

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		record[n] = 0;
		victim = oom_parse(record);
		if (victim.pid)
			oom->kept[oom->count++ % OOM_KEPT] = victim;
	}
}

bool oom_explains(struct oom *oom, pid_t pid, int wait_status, struct oom_victim *victim)
{
	bool itself = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
	bool other = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_KILLED;

	if (!itself && !other)
		return false;
	read_news(oom);
	for (size_t i = 0; i < ARRAY_SIZE(oom->kept); i++) {
		struct oom_victim *kept = &oom->kept[i];

		if (!kept->pid || (itself && kept->pid != pid))
			continue;
		*victim = *kept;
		kept->pid = 0;
		return true;
	}
	return false;
}
