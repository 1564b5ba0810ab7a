/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/node.h"

enum { VERSION_TIMEOUT_MS = 5000 };

static const char *const installed[] = { "/usr/local/bin/linux.uml",
					 "/usr/bin/linux.uml" };
static const char get_one[] = "install one with: apt-get install user-mode-linux";

/* The part of the file that says how it is linked. */
static int read_elf(const char *path, bool *dynamic, struct why *why)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (fd < 0)
		return why_errno(why, -errno, "kernel %s", path);
	if (fdio_read(fd, &head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64 ||
	    (head.e_type != ET_EXEC && head.e_type != ET_DYN))
		return why_set(
			why, -ENOEXEC,
			"kernel %s is not a program for this processor; a User-Mode "
			"Linux "
			"kernel is the file 'linux' or 'vmlinux' of a build with ARCH=um",
			path);
	*dynamic = false;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)head.e_phoff + (off_t)i * head.e_phentsize;

		if (pread(fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
			return why_set(why, -ENOEXEC, "kernel %s is cut short", path);
		if (part.p_type == PT_INTERP)
			*dynamic = true;
	}
	return 0;
}

_Noreturn static void run_version(const char *path, int out)
{
	struct rlimit none = { 0, 0 }, seconds = { 5, 5 };
	sigset_t no_signals;
	int null = open("/dev/null", O_RDWR);

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &seconds);
	sigemptyset(&no_signals);
	sigprocmask(SIG_SETMASK, &no_signals, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	close_range(3, ~0U, 0);
	execl(path, path, "--version", NULL);
	_exit(127);
}

/* Read until the end, or for so long.  Returns the bytes, or -ETIMEDOUT. */
static ssize_t read_within(int fd, char *text, size_t room, int timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t have = 0;

	while (have < room) {
		int got = poll(&ready, 1, timeout_ms);
		ssize_t bytes;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ETIMEDOUT;
		bytes = read(fd, text + have, room - have);
		if (bytes <= 0)
			return bytes ? -errno : (ssize_t)have;
		have += (size_t)bytes;
	}
	return (ssize_t)have;
}

static bool looks_like_release(const char *text)
{
	unsigned major, minor;

	return isdigit((unsigned char)*text) &&
	       sscanf(text, "%u.%u", &major, &minor) == 2 && !strpbrk(text, " /");
}

static int read_release(const char *path, char *release, size_t room, struct why *why)
{
	int ends[2], status = 0;
	ssize_t got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return why_errno(why, -errno, "kernel %s: pipe", path);
	pid = fork();
	if (pid == 0)
		run_version(path, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return why_errno(why, -errno, "kernel %s: fork", path);
	}
	got = read_within(ends[0], release, room - 1, VERSION_TIMEOUT_MS);
	close(ends[0]);
	kill(pid, SIGKILL); /* no-op if it ended; it is a zombie until we wait */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (got < 0)
		return why_errno(why, (int)got,
				 "kernel %s: '%s --version' gave no answer", path, path);
	release[got] = 0;
	release[strcspn(release, "\n")] = 0;
	if (!looks_like_release(release))
		return why_set(
			why, -ENOEXEC,
			"kernel %s: '%s --version' does not answer with a kernel's "
			"version; is it a User-Mode Linux kernel (ARCH=um)?",
			path, path);
	return 0;
}

/* Debian's place, then beside the kernel itself. */
static void find_modules(struct node_kernel *kernel)
{
	char dir[PATH_MAX];
	const char *const forms[] = { "/usr/lib/uml/modules/%.0s%s", "%s/modules/%s",
				      "%s/lib/modules/%s" };
	struct stat st;

	snprintf(dir, sizeof(dir), "%s", kernel->path);
	*strrchr(dir, '/') = 0;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		int length;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		length = snprintf(kernel->modules, sizeof(kernel->modules), forms[i], dir,
				  kernel->release);
#pragma GCC diagnostic pop
		if (length < (int)sizeof(kernel->modules) &&
		    !stat(kernel->modules, &st) && S_ISDIR(st.st_mode))
			return;
	}
	kernel->modules[0] = 0;
}

static const char *choose(const char *wanted)
{
	if (wanted && *wanted)
		return wanted;
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++)
		if (!access(installed[i], X_OK))
			return installed[i];
	return NULL;
}

int node_kernel_find(struct node_kernel *out, const char *wanted, struct why *why)
{
	const char *path = choose(wanted);
	struct node_kernel kernel = { 0 };
	int err;

	if (!path)
		return why_set(why, -ENOENT,
			       "no User-Mode Linux kernel is installed (%s); %s, "
			       "or give one with --kernel",
			       installed[1], get_one);
	if (!realpath(path, kernel.path))
		return why_set(why, -errno, "kernel %s: %s; %s", path, strerror(errno),
			       get_one);
	if (access(kernel.path, X_OK))
		return why_errno(why, -errno, "kernel %s cannot be executed",
				 kernel.path);
	err = read_elf(kernel.path, &kernel.dynamic, why);
	if (!err)
		err = read_release(kernel.path, kernel.release, sizeof(kernel.release),
				   why);
	if (err)
		return err;
	find_modules(&kernel);
	*out = kernel;
	return 0;
}
