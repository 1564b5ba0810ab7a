/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { IMAGE_BYTES_MAX = 256 << 20 };

/* What a kernel can do, and how one sees it: by the name of a boot parameter, with which
 * one of its texts begins. */
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
	{ "rise", "um_cost_rise=", "loops that wait take virtual time" },
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

/* ---- reading the file ----------------------------------------------------------------
 */

/* What of the file comes into memory, one part behind the other with a zero between:
 * all of a kernel's texts are in there. */
struct image {
	char *bytes;
	size_t size;
	bool dynamic;
};

static int no_kernel(const char *path, struct why *why)
{
	return why_set(why, -ENOEXEC,
		       "kernel %s is no User-Mode Linux kernel for this processor: that "
		       "is the file 'linux' or 'vmlinux' of a build with ARCH=um",
		       path);
}

static int read_part(struct image *image, int fd, const Elf64_Phdr *part,
		     const char *path, struct why *why)
{
	char *more;

	if (part->p_filesz > IMAGE_BYTES_MAX - image->size)
		return why_set(why, -EFBIG, "kernel %s has more than %d MB", path,
			       IMAGE_BYTES_MAX >> 20);
	more = realloc(image->bytes, image->size + part->p_filesz + 1);
	if (!more)
		return why_set(why, -ENOMEM, "kernel %s: out of memory", path);
	image->bytes = more;
	more += image->size;
	for (size_t have = 0; have < part->p_filesz;) {
		ssize_t n = pread(fd, more + have, part->p_filesz - have,
				  (off_t)(part->p_offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_errno(why, -errno, "kernel %s", path);
		if (n == 0)
			return why_set(why, -ENOEXEC, "kernel %s is cut short", path);
		have += (size_t)n;
	}
	more[part->p_filesz] = 0;
	image->size += part->p_filesz + 1;
	return 0;
}

static int read_parts(struct image *image, int fd, const char *path, struct why *why)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;
	int err = 0;

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64 ||
	    (head.e_type != ET_EXEC && head.e_type != ET_DYN) ||
	    head.e_phentsize != sizeof(part))
		return no_kernel(path, why);
	for (unsigned i = 0; !err && i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + (Elf64_Off)i * sizeof(part));

		if (pread(fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
			return why_set(why, -ENOEXEC, "kernel %s is cut short", path);
		if (part.p_type == PT_INTERP)
			image->dynamic = true;
		else if (part.p_type == PT_LOAD)
			err = read_part(image, fd, &part, path, why);
	}
	return err;
}

static int read_image(struct image *image, const char *path, struct why *why)
{
	/* Of a FIFO there is nothing to wait for. */
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return why_errno(why, -errno, "kernel %s", path);
	return S_ISREG(st.st_mode) ? read_parts(image, fd, path, why)
				   : no_kernel(path, why);
}

/* ---- what its texts say --------------------------------------------------------------
 */

/* Options that a kernel has to have built in, to do without modules. */
static const char *const builtin[] = { "CONFIG_VIRTIO_NET=y", "CONFIG_VIRTIO_CONSOLE=y",
				       "CONFIG_OVERLAY_FS=y", "CONFIG_HOSTFS=y" };
static const char banner[] = "Linux version ";

struct seen {
	bool um;
	unsigned builtin; /* a bit for each */
	unsigned can;
	char release[64];
};

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void take_release(struct seen *seen, const char *text)
{
	size_t length = strcspn(text, " \n");
	unsigned major, minor;

	if (*seen->release || length >= sizeof(seen->release) ||
	    !isdigit((unsigned char)*text) || sscanf(text, "%u.%u", &major, &minor) != 2)
		return;
	/* It becomes a part of paths and goes to terminals. */
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)text[i]) || text[i] == '/')
			return;
	memcpy(seen->release, text, length);
}

/* A text, from the beginning of one of its lines on. */
static void take_line(struct seen *seen, const char *line)
{
	if (begins(line, "CONFIG_")) {
		seen->um |= begins(line, "CONFIG_UML=y");
		if (begins(line, "CONFIG_MODULES=y"))
			seen->can |= KERNEL_MODULES;
		for (unsigned i = 0; i < ARRAY_SIZE(builtin); i++)
			if (begins(line, builtin[i]))
				seen->builtin |= 1U << i;
	} else if (begins(line, banner)) {
		take_release(seen, line + strlen(banner));
	} else {
		for (unsigned i = 0; i < KERNEL_CANS; i++)
			if (cans[i].parameter && begins(line, cans[i].parameter))
				seen->can |= 1U << i;
	}
}

/* A line begins behind a zero or the end of another one.  The image ends with a zero,
 * so no text runs out of it. */
static void take_texts(struct seen *seen, const struct image *image)
{
	bool first[256] = { ['C'] = true, ['L'] = true };

	for (unsigned i = 0; i < KERNEL_CANS; i++)
		if (cans[i].parameter)
			first[(unsigned char)*cans[i].parameter] = true;
	for (size_t i = 1; i < image->size; i++)
		if (first[(unsigned char)image->bytes[i]] &&
		    (image->bytes[i - 1] == 0 || image->bytes[i - 1] == '\n'))
			take_line(seen, image->bytes + i);
}

static int read_kernel(struct kernel *kernel, struct why *why)
{
	struct image image = { 0 };
	struct seen seen = { 0 };
	int err = read_image(&image, kernel->path, why);

	if (!err)
		take_texts(&seen, &image);
	free(image.bytes);
	if (err)
		return err;
	if (!seen.um || !*seen.release)
		return no_kernel(kernel->path, why);
	if (seen.builtin == (1U << ARRAY_SIZE(builtin)) - 1)
		seen.can |= KERNEL_BUILTIN;
	kernel->can = seen.can;
	kernel->dynamic = image.dynamic;
	memcpy(kernel->release, seen.release, sizeof(kernel->release));
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
	err = read_kernel(&kernel, why);
	if (err)
		return err;
	find_modules(&kernel);
	*out = kernel;
	return 0;
}
