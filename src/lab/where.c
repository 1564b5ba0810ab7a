/* SPDX-License-Identifier: MIT */
#include "lab/where.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char mark[] = "um_where: ";

/* What is between two places; false if it does not fit or is empty. */
static bool copy(char *out, size_t room, const char *from, const char *to)
{
	size_t size = (size_t)(to - from);

	if (size == 0 || size >= room)
		return false;
	memcpy(out, from, size);
	out[size] = 0;
	return true;
}

/* line is one line, without its end, as a string. */
static bool parse(struct where *out, const char *line)
{
	struct where where = { 0 };
	char mode[8];
	int used = 0;
	const char *tab;

	if (sscanf(line, "%7[a-z] pid=%u tid=%u ip=0x%" SCNx64 " comm=%n", mode,
		   &where.pid, &where.tid, &where.pc, &used) != 4 ||
	    !used)
		return false;
	where.user = strcmp(mode, "user") == 0;
	if (!where.user && strcmp(mode, "kernel") != 0)
		return false;
	line += used;
	tab = strchr(line, '\t');
	if (!tab || strncmp(tab, "\tin=", 4) != 0 ||
	    !copy(where.comm, sizeof(where.comm), line, tab) ||
	    !copy(where.in, sizeof(where.in), tab + 4, tab + strlen(tab)))
		return false;
	*out = where;
	return true;
}

bool where_find(struct where *out, const char *text, size_t size)
{
	const char *end = text + size;
	bool found = false;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		char line[512];

		if (!newline)
			break;
		/* A terminal in between may have put a \r before the end. */
		if ((size_t)(newline - text) > sizeof(mark) - 1 &&
		    memcmp(text, mark, sizeof(mark) - 1) == 0 &&
		    copy(line, sizeof(line), text + sizeof(mark) - 1, newline)) {
			line[strcspn(line, "\r")] = 0;
			found |= parse(out, line);
		}
		text = newline + 1;
	}
	return found;
}

void where_text(char text[WHERE_TEXT_BYTES], const struct where *where)
{
	char thread[32] = "";

	if (where->tid != where->pid)
		snprintf(thread, sizeof(thread), ", thread %u", where->tid);
	if (where->user)
		snprintf(text, WHERE_TEXT_BYTES,
			 "process '%s' (pid %u%s) at 0x%" PRIx64 " in %s", where->comm,
			 where->pid, thread, where->pc, where->in);
	else
		snprintf(text, WHERE_TEXT_BYTES,
			 "its kernel, for process '%s' (pid %u%s), at 0x%" PRIx64
			 " in %s",
			 where->comm, where->pid, thread, where->pc, where->in);
}
