/* SPDX-License-Identifier: MIT */
#include "node/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"

enum {
	FILE_BYTES_MAX = 64 << 10,
	/* What an idle machine takes (docs/kernel.md), and its processes: of the jail,
	 * the kernel, the agent and one program. */
	MACHINE_BYTES = 16 << 20,
	MACHINE_PROCESSES = 4,
};

/* The folder of our group; "" if it cannot be known. */
static void own_group(char out[PATH_MAX], const char *ours, const char *mount)
{
	cleanup_free char *text = NULL;
	const char *line;
	size_t size;

	*out = 0;
	if (fdio_read_file(AT_FDCWD, ours, FILE_BYTES_MAX, &text, &size, NULL))
		return;
	for (line = text; strncmp(line, "0::/", 4); line++) {
		line = strchr(line, '\n');
		if (!line)
			return;
	}
	/* A group above the topmost that can be seen is written so. */
	if (strstr(line, "/.."))
		return;
	snprintf(out, PATH_MAX, "%s%.*s", mount, (int)strcspn(line + 3, "\n"), line + 3);
	if (out[strlen(out) - 1] == '/')
		out[strlen(out) - 1] = 0;
}

/* A number of a file of a group: the whole, or behind a word.  "max" is UINT64_MAX. */
static bool number_of(const char *path, const char *word, uint64_t *number)
{
	cleanup_free char *text = NULL;
	const char *at;
	size_t size, length = word ? strlen(word) : 0;

	if (fdio_read_file(AT_FDCWD, path, FILE_BYTES_MAX, &text, &size, NULL))
		return false;
	at = text;
	while (word && at && (strncmp(at, word, length) || at[length] != ' ')) {
		at = strchr(at, '\n');
		at += !!at;
	}
	if (!at || !*at)
		return false;
	at += word ? length + 1 : 0;
	*number = strncmp(at, "max", 3) ? strtoull(at, NULL, 10) : UINT64_MAX;
	return true;
}

static uint64_t number_in(const char *group, const char *file, const char *word,
			  uint64_t otherwise)
{
	char path[PATH_MAX + 32];
	uint64_t number = otherwise;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	number_of(path, word, &number);
	return number;
}

static void narrow(struct cgroup_limit *limit, const char *group, const char *file,
		   uint64_t max, uint64_t used)
{
	uint64_t left = max > used ? max - used : 0;

	if (max == UINT64_MAX || left >= limit->left)
		return;
	limit->left = left;
	limit->max = max;
	snprintf(limit->file, sizeof(limit->file), "%.4000s/%s", group, file);
}

void cgroup_look(struct cgroup_room *out, const char *ours, const char *mount)
{
	char group[PATH_MAX];

	out->memory = (struct cgroup_limit){ .left = UINT64_MAX, .max = UINT64_MAX };
	out->processes = out->memory;
	own_group(group, ours, mount);
	while (strlen(group) >= strlen(mount)) {
		uint64_t used = number_in(group, "memory.current", NULL, 0);
		uint64_t cache = number_in(group, "memory.stat", "inactive_file", 0) +
				 number_in(group, "memory.stat", "active_file", 0);

		narrow(&out->memory, group, "memory.max",
		       number_in(group, "memory.max", NULL, UINT64_MAX),
		       used > cache ? used - cache : 0);
		narrow(&out->processes, group, "pids.max",
		       number_in(group, "pids.max", NULL, UINT64_MAX),
		       number_in(group, "pids.current", NULL, 0));
		if (!strcmp(group, mount))
			break;
		*strrchr(group, '/') = 0;
	}
}

int cgroup_check(const struct cgroup_room *room, size_t machines, struct why *why)
{
	if (room->memory.left / MACHINE_BYTES < machines)
		return why_set(why, -ENOMEM,
			       "%zu machines take at least %zu MB, and %s (%" PRIu64
			       " MB) leaves %" PRIu64
			       " MB; raise it, or take fewer machines",
			       machines, machines * (MACHINE_BYTES >> 20), room->memory.file,
			       room->memory.max >> 20, room->memory.left >> 20);
	if (room->processes.left / MACHINE_PROCESSES < machines)
		return why_set(why, -EAGAIN,
			       "%zu machines are at least %zu processes, and %s (%" PRIu64
			       ") leaves %" PRIu64 "; raise it, or take fewer machines",
			       machines, machines * MACHINE_PROCESSES, room->processes.file,
			       room->processes.max, room->processes.left);
	return 0;
}

uint64_t cgroup_memory_kills(const char *ours, const char *mount)
{
	char group[PATH_MAX], path[PATH_MAX + 32];
	uint64_t kills = 0;

	own_group(group, ours, mount);
	snprintf(path, sizeof(path), "%s/memory.events", group);
	if (!*group || !number_of(path, "oom_kill", &kills))
		number_of("/proc/vmstat", "oom_kill", &kills);
	return kills;
}
