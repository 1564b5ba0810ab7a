/* SPDX-License-Identifier: MIT */
#include "node/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/caps.h"
#include "node/mounts.h"
#include "node/report.h"
#include "node/userns.h"

/* What building the machines' confinement takes, all of it over our own
 * namespaces only. */
static const uint64_t lab_caps =
	CAPS_BIT(CAP_SYS_ADMIN) |                     /* namespaces and mounts */
	CAPS_BIT(CAP_SETUID) | CAPS_BIT(CAP_SETGID) | /* machines are not root */
	CAPS_BIT(CAP_SETPCAP) |                       /* their bounding set */
	CAPS_BIT(CAP_CHOWN) |                         /* their work folders */
	CAPS_BIT(CAP_DAC_OVERRIDE) |                  /* closed homes; root only */
	CAPS_BIT(CAP_FOWNER) | CAPS_BIT(CAP_KILL) |
	CAPS_BIT(CAP_SYS_PTRACE); /* their memory, through /proc/PID/fd */

static bool is_root(void)
{
	return geteuid() == 0 && userns_knows("/proc/self/uid_map", SANDBOX_GUEST_ID) &&
	       userns_knows("/proc/self/gid_map", SANDBOX_GUEST_ID);
}

/* Root of a user namespace that has but one id is the ordinary user who made it;
 * only the real root's 0 may not end up as the machines' id. */
static bool is_real_root(void)
{
	unsigned inside, outside;
	cleanup_file FILE *map = fopen("/proc/self/uid_map", "re");

	while (map && fscanf(map, "%u %u %*u", &inside, &outside) == 2)
		if (inside == 0)
			return outside == 0;
	return true;
}

/* Decided outside: in the lab's namespace an id no longer tells where it is from. */
static struct {
	bool known;
	uid_t uid;
	gid_t gid;
} guest;

static int decide_guest(struct why *why)
{
	guest.uid = geteuid();
	guest.gid = getegid();
	if (is_root())
		guest.uid = guest.gid = SANDBOX_GUEST_ID;
	else if (guest.uid == 0 && is_real_root())
		return why_set(
			why, -EPERM,
			"root without the ids of other users: machines never run as "
			"root, "
			"and id %d is unknown here; start the lab as an ordinary user",
			SANDBOX_GUEST_ID);
	guest.known = true;
	return 0;
}

int sandbox_guest_ids(uid_t *uid, gid_t *gid, struct why *why)
{
	int err = guest.known ? 0 : decide_guest(why);

	*uid = guest.uid;
	*gid = guest.gid;
	return err;
}

static int map_ids(pid_t pid, const struct sandbox_lab *config, struct why *why)
{
	struct userns_ids uids = { 0 }, gids = { 0 };
	bool root = is_root();
	char path[64];

	userns_add(&uids, geteuid());
	userns_add(&gids, getegid());
	if (root) {
		userns_add(&uids, SANDBOX_GUEST_ID);
		userns_add(&gids, SANDBOX_GUEST_ID);
		for (size_t i = 0; i < config->writable_count; i++)
			userns_add_owners(&uids, &gids, config->writable[i]);
		for (size_t i = 0; i < config->reach_count; i++)
			if (config->reach[i])
				userns_add_owners(&uids, &gids, config->reach[i]);
	}
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	cleanup_close int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return why_errno(why, -errno, "open %s", path);
	return userns_map(proc, &uids, &gids, root, why);
}

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

static int restrict_files(const struct sandbox_lab *config, bool root, struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < config->writable_count; i++)
		err = mounts_bind(config->writable[i], AT_FDCWD, config->writable[i], 0,
				  why);
	if (!err)
		err = mounts_change(AT_FDCWD, "/", MOUNTS_READ_ONLY, 0, why);
	for (size_t i = 0; !err && i < config->writable_count; i++)
		err = mounts_change(AT_FDCWD, config->writable[i], 0, MOUNT_ATTR_RDONLY,
				    why);
	/* An ordinary user can write nothing in /proc but what is its own; some of
	 * that (the id maps of machines) it has to.  If the host does not allow it,
	 * then it stays read-only. */
	if (!err && !root)
		mounts_change(AT_FDCWD, "/proc", 0, MOUNT_ATTR_RDONLY, NULL);
	return err;
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

/* In the lab process, in its new namespaces. */
static int enter(const struct sandbox_lab *config, bool root, struct why *why)
{
	int trees[ARRAY_SIZE(devices)];
	int err;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return userns_explain(-errno, "make mounts private in a new namespace",
				      why);
	err = open_devices(trees, why);
	if (!err)
		err = restrict_files(config, root, why);
	if (!err)
		err = build_dev(trees, why);
	if (!err)
		err = mount_private(config, why);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		close(trees[i]);
	/* An ordinary user who is called root here: to map that name onwards. */
	return caps_keep(lab_caps | (guest.uid == 0 ? CAPS_BIT(CAP_SETFCAP) : 0), why);
}

/* The parent's half: ids, and the wait for the child's last words. */
static int settle(pid_t pid, const struct sandbox_lab *config, int go, int report,
		  struct why *why)
{
	int err = map_ids(pid, config, why);

	if (!err)
		err = fdio_write(go, "g", 1);
	if (!err)
		err = report_wait(report, why);
	if (err) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return err;
}

int sandbox_fork_lab(const struct sandbox_lab *config, pid_t *pid, int *pidfd,
		     struct why *why)
{
	static const unsigned long spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
					    CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	cleanup_close int go_in = -1, go_out = -1, report_in = -1, report_out = -1,
			  fd = -1;
	int ends[2], err;
	bool root = is_root();
	struct why local;
	long got;
	char byte;

	err = decide_guest(why);
	if (!err)
		err = report_open(ends, why);
	if (err)
		return err;
	report_in = ends[0];
	report_out = ends[1];
	err = report_open(ends, why);
	if (err)
		return err;
	go_in = ends[0];
	go_out = ends[1];
	got = syscall(SYS_clone, spaces | CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0L);
	if (got < 0)
		return userns_explain(-errno, "create the lab's namespaces", why);
	if (got > 0) {
		close(steal_fd(&report_out));
		err = settle((pid_t)got, config, go_out, report_in, why);
		if (err)
			return err;
		*pid = (pid_t)got;
		if (pidfd)
			*pidfd = steal_fd(&fd);
		return 0;
	}
	fd = -1;
	close(steal_fd(&go_out));
	close(steal_fd(&report_in));
	if (fdio_read(go_in, &byte, 1) != 1)
		_exit(127); /* the parent knows why */
	err = enter(config, root, &local);
	if (err)
		report_fail(report_out, err, &local);
	*pid = 0;
	return 0;
}
