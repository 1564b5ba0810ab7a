/* SPDX-License-Identifier: MIT */
#include "machine/backtrace.h"

#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 768 }; /* of an answer */

static const char mark[] = "\num_where: ";

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
static bool parse(struct backtrace *out, const char *line)
{
	struct backtrace where = { .call = -1 };
	char mode[8];
	int used = 0;
	const char *tab;

	if (sscanf(line, "%7[a-z] pid=%u tid=%u ip=0x%" SCNx64 " %n", mode,
		   &where.pid, &where.tid, &where.pc, &used) != 4 ||
	    !used)
		return false;
	where.user = strcmp(mode, "user") == 0;
	if (!where.user && strcmp(mode, "kernel") != 0)
		return false;
	line += used;
	used = 0;
	if (sscanf(line, "call=%d comm=%n", &where.call, &used) == 1 && used)
		line += used;
	else if (strncmp(line, "comm=", 5) == 0)
		line += 5;
	else
		return false;
	tab = strchr(line, '\t');
	if (!tab || strncmp(tab, "\tin=", 4) != 0 ||
	    !copy(where.comm, sizeof(where.comm), line, tab) ||
	    !copy(where.in, sizeof(where.in), tab + 4, tab + strlen(tab)))
		return false;
	*out = where;
	return true;
}

static bool parse_bytes(struct backtrace *out, const char *text, size_t size)
{
	char line[LINE_BYTES_MAX];

	if (!copy(line, sizeof(line), text, text + size))
		return false;
	/* A terminal in between may have put a \r before the end. */
	line[strcspn(line, "\r")] = 0;
	return parse(out, line);
}

/* How much of the mark the text begins with; all of it: sizeof(mark) - 1. */
static size_t begins(const char *text, size_t size)
{
	size_t length = size < sizeof(mark) - 1 ? size : sizeof(mark) - 1;

	return memcmp(text, mark, length) == 0 ? length : 0;
}

enum backtrace_cut backtrace_cut(struct backtrace *out, char *text, size_t *size)
{
	for (size_t at = 0; at < *size; at++) {
		size_t left = *size - at, length = begins(text + at, left);
		const char *words = text + at + sizeof(mark) - 1, *end;

		if (!length)
			continue;
		end = length < sizeof(mark) - 1
			      ? NULL
			      : memchr(words, '\n', left - (sizeof(mark) - 1));
		if (!end && left < LINE_BYTES_MAX) {
			*size = at;
			return BACKTRACE_PART;
		}
		if (!end || !parse_bytes(out, words, (size_t)(end - words)))
			continue;
		end++;
		memmove(text + at, end, (size_t)(text + *size - end));
		*size -= (size_t)(end - (text + at));
		return BACKTRACE_WHOLE;
	}
	return BACKTRACE_NONE;
}

void backtrace_call(char name[BACKTRACE_CALL_BYTES], const struct backtrace *where)
{
	char *found = where->call < 0 ? NULL
				      : seccomp_syscall_resolve_num_arch(
						SCMP_ARCH_NATIVE, where->call);

	snprintf(name, BACKTRACE_CALL_BYTES, "%s", found ? found : "");
	free(found);
}

void backtrace_text(char text[BACKTRACE_TEXT_BYTES], const struct backtrace *where)
{
	char thread[32] = "";

	if (where->tid != where->pid)
		snprintf(thread, sizeof(thread), ", thread %u", where->tid);
	if (where->user)
		snprintf(text, BACKTRACE_TEXT_BYTES,
			 "process '%s' (pid %u%s) at 0x%" PRIx64 " in %s", where->comm,
			 where->pid, thread, where->pc, where->in);
	else
		snprintf(text, BACKTRACE_TEXT_BYTES,
			 "its kernel, for process '%s' (pid %u%s), at 0x%" PRIx64
			 " in %s",
			 where->comm, where->pid, thread, where->pc, where->in);
}
