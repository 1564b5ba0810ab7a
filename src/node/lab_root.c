/* SPDX-License-Identifier: MIT */
#include "node/lab_root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "node/mounts.h"
#include "node/userns.h"

static const char *const devices[] = {
	"null", "zero", "full", "random", "urandom", "tty"
};

/* A /dev with no way to a disk.  Bind mounts of single devices, because making
 * device nodes is not allowed in a user namespace. */
static int build_dev(int trees[ARRAY_SIZE(devices)], struct why *why)
{
	int err =
		mounts_new("tmpfs", "mode=755,size=64k,nr_inodes=64",
			   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, AT_FDCWD, "/dev", why);

	for (size_t i = 0; !err && i < ARRAY_SIZE(devices); i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/%s", devices[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return why_errno(why, -errno, "create %s", path);
		close(fd);
		err = mounts_place(trees[i], AT_FDCWD, path, why);
	}
	if (err)
		return err;
	if (mkdir("/dev/pts", 0755) || symlink("pts/ptmx", "/dev/ptmx") ||
	    symlink("/proc/self/fd", "/dev/fd"))
		return why_errno(why, -errno, "create /dev/pts, /dev/ptmx and /dev/fd");
	return mounts_new("devpts", "newinstance,mode=600,ptmxmode=666",
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, AT_FDCWD, "/dev/pts",
			  why);
}

static int open_devices(int trees[ARRAY_SIZE(devices)], struct why *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char path[32];

		snprintf(path, sizeof(path), "/dev/%s", devices[i]);
		trees[i] = mounts_clone(AT_FDCWD, path, 0, why);
		if (trees[i] < 0)
			return trees[i];
	}
	return 0;
}

/* The lab has to write the id maps of its machines, so /proc stays writable, but
 * not where root could change the host through it, namespace or not. */
static int restrict_proc(struct why *why)
{
	static const char *const parts[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq",
					     "/proc/bus", "/proc/fs", "/proc/acpi",
					     "/proc/scsi", "/proc/driver", "/proc/mtrr" };
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(parts); i++)
		if (!access(parts[i], F_OK))
			err = mounts_bind(parts[i], AT_FDCWD, parts[i], MOUNTS_READ_ONLY, why);
	return err;
}

static int restrict_files(const struct sandbox_lab *config, struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < config->writable_count; i++)
		err = mounts_bind(config->writable[i], AT_FDCWD, config->writable[i], 0, why);
	if (!err)
		err = mounts_change(AT_FDCWD, "/", MOUNTS_READ_ONLY, 0, why);
	for (size_t i = 0; !err && i < config->writable_count; i++)
		err = mounts_change(AT_FDCWD, config->writable[i], 0, MOUNT_ATTR_RDONLY, why);
	if (!err)
		err = mounts_change(AT_FDCWD, "/proc", 0, MOUNT_ATTR_RDONLY, why);
	return err ? err : restrict_proc(why);
}

static int mount_private(const struct sandbox_lab *config, struct why *why)
{
	char options[64];

	if (!config->private_dir)
		return 0;
	if (config->private_bytes)
		snprintf(options, sizeof(options), "mode=700,size=%" PRIu64,
			 config->private_bytes);
	else
		snprintf(options, sizeof(options), "mode=700");
	return mounts_new("tmpfs", options, MOUNTS_WRITABLE, AT_FDCWD,
			  config->private_dir, why);
}

int lab_root_restrict(const struct sandbox_lab *config, struct why *why)
{
	int trees[ARRAY_SIZE(devices)];
	int err;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return userns_explain(-errno, "make mounts private in a new namespace", why);
	err = open_devices(trees, why);
	if (!err)
		err = restrict_files(config, why);
	if (!err)
		err = build_dev(trees, why);
	if (!err)
		err = mount_private(config, why);
	if (err)
		return err; /* the process ends, and its descriptors with it */
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		close(trees[i]);
	return 0;
}
