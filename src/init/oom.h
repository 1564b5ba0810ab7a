/* SPDX-License-Identifier: MIT */
/* oom.h - whom has the kernel killed for want of memory?
 *
 * Only the kernel's log says so: a wait status shows a signal that anybody could
 * have sent.  What is older than oom_open() is not looked at.
 *
 * Errors:    a log that cannot be read knows of nobody.
 * Ownership: oom_close() closes what oom_open() opened.
 * Threads:   the loop's.
 */
#ifndef NL_INIT_OOM_H
#define NL_INIT_OOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { OOM_NAME_BYTES = 16, OOM_KEPT = 16 };

struct oom_victim {
	pid_t pid; /* 0: none */
	char name[OOM_NAME_BYTES];
};

struct oom {
	int fd; /* -1: no log */
	struct oom_victim kept[OOM_KEPT];
	unsigned count; /* ever */
};

void oom_open(struct oom *oom, const char *log); /* "/dev/kmsg"; NULL: no log */
void oom_close(struct oom *oom);

/* Why did this program end so?  Says who was killed, itself or (a shell then exits
 * with 137) one of those that it waited for; each victim is told of once. */
bool oom_explains(struct oom *oom, pid_t pid, int wait_status, struct oom_victim *victim);

/* One record of the log: a victim, or pid 0. */
struct oom_victim oom_parse(const char *record);

#endif
