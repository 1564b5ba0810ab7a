/* SPDX-License-Identifier: MIT */
#include "lib/failing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"

static enum failing_kind armed;
static unsigned left;
static bool failed, in_forks;
static void (*on_failure)(void);

static const int errors[FAILING_KINDS] = {
	[FAILING_MEMORY] = ENOMEM, [FAILING_FILES] = EMFILE,
	[FAILING_SPACE] = ENOSPC,  [FAILING_FULL] = ENOSPC,
	[FAILING_MAPS] = ENOMEM,
};

/* What a process that is begun meanwhile does is its own affair. */
static void disarm(void)
{
	if (!in_forks)
		armed = FAILING_NOTHING;
}

void failing_on_failure(void (*told)(void))
{
	on_failure = told;
}

void failing_keep_in_forks(void)
{
	in_forks = true;
}

void failing_arm(enum failing_kind kind, unsigned n)
{
	static bool watched;

	if (!watched)
		ASSERT(pthread_atfork(NULL, NULL, disarm) == 0);
	watched = true;
	armed = kind;
	left = n;
	failed = false;
}

bool failing_disarm(void)
{
	armed = FAILING_NOTHING;
	return failed;
}

unsigned failing_left(void)
{
	return left;
}

static bool fails(enum failing_kind kind)
{
	if (kind != armed || left == 0 || --left)
		return false;
	failed = true;
	if (on_failure)
		on_failure();
	errno = errors[kind];
	return true;
}

const char *failing_kind_name(enum failing_kind kind)
{
	static const char *const names[FAILING_KINDS] = {
		"nothing", "memory", "files", "space", "full", "maps",
	};

	return names[kind];
}

unsigned failing_open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	ASSERT(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* The linker's --wrap=NAME: calls of NAME come here, __real_NAME is what it was. */
#define WRAP(kind, nothing, type, name, params, args)                                    \
	type __real_##name params;                                                       \
	type __wrap_##name params;                                                       \
	type __wrap_##name params                                                        \
	{                                                                                \
		return fails(kind) ? nothing : __real_##name args;                       \
	}

WRAP(FAILING_MEMORY, NULL, void *, malloc, (size_t size), (size))
WRAP(FAILING_MEMORY, NULL, void *, calloc, (size_t n, size_t size), (n, size))
WRAP(FAILING_MEMORY, NULL, void *, realloc, (void *p, size_t size), (p, size))
WRAP(FAILING_MEMORY, NULL, char *, strdup, (const char *s), (s))
WRAP(FAILING_MEMORY, NULL, char *, strndup, (const char *s, size_t n), (s, n))
WRAP(FAILING_FILES, -1, int, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(FAILING_FILES, -1, int, socket, (int family, int type, int protocol),
     (family, type, protocol))
WRAP(FAILING_FILES, -1, int, socketpair, (int family, int type, int protocol, int fds[2]),
     (family, type, protocol, fds))
WRAP(FAILING_FILES, -1, int, accept4,
     (int fd, struct sockaddr * address, socklen_t *size, int flags),
     (fd, address, size, flags))
WRAP(FAILING_FILES, -1, int, memfd_create, (const char *name, unsigned flags),
     (name, flags))
WRAP(FAILING_FILES, -1, int, epoll_create1, (int flags), (flags))
WRAP(FAILING_FILES, -1, int, timerfd_create, (int clock, int flags), (clock, flags))
WRAP(FAILING_SPACE, -1, ssize_t, writev, (int fd, const struct iovec *parts, int count),
     (fd, parts, count))
WRAP(FAILING_SPACE, -1, int, mkdirat, (int fd, const char *path, mode_t mode),
     (fd, path, mode))
WRAP(FAILING_SPACE, -1, int, renameat, (int from, const char *old, int to, const char *now),
     (from, old, to, now))
WRAP(FAILING_SPACE, -1, int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(FAILING_MAPS, MAP_FAILED, void *, mmap,
     (void *at, size_t size, int prot, int flags, int fd, off_t from),
     (at, size, prot, flags, fd, from))

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
	bool was_full = failed;
	struct stat st;

	if (armed != FAILING_FULL)
		return fails(FAILING_SPACE) ? -1 : __real_write(fd, bytes, size);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return __real_write(fd, bytes, size);
	if (was_full) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, bytes, fails(FAILING_FULL) ? size / 2 : size);
}

int __wrap_vasprintf(char **out, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
int __real_vasprintf(char **out, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

int __wrap_vasprintf(char **out, const char *format, va_list args)
{
	return fails(FAILING_MEMORY) ? -1 : __real_vasprintf(out, format, args);
}

int __wrap_asprintf(char **out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = __wrap_vasprintf(out, format, args);
	va_end(args);
	return size;
}

/* jansson's reader asserts (load.c) that it had the memory for a string's text. */
json_t *__real_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);

json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error)
{
	enum failing_kind kind = armed;
	json_t *value;

	armed = FAILING_NOTHING;
	value = __real_json_loadb(text, size, flags, error);
	armed = kind;
	return value;
}

static mode_t mode_of(int flags, va_list *args)
{
	return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(*args, int) : 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, &args);
	va_end(args);
	return fails(FAILING_FILES) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, &args);
	va_end(args);
	return fails(FAILING_FILES) ? -1 : __real_openat(dir, path, flags, mode);
}
