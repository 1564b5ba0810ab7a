/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/standin.h"
#include "base/cleanup.h"
#include "base/fdio.h"

#define LOWER "/.netlab/lower"
#define UPPER "/.netlab/upper"
#define ROOT  "/.netlab/root"

#define IMAGE_DEVICE "/dev/ubda"

enum { CLOSED_BYTES_MAX = 64 << 10, SPACE_LEAST_KB = 1 << 10, SPACE_BESIDE_KB = 7 << 10 };
enum { EXT4_MAGIC_AT = 1080, PROBE_BYTES = 2048 };

/* "squashfs", "ext4", or NULL. */
static const char *probe(const unsigned char *bytes)
{
	if (!memcmp(bytes, "hsqs", 4))
		return "squashfs";
	if (bytes[EXT4_MAGIC_AT] == 0x53 && bytes[EXT4_MAGIC_AT + 1] == 0xef)
		return "ext4";
	return NULL;
}

static int mount_image(struct why *why)
{
	unsigned char bytes[PROBE_BYTES] = { 0 };
	cleanup_close int fd = open(IMAGE_DEVICE, O_RDONLY | O_CLOEXEC);
	const char *type;
	int err;

	if (fd < 0)
		return why_errno(why, -errno, "open the image (%s)", IMAGE_DEVICE);
	if (fdio_read(fd, bytes, sizeof(bytes)) < 0)
		return why_errno(why, -errno, "read the image (%s)", IMAGE_DEVICE);
	type = probe(bytes);
	if (!type)
		return why_set(why, -EINVAL, "the image is neither squashfs nor ext4");
	err = fdio_make_dirs(LOWER, 0755, why);
	if (err)
		return err;
	if (mount(IMAGE_DEVICE, LOWER, type, MS_RDONLY | MS_NOATIME, NULL) == 0)
		return 0;
	/* A journal that was not replayed cannot be on a device that is read only. */
	if (!strcmp(type, "ext4") &&
	    mount(IMAGE_DEVICE, LOWER, type, MS_RDONLY | MS_NOATIME, "noload") == 0)
		return 0;
	return why_errno(why, -errno, "mount the image as %s", type);
}

static int mount_lower(const struct params *params, struct why *why)
{
	switch (params->image_kind) {
	case IMAGE_HOST:
		return init_mount_hostfs("/", LOWER, why);
	case IMAGE_DIR:
		return init_mount_hostfs(params->image, LOWER, why);
	case IMAGE_FILE:
		break;
	}
	return mount_image(why);
}

/* The host's root is shown with a folder in it that the walls around this kernel have made
 * for themselves.  A device of this number is how an overlay says that there is none. */
static int hide_netlab(const struct params *params, struct why *why)
{
	if (params->image_kind == IMAGE_HOST &&
	    mknod(UPPER "/files/netlab", S_IFCHR, makedev(0, 0)))
		return why_errno(why, -errno, "hide /netlab");
	return 0;
}

/* What the host keeps to itself, the machine has of its own. */
static int stand_in(const struct params *params, struct why *why)
{
	cleanup_free char *closed = NULL;
	size_t size;

	if (params->image_kind != IMAGE_HOST)
		return 0;
	/* The walls have told, or they know nothing of it. */
	if (fdio_read_file(AT_FDCWD, INIT_HOST "/netlab/closed", CLOSED_BYTES_MAX, &closed, &size,
			   NULL))
		return 0;
	return standin_apply(LOWER, UPPER "/files", closed, why);
}

/* A line of /proc/meminfo, in kB; 0 if it is not there. */
static unsigned long long memory_kb(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

/* Half of the memory, as tmpfs has it by itself; in a small machine less, for a kernel, an
 * agent and a program of some size have to fit beside what is written. */
static unsigned long long space_kb(void)
{
	cleanup_free char *text = NULL;
	unsigned long long half, free_kb;
	size_t size;

	if (fdio_read_file(AT_FDCWD, "/proc/meminfo", 16 << 10, &text, &size, NULL))
		return SPACE_LEAST_KB;
	half = memory_kb(text, "MemTotal:") / 2;
	free_kb = memory_kb(text, "MemAvailable:");
	if (half + SPACE_BESIDE_KB <= free_kb)
		return half;
	return free_kb > SPACE_BESIDE_KB + SPACE_LEAST_KB ? free_kb - SPACE_BESIDE_KB :
							    SPACE_LEAST_KB;
}

/* All that a machine can fill up is one file system: several would each allow as much,
 * and together more than there is. */
static int make_space(int *space_fd, struct why *why)
{
	char options[64];
	int err;

	snprintf(options, sizeof(options), "mode=755,size=%lluk", space_kb());
	err = init_mount("tmpfs", UPPER, 0, options, why);

	err = err ? err : fdio_make_dirs(UPPER "/files", 0755, why);
	err = err ? err : fdio_make_dirs(UPPER "/work", 0755, why);
	if (err)
		return err;
	*space_fd = open(UPPER, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *space_fd < 0 ? why_errno(why, -errno, "open " UPPER) : 0;
}

static int mount_overlay(struct why *why)
{
	/* The host's files change under a running machine, and their inodes can be
	 * found by path only: nothing that relies on file handles.  A folder of the
	 * host can be renamed: the upper one then remembers its path. */
	static const char options[] = "lowerdir=" LOWER ",upperdir=" UPPER "/files,workdir=" UPPER
				      "/work,redirect_dir=on,index=off,xino=off,metacopy=off";

	return init_mount("overlay", ROOT, 0, options, why);
}

static int enter(struct why *why)
{
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return why_errno(why, -errno, "enter the new root");
	return 0;
}

int init_root(const struct params *params, int *space_fd, struct why *why)
{
	int err = mount_lower(params, why);

	err = err ? err : make_space(space_fd, why);
	err = err ? err : hide_netlab(params, why);
	err = err ? err : stand_in(params, why);
	err = err ? err : mount_overlay(why);
	if (err)
		return why_wrap(why, err, "root file system");
	/* What is mounted below the first root stays so: each umount would wait for
	 * the kernel to be idle once, and nothing is kept from the machine by it (its
	 * root can mount hostfs as it likes; the walls are around the kernel). */
	return enter(why);
}
