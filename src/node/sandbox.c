/* SPDX-License-Identifier: MIT */
#include "node/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/caps.h"
#include "node/lab_root.h"
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
	CAPS_BIT(CAP_SYS_NICE) |   /* which processor is theirs */
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

struct ids {
	struct userns_ids uids, gids;
	bool several; /* not just the caller's own */
};

static void choose_ids(const struct sandbox_lab *config, struct ids *ids)
{
	*ids = (struct ids){ .several = is_root() };
	userns_add(&ids->uids, geteuid());
	userns_add(&ids->gids, getegid());
	if (!ids->several)
		return;
	userns_add(&ids->uids, SANDBOX_GUEST_ID);
	userns_add(&ids->gids, SANDBOX_GUEST_ID);
	for (size_t i = 0; i < config->writable_count; i++)
		userns_add_owners(&ids->uids, &ids->gids, config->writable[i]);
	for (size_t i = 0; i < config->reach_count; i++)
		if (config->reach[i])
			userns_add_owners(&ids->uids, &ids->gids, config->reach[i]);
}

static int map_outer(pid_t pid, const struct ids *ids, struct why *why)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	cleanup_close int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return why_errno(why, -errno, "open %s", path);
	return userns_map(proc, &ids->uids, &ids->gids, ids->several, why);
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* In a helper: give our parent, whose folder in /proc this is, its ids as soon as
 * it is in the inner namespace. */
_Noreturn static void map_inner(int proc, int go, int report, const struct ids *ids)
{
	struct why why;
	char byte;
	int err;

	if (fdio_read(go, &byte, 1) != 1)
		_exit(1);
	/* Where setgroups() was denied, it is so for the inner one too. */
	err = userns_map(proc, &ids->uids, &ids->gids, true, &why);
	if (err)
		report_fail(report, err, &why);
	_exit(0);
}

/* Move into a user and a mount namespace below the present ones.  The ids of a
 * namespace can only be written from the one right above it, so a helper stays
 * there for a moment. */
static int enter_inner(const struct ids *ids, struct why *why)
{
	cleanup_close int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int go[2], report[2], err;
	pid_t helper;

	if (proc < 0)
		return why_errno(why, -errno, "open /proc/self");
	err = report_open(go, why);
	if (!err)
		err = report_open(report, why);
	if (err)
		return err;
	helper = fork();
	if (helper == 0) {
		close(go[1]);
		map_inner(proc, go[0], report[1], ids);
	}
	close(go[0]);
	close(report[1]);
	if (helper < 0)
		err = why_errno(why, -errno, "fork");
	if (!err && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		err = userns_explain(-errno, "create the lab's inner namespaces", why);
	if (!err && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) /* else the maps are root's */
		err = why_errno(why, -errno, "become dumpable");
	if (!err)
		err = fdio_write(go[1], "g", 1);
	close(go[1]);
	if (!err)
		err = report_wait(report[0], why);
	close(report[0]);
	if (helper > 0)
		reap(helper);
	return err;
}

/* Two user namespaces, one in the other.  In the outer one the child builds its
 * file system; in the inner one it can no longer undo that, for what a more
 * privileged namespace restricted is locked. */
static int enter(const struct sandbox_lab *config, const struct ids *ids, int go,
		 struct why *why)
{
	char byte;
	int err;

	if (fdio_read(go, &byte, 1) != 1)
		return why_set(why, -ESRCH, "whoever started the lab is gone");
	err = lab_root_restrict(config, why);
	if (!err)
		err = enter_inner(ids, why);
	/* An ordinary user who is called root here: to map that name onwards. */
	return err ? err :
		     caps_keep(lab_caps | (guest.uid == 0 ? CAPS_BIT(CAP_SETFCAP) : 0), why);
}

/* The parent's half: the outer ids, and the wait for the child's last words. */
static int settle(pid_t pid, const struct ids *ids, int go, int report, struct why *why)
{
	int err = map_outer(pid, ids, why);

	if (!err)
		err = fdio_write(go, "g", 1);
	if (!err)
		err = report_wait(report, why);
	if (err) {
		kill(pid, SIGKILL);
		reap(pid);
	}
	return err;
}

/* In the child: no return but into the lab. */
static void become_lab(const struct sandbox_lab *config, const struct ids *ids, int go,
		       int report)
{
	struct why why;
	int err = enter(config, ids, go, &why);

	if (err)
		report_fail(report, err, &why);
}

int sandbox_fork_lab(const struct sandbox_lab *config, pid_t *pid, int *pidfd,
		     struct why *why)
{
	static const unsigned long spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
					    CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	cleanup_close int report_in = -1, report_out = -1, go_in = -1, go_out = -1, fd = -1;
	struct ids ids;
	int ends[2], err;
	long got;

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
	choose_ids(config, &ids);
	got = syscall(SYS_clone, spaces | CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0L);
	if (got < 0)
		return userns_explain(-errno, "create the lab's namespaces", why);
	if (got == 0) {
		fd = -1;
		close(steal_fd(&go_out));
		become_lab(config, &ids, go_in, report_out);
	} else {
		close(steal_fd(&report_out));
		err = settle((pid_t)got, &ids, go_out, report_in, why);
		if (err)
			return err;
		if (pidfd)
			*pidfd = steal_fd(&fd);
	}
	*pid = (pid_t)got;
	return 0;
}
