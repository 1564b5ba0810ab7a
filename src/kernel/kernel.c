/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/run.h"

enum { ANSWER_TIMEOUT_MS = 5000, ANSWER_BYTES_MAX = 1 << 20 };

/* What a kernel can do, and how one sees it: by a boot parameter, as --help has it
 * at the beginning of a line. */
static const struct {
	const char *word, *parameter, *text;
} cans[KERNEL_CANS] = {
	{ "seccomp", "seccomp=", "system calls at half the price" },
	{ "time-travel", "time-travel=ext:", "virtual time" },
	{ "seed", "um_seed=", "entropy from the lab's seed" },
	{ "tsc", "um_tsc=", "rdtsc tells the machine's time" },
	{ "cpuid", "um_cpuid=", "the same processor on every host" },
	{ "hostfs-owner", "hostfs_owner=", "root's files of the host are root's" },
	{ "hostfs-stable",
	  "hostfs_stable=", "the host's files look the same in each run" },
	{ "host", "um_host=", "the host's name and kernel are hidden" },
	{ "where", "um_where=", "says which program spins, and where" },
	{ "cost", "um_cost_syscall=", "work can take virtual time" },
	{ "modules", NULL, "loads modules on demand" },
	{ "builtin", NULL, "needs no module to boot" },
};

const char *kernel_can_word(unsigned number)
{
	return cans[number].word;
}

const char *kernel_can_text(unsigned number)
{
	return cans[number].text;
}

/* ---- releases -----------------------------------------------------------------------
 */

int kernel_compare_releases(const char *a, const char *b)
{
	while (*a || *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			char *a_end, *b_end;
			unsigned long m = strtoul(a, &a_end, 10),
				      n = strtoul(b, &b_end, 10);

			if (m != n)
				return m < n ? -1 : 1;
			a = a_end;
			b = b_end;
		} else if (*a != *b) {
			/* 7.3~bpo, 7.3-rc1: before 7.3 itself, and that before 7.3.1. */
			int a_early = *a == '~' || !strncmp(a, "-rc", 3);
			int b_early = *b == '~' || !strncmp(b, "-rc", 3);

			if (a_early != b_early)
				return b_early - a_early;
			return *a < *b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return 0;
}

bool kernel_at_least(const char *release, unsigned major, unsigned minor)
{
	unsigned a = 0, b = 0;

	return sscanf(release, "%u.%u", &a, &b) == 2 &&
	       (a > major || (a == major && b >= minor));
}

/* ---- looking at the file --------------------------------------------------------------
 */

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

/* ---- asking it
 * -------------------------------------------------------------------------
 */

/* What it prints when called so; the caller frees. */
static int ask(const char *path, const char *question, char **answer, struct why *why)
{
	const char *const argv[] = { path, question, NULL };
	struct run run = { .argv = argv,
			   .timeout_ms = ANSWER_TIMEOUT_MS,
			   .cpu_seconds = ANSWER_TIMEOUT_MS / 1000,
			   .keep_bytes = ANSWER_BYTES_MAX };
	int err = run_program(&run, NULL);

	if (err && err != -ECHILD) {
		free(run.kept);
		return why_errno(why, err, "kernel %s: '%s %s' gave no answer", path,
				 path, question);
	}
	*answer = run.kept ? run.kept : strdup("");
	return *answer ? 0 : why_set(why, -ENOMEM, "kernel %s: out of memory", path);
}

static bool looks_like_release(const char *text)
{
	unsigned major, minor;

	return isdigit((unsigned char)*text) &&
	       sscanf(text, "%u.%u", &major, &minor) == 2 && !strpbrk(text, " /");
}

static int read_release(struct kernel *kernel, struct why *why)
{
	cleanup_free char *answer = NULL;
	int err = ask(kernel->path, "--version", &answer, why);

	if (err)
		return err;
	answer[strcspn(answer, "\n")] = 0;
	if (!looks_like_release(answer) || strlen(answer) >= sizeof(kernel->release))
		return why_set(
			why, -ENOEXEC,
			"kernel %s: '%s --version' does not answer with a kernel's "
			"version; is it a User-Mode Linux kernel (ARCH=um)?",
			kernel->path, kernel->path);
	snprintf(kernel->release, sizeof(kernel->release), "%s", answer);
	return 0;
}

static bool has_line(const char *text, const char *start)
{
	size_t length = strlen(start);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, start, length))
			return true;
	}
	return false;
}

static int read_abilities(struct kernel *kernel, struct why *why)
{
	static const char *const builtin[] = { "CONFIG_VIRTIO_NET=y",
					       "CONFIG_VIRTIO_CONSOLE=y",
					       "CONFIG_OVERLAY_FS=y", "CONFIG_HOSTFS=y" };
	cleanup_free char *help = NULL, *config = NULL;
	int err = ask(kernel->path, "--help", &help, why);
	bool all = true;

	if (!err)
		err = ask(kernel->path, "--showconfig", &config, why);
	if (err)
		return err;
	for (unsigned i = 0; i < KERNEL_CANS; i++)
		if (cans[i].parameter && has_line(help, cans[i].parameter))
			kernel->can |= 1U << i;
	if (has_line(config, "CONFIG_MODULES=y"))
		kernel->can |= KERNEL_MODULES;
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		all = all && has_line(config, builtin[i]);
	if (all)
		kernel->can |= KERNEL_BUILTIN;
	return 0;
}

/* Beside the kernel itself, then where Debian has them. */
static void find_modules(struct kernel *kernel)
{
	char dir[PATH_MAX];
	const char *const forms[] = { "%s/modules/%s", "%s/lib/modules/%s",
				      "/usr/lib/uml/modules/%.0s%s" };
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

int kernel_look(struct kernel *out, const char *path, struct why *why)
{
	struct kernel kernel = { 0 };
	int err;

	if (!realpath(path, kernel.path))
		return why_errno(why, -errno, "kernel %s", path);
	if (access(kernel.path, X_OK))
		return why_errno(why, -errno, "kernel %s cannot be executed",
				 kernel.path);
	err = read_elf(kernel.path, &kernel.dynamic, why);
	if (!err)
		err = read_release(&kernel, why);
	if (!err)
		err = read_abilities(&kernel, why);
	if (err)
		return err;
	find_modules(&kernel);
	*out = kernel;
	return 0;
}
