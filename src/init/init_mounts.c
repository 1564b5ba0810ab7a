/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "init/standin.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "init/service_cgroup.h"

enum { CPUINFO_BYTES_MAX = 1 << 20 };

int init_mount(const char *type, const char *target, unsigned long flags,
	       const char *options, struct why *why)
{
	int err = fdio_make_dirs(target, 0755, why);

	if (err)
		return why_wrap(why, err, "mount %s", type);
	if (mount(type, target, type, flags, options) < 0)
		return why_errno(why, -errno, "mount %s on %s", type, target);
	return 0;
}

/* Up to Linux 6.10 the options are the path and nothing else; later kernels,
 * once they parse options, want it named. */
int init_mount_hostfs(const char *host_path, const char *target, struct why *why)
{
	const unsigned long flags = MS_RDONLY | MS_NODEV | MS_NOATIME;
	char named[PARAMS_PATH_BYTES_MAX + 16];
	int err = init_mount("hostfs", target, flags, host_path, why);

	if (err == -EINVAL) {
		snprintf(named, sizeof(named), "hostfs=%s", host_path);
		err = init_mount("hostfs", target, flags, named, why);
	}
	return err ? why_wrap(why, err, "the host's %s", host_path) : 0;
}

int init_mounts_early(struct why *why)
{
	const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int err = init_mount("proc", "/proc", plain, NULL, why);

	err = err ? err : init_mount("sysfs", "/sys", plain, NULL, why);
	err = err ? err : init_mount("devtmpfs", "/dev", MS_NOSUID, NULL, why);
	return err ? err : init_mount_hostfs("/", INIT_HOST, why);
}

/* Missing in small kernels, and missed by few programs. */
static void mount_optional(const char *type, const char *target, const char *options)
{
	init_mount(type, target, MS_NOSUID | MS_NODEV | MS_NOEXEC, options, NULL);
}

static int make_links(struct why *why)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
			return why_errno(why, -errno, "make %s", links[i][1]);
	return 0;
}

/* A blank line ends each processor's part, and procps (ps, top) looks for it.  User-Mode
 * Linux without netlab's patch 0013 has none. */
static void mend_cpuinfo(void)
{
	static const char ours[] = "/run/cpuinfo", target[] = "/proc/cpuinfo";
	const unsigned long again = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV |
				    MS_NOEXEC;
	cleanup_free char *text = NULL;
	size_t size;

	if (fdio_read_file(AT_FDCWD, target, CPUINFO_BYTES_MAX, &text, &size, NULL) ||
	    size < 2 || (text[size - 1] == '\n' && text[size - 2] == '\n'))
		return;
	text[size] = '\n'; /* in place of the zero byte behind */
	if (!fdio_write_file(AT_FDCWD, ours, text, size + 1, 0444, NULL) &&
	    !mount(ours, target, NULL, MS_BIND, NULL))
		mount(NULL, target, NULL, again, NULL);
	unlink(ours);
}

/* So that modprobe and the kernel's own requests find modules in the machine.
 * Not essential: an image may keep its own there, or be unable to. */
static void show_modules(const struct params *params)
{
	char release_dir[PATH_MAX], target[128];
	const char *source = params->modules;
	struct utsname uts;
	struct stat st;

	if (!*source || uname(&uts) < 0)
		return;
	snprintf(target, sizeof(target), "/lib/modules/%.64s", uts.release);
	if (stat(target, &st) == 0)
		return;
	if (init_mount_hostfs(source, target, NULL))
		return;
	/* It was the folder above. */
	snprintf(release_dir, sizeof(release_dir), "%s/modules.dep", target);
	if (stat(release_dir, &st) < 0) {
		umount2(target, MNT_DETACH);
		snprintf(release_dir, sizeof(release_dir), "%s/%.64s", source, uts.release);
		init_mount_hostfs(release_dir, target, NULL);
	}
}

/* The host's own is out of sight, and what is there instead belongs to whoever runs
 * the lab.  Programs insist that a home is its user's. */
static int make_home(const char *home, struct why *why)
{
	struct stat st;
	int err = fdio_make_dirs(home, 0700, why);

	if (err)
		return err;
	if (stat(home, &st) < 0 || (st.st_uid && chown(home, 0, 0) < 0) ||
	    ((st.st_mode & 077) && chmod(home, 0700) < 0))
		return why_errno(why, -errno, "make %s root's", home);
	return 0;
}

/* A folder of the machine's one space becomes target.  Needs /proc. */
static int share_space(int space_fd, const char *name, const char *target, mode_t mode,
		       struct why *why)
{
	const unsigned long data = MS_BIND | MS_NOSUID | MS_NODEV;
	char source[64];
	int err = fdio_make_dirs(target, 0755, why);

	if (err)
		return err;
	snprintf(source, sizeof(source), "/proc/self/fd/%d/%s", space_fd, name);
	if (mkdirat(space_fd, name, 0700) < 0 || fchmodat(space_fd, name, mode, 0) < 0 ||
	    mount(source, target, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, target, NULL, MS_REMOUNT | data, NULL) < 0)
		return why_errno(why, -errno, "mount %s", target);
	return 0;
}

int init_mounts_late(const struct params *params, int space_fd, struct why *why)
{
	const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int err = init_mount("proc", "/proc", plain, NULL, why);

	err = err ? err : init_mount("sysfs", "/sys", plain, NULL, why);
	/* It is a tmpfs too: what dd leaves there by mistake shall not be much. */
	err = err ? err : init_mount("devtmpfs", "/dev", MS_NOSUID, "mode=755,size=1m", why);
	err = err ? err : init_mount("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
				     "gid=5,mode=620,ptmxmode=666", why);
	err = err ? err : share_space(space_fd, "shm", "/dev/shm", 01777, why);
	err = err ? err : share_space(space_fd, "run", "/run", 0755, why);
	err = err ? err : share_space(space_fd, "tmp", "/tmp", 01777, why);
	err = err ? err : make_links(why);
	if (!err && *params->lab)
		err = init_mount_hostfs(params->lab, INIT_LAB_DIR, why);
	if (err)
		return err;
	mount_optional("mqueue", "/dev/mqueue", NULL);
	mount_optional("cgroup2", SERVICE_CGROUPS, NULL);
	mend_cpuinfo();
	show_modules(params);
	/* Where programs expect to be able to write. */
	err = fdio_make_dirs("/run/lock", 01777, why);
	err = err ? err : standin_run_folders("/etc", "/run", why);
	return err ? err : make_home("/root", why);
}
