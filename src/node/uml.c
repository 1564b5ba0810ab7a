/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "node/cgroup.h"
#include "node/driver.h"
#include "node/node.h"
#include "node/jail_root.h"
#include "node/sandbox.h"
#include "node/uml_args.h"

/* What a machine's memory file needs beyond its memory: the stub's program, the
 * pages that the kernel rounds up. */
static const uint64_t memory_slack_bytes = UINT64_C(16) << 20;

/* Kills for want of memory that were there before the first machine, or were told. */
static uint64_t memory_kills_known;
static bool memory_kills_asked;

/* The kernel sets it too, but not before its first lines are out. */
static int make_raw(int fd, struct why *why)
{
	struct termios mode;

	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &mode))
		return why_errno(why, -errno, "console: tcgetattr");
	cfmakeraw(&mode);
	if (tcsetattr(fd, TCSANOW, &mode))
		return why_errno(why, -errno, "console: tcsetattr");
	return 0;
}

/* The machine's user has to reach the sockets and to make the control folder. */
static int hand_over(const char *work_dir, uid_t uid, gid_t gid, struct why *why)
{
	struct dirent *entry;
	DIR *dir;
	int err = 0;

	if (uid == geteuid())
		return 0;
	dir = opendir(work_dir);
	if (!dir)
		return why_errno(why, -errno, "%s", work_dir);
	if (fchown(dirfd(dir), uid, gid))
		err = why_errno(why, -errno, "chown %s", work_dir);
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    fchownat(dirfd(dir), entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW))
			err = why_errno(why, -errno, "chown %s/%s", work_dir,
					entry->d_name);
	closedir(dir);
	return err;
}

/* Interrupts that kernels before 6.16 have for devices that are not network cards
 * leave so many for these. */
enum { INTERFACES_MAX_OLD = 44 };

static const char *home_dir(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(getuid());

	return user ? user->pw_dir : home;
}

static void put(char out[PARAMS_PATH_BYTES_MAX], const char *path)
{
	snprintf(out, PARAMS_PATH_BYTES_MAX, "%s", path);
}

bool node_dir_shows_home(const char *dir)
{
	const char *home = home_dir();
	char real_home[PATH_MAX], real_dir[PATH_MAX];
	size_t size;

	if (!home || !realpath(home, real_home) || !realpath(dir, real_dir))
		return false;
	size = strlen(real_dir);
	return !strcmp(real_dir, "/") || (!strncmp(real_home, real_dir, size) &&
					  (real_home[size] == 0 || real_home[size] == '/'));
}

/* What machines see in /lab, or NULL: nothing. */
static const char *shown_dir(const struct node_start *start)
{
	const char *dir = start->lab_dir && *start->lab_dir ? start->lab_dir : NULL;

	return dir && !node_dir_shows_home(dir) ? dir : NULL;
}

static void fill_machine(struct uml_machine *machine, const struct node_start *start)
{
	const struct plan_node *plan = start->plan;

	*machine = (struct uml_machine){
		.memory_bytes = plan->memory_bytes,
		.interface_count = plan->interface_count,
		.initramfs = start->initramfs,
		.kernel_can = start->kernel->can,
		.virtual_time = start->virtual_time,
		.index = start->index,
		.seed = start->seed,
		.cost = plan->cost,
		.params.image_kind = plan->image_kind,
		.extra_args = start->extra_args,
	};
	if (plan->image_kind == IMAGE_DIR)
		put(machine->params.image, JAIL_DIR "/image");
	if (*start->kernel->modules)
		put(machine->params.modules, JAIL_DIR "/modules");
	if (start->lab_dir)
		put(machine->params.lab, JAIL_DIR "/lab");
}

static const char *or_null(const char *path)
{
	return path && *path ? path : NULL;
}

