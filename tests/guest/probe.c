/* SPDX-License-Identifier: MIT */
#include "guest/probe.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const struct probe *const tables[] = { probe_block, probe_bpf, probe_fuse,
					      probe_ipc,   probe_net, probe_sys };
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

_Noreturn void probe_failed(const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	int err = errno;
	va_list ap;

	fprintf(stderr, "%s:%d: ", base ? base + 1 : file, line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, " (errno: %s)\n", strerror(err));
	exit(1);
}

const char *probe_arg(char **args, size_t index, const char *what)
{
	for (size_t i = 0; i <= index; i++)
		NEED(args[i], "argument %zu is missing: %s", index + 1, what);
	return args[index];
}

long probe_number(char **args, size_t index, const char *what)
{
	const char *text = probe_arg(args, index, what);
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 0);
	NEED(!errno && end != text && !*end, "%s is no number: %s", text, what);
	return value;
}

int probe_wait(int fd, int milliseconds)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int got;

	while ((got = poll(&ready, 1, milliseconds)) < 0 && errno == EINTR)
		;
	return got > 0;
}

void probe_child_ok(int pid, const char *what)
{
	int status = -1;

	NEED(pid > 0 && waitpid(pid, &status, 0) == pid, "%s: wait", what);
	NEED(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status 0x%x", what,
	     status);
}

int main(int argc, char **argv)
{
	for (size_t t = 0; argc > 1 && t < TABLES; t++)
		for (const struct probe *p = tables[t]; p->name; p++)
			if (!strcmp(p->name, argv[1]))
				return p->run(argv + 2);
	fprintf(stderr, "usage: lab_probe NAME [ARGUMENT...]; NAME is one of\n");
	for (size_t t = 0; t < TABLES; t++)
		for (const struct probe *p = tables[t]; p->name; p++)
			fprintf(stderr, "%s\n", p->name);
	return 2;
}