static int start_uml(struct jail *out, const struct node_start *start, struct why *why)
{
	const char *preload = or_null(start->preload);
	const char *lab_dir = shown_dir(start);
	const struct jail_bind binds[] = {
		{ start->kernel->path, "kernel" },
		{ or_null(start->initramfs), "initramfs" },
		{ or_null(start->kernel->modules), "modules" },
		{ preload, "preload.so" },
		{ lab_dir, "lab" },
		{ or_null(start->plan->image), "image" },
	};
	char *const envp[] = { "PATH=/usr/bin:/bin", "HOME=" JAIL_DIR "/work",
			       "TMPDIR=" JAIL_DIR "/memory",
			       preload ? "LD_PRELOAD=" JAIL_DIR "/preload.so" : NULL,
			       NULL };
	struct uml_machine machine;
	struct uml_args args;
	struct jail_spec spec = {
		.binds = binds,
		.bind_count = ARRAY_SIZE(binds),
		.work_dir = start->work_dir,
		.memory_dir = or_null(start->memory_dir),
		.memory_bytes = start->plan->memory_bytes + memory_slack_bytes,
		.home = home_dir(),
		.hostname = start->plan->name,
		.exec = JAIL_DIR "/kernel",
		.envp = envp,
		.cpu = start->cpu,
		.stdio_fd = start->console_fd,
	};
	int err;

	if (!memory_kills_asked)
		memory_kills_known = cgroup_memory_kills(CGROUP_OURS, CGROUP_MOUNT);
	memory_kills_asked = true;
	if (start->plan->interface_count > INTERFACES_MAX_OLD &&
	    !(start->kernel->can & KERNEL_SECCOMP))
		return why_set(why, -EINVAL,
			       "it has %zu interfaces, and with kernel %s a machine can have at "
			       "most %d; netlab's own has more (netlab kernel build)",
			       start->plan->interface_count, start->kernel->release,
			       INTERFACES_MAX_OLD);
	if (start->lab_dir && !strcmp(start->lab_dir, "/"))
		return why_set(why, -EINVAL,
			       "the topology lies in /, and its folder is shown to the "
			       "machines: "
			       "put it in a folder of its own");
	fill_machine(&machine, start);
	err = uml_args_build(&args, &machine, why);
	if (err)
		return err;
	spec.argv = args.argv;
	err = sandbox_guest_ids(&spec.uid, &spec.gid, why);
	if (!err)
		err = make_raw(start->console_fd, why);
	if (!err)
		err = hand_over(start->work_dir, spec.uid, spec.gid, why);
	if (!err)
		err = jail_start(out, &spec, why);
	uml_args_free(&args);
	return err;
}

static bool was_memory(void)
{
	if (cgroup_memory_kills(CGROUP_OURS, CGROUP_MOUNT) <= memory_kills_known)
		return false;
	memory_kills_known++;
	return true;
}

/* The host's kernel does not say why: it counts. */
static void describe_kill(char *how, size_t how_bytes)
{
	struct cgroup_room room;

	cgroup_look(&room, CGROUP_OURS, CGROUP_MOUNT);
	if (!was_memory())
		snprintf(how, how_bytes, "killed by signal 9");
	else if (room.memory.max == UINT64_MAX)
		snprintf(how, how_bytes, "killed by signal 9, as the host was out of memory");
	else
		snprintf(how, how_bytes,
			 "killed by signal 9, as memory was short on the host; the limit is "
			 "%" PRIu64 " MB (%s)",
			 room.memory.max >> 20, room.memory.file);
}

static void describe_uml(int status, char *how, size_t how_bytes)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
		snprintf(how, how_bytes, "kernel panic (aborted)");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		describe_kill(how, how_bytes);
	else if (WIFSIGNALED(status))
		snprintf(how, how_bytes, "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 0)
		snprintf(how, how_bytes, "powered off");
	else if (WEXITSTATUS(status) == JAIL_EXIT_REBOOT)
		snprintf(how, how_bytes, "rebooted");
	else
		snprintf(how, how_bytes, "the kernel gave up (exit status %d)",
			 WEXITSTATUS(status));
}

const struct node_driver uml_driver = {
	.kind = "uml",
	.start = start_uml,
	.describe = describe_uml,
};
