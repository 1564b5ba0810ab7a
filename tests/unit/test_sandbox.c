/* SPDX-License-Identifier: MIT */
/* node/sandbox.h: what a lab process cannot do, and that nothing of it stays. */
#include "node/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <pty.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/proc.h"
#include "unit/sandbox_scene.h"

static int try_create(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/made", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int no_file_of_the_host(const struct scene *scene, struct why *why)
{
	int fd;

	HOLD(try_create(scene->outside) == -EROFS, "a folder of the user's own");
	HOLD(try_create("/") < 0, "/");
	HOLD(try_create("/tmp") == -EROFS, "/tmp");
	fd = open("/etc/passwd", O_WRONLY);
	HOLD(fd < 0 && (errno == EROFS || errno == EACCES), "/etc/passwd");
	fd = open("/proc/sys/kernel/hostname", O_WRONLY);
	HOLD(fd < 0, "a setting of the host's kernel");
	/* Nor by taking the restriction off: it is not the lab's to take. */
	HOLD(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 ? try_create("/etc") : 1,
	     "remounted");
	return 0;
}

static int only_what_it_was_given(const struct scene *scene, struct why *why)
{
	int err = try_create(scene->writable);

	HOLD(err == 0, "writable: %s", strerror(-err));
	err = try_create(scene->private_dir);
	HOLD(err == 0, "private: %s", strerror(-err));
	err = access(scene->closed, R_OK | X_OK) ? -errno : 0;
	HOLD(err == 0, "a project in a closed home: %s", strerror(-err));
	HOLD(try_create(scene->closed) == -EROFS, "and not to write there");
	return 0;
}

static int each_mount(const struct scene *scene, struct why *why)
{
	/* What in /proc is not read-only is held by no_file_of_the_host(). */
	const char *const writable[] = { scene->writable, scene->private_dir, "/dev", "/proc",
					 NULL };

	return scene_check_mounts("/proc/self/mountinfo", writable, why);
}

static int no_interface(const struct scene *scene, struct why *why)
{
	struct if_nameindex *list = if_nameindex();
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)scene;
	HOLD(list && list[0].if_index && !list[1].if_index, "more than one interface");
	HOLD(!strcmp(list[0].if_name, "lo"), "%s", list[0].if_name);
	if_freenameindex(list);
	HOLD(!ioctl(fd, SIOCGIFFLAGS, &request) && !(request.ifr_flags & IFF_UP), "lo is up");
	request.ifr_flags |= IFF_UP;
	HOLD(ioctl(fd, SIOCSIFFLAGS, &request) && errno == EPERM, "lo can be brought up");
	close(fd);
	return 0;
}

static int first_and_without_privileges(const struct scene *scene, struct why *why)
{
	static const int lost[] = { CAP_NET_ADMIN, CAP_NET_RAW,	  CAP_SYS_MODULE, CAP_SYS_BOOT,
				    CAP_SYS_TIME,  CAP_SYS_RAWIO, CAP_MKNOD,	  CAP_BPF };

	(void)scene;
	HOLD(getpid() == 1, "process %d", (int)getpid());
	HOLD(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no-new-privs");
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		HOLD(prctl(PR_CAPBSET_READ, lost[i], 0, 0, 0) == 0, "capability %d", lost[i]);
	return 0;
}

static int few_devices(const struct scene *scene, struct why *why)
{
	static const char known[] = " null zero full random urandom tty ptmx pts fd ";
	DIR *dir = opendir("/dev");
	struct dirent *entry;
	int master, slave;

	(void)scene;
	HOLD(dir, "/dev");
	while ((entry = readdir(dir))) {
		char word[300];

		snprintf(word, sizeof(word), " %s ", entry->d_name);
		HOLD(entry->d_name[0] == '.' || strstr(known, word), "%s", entry->d_name);
	}
	closedir(dir);
	HOLD(mknod("/dev/disk", S_IFBLK | 0600, makedev(254, 0)), "a disk can be made");
	HOLD(openpty(&master, &slave, NULL, NULL, NULL) == 0, "no terminals for consoles");
	return 0;
}

static void the_lab_writes_no_file_of_the_host(void **state)
{
	(void)state;
	scene_in_lab(no_file_of_the_host);
}

static void the_lab_writes_and_reads_what_it_was_given(void **state)
{
	(void)state;
	scene_in_lab(only_what_it_was_given);
}

static void each_mount_of_the_lab_is_restricted(void **state)
{
	(void)state;
	scene_in_lab(each_mount);
}

static void the_lab_has_no_interface(void **state)
{
	(void)state;
	scene_in_lab(no_interface);
}

static void the_lab_is_process_1_without_privileges(void **state)
{
	(void)state;
	scene_in_lab(first_and_without_privileges);
}

static void the_lab_has_few_devices(void **state)
{
	(void)state;
	scene_in_lab(few_devices);
}

/* What the lab wrote in its folder is on the host, what it has in private is not;
 * mounts are what they were. */
static int nothing_stays(const struct scene *scene, struct why *why)
{
	cleanup_free char *before = NULL, *after = NULL;
	size_t size;
	char path[PATH_MAX + 16];
	int err, status;
	pid_t pid;

	err = fdio_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &before, &size, why);
	if (!err)
		err = scene_fork_lab(scene, &pid, why);
	if (err)
		return err;
	if (pid == 0)
		_exit(try_create(scene->writable) || try_create(scene->private_dir));
	waitpid(pid, &status, 0);
	HOLD(status == 0, "the lab could not write");
	err = fdio_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &after, &size, why);
	if (err)
		return err;
	HOLD(!strcmp(before, after), "mounts:\n%s", after);
	snprintf(path, sizeof(path), "%s/made", scene->writable);
	HOLD(!access(path, F_OK), "%s", path);
	snprintf(path, sizeof(path), "%s/made", scene->private_dir);
	HOLD(access(path, F_OK), "%s", path);
	return 0;
}

static void mounts_and_private_files_are_gone_with_the_lab(void **state)
{
	(void)state;
	scene_as_each_user(nothing_stays);
}

/* Three generations hold a pipe; it ends when the last of them has. */
static int all_die(const struct scene *scene, struct why *why)
{
	int alive[2], err;
	struct proc_id lab;
	char byte;
	pid_t pid;

	if (pipe(alive))
		return why_errno(why, -errno, "pipe");
	err = scene_fork_lab(scene, &pid, why);
	if (err)
		return err;
	if (pid == 0) {
		close(alive[0]);
		if (fork() == 0 && fork() == 0)
			setsid();
		if (getpid() != 1)
			fdio_write(alive[1], "x", 1);
		for (;;)
			pause();
	}
	close(alive[1]);
	HOLD(fdio_read(alive[0], &byte, 1) == 1 && fdio_read(alive[0], &byte, 1) == 1, "start");
	err = proc_identify(&lab, pid, why);
	if (!err)
		err = proc_kill(&lab, 10000, why);
	if (err)
		return err;
	HOLD(fdio_read(alive[0], &byte, 1) == 0, "somebody is left");
	waitpid(pid, NULL, 0);
	return 0;
}

static void kill_9_of_the_lab_ends_everything_below(void **state)
{
	(void)state;
	scene_as_each_user(all_die);
}

static int missing_folder(const struct scene *scene, struct why *why)
{
	const char *const writable[] = { scene->writable, "/nowhere/at/all" };
	struct sandbox_lab config = { .writable = writable, .writable_count = 2 };
	struct why local = { "" };
	pid_t pid;
	int err = sandbox_fork_lab(&config, &pid, NULL, &local);

	HOLD(err == -ENOENT, "%d", err);
	HOLD(strstr(local.text, "/nowhere/at/all"), "%s", local.text);
	HOLD(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
	return 0;
}

static void a_folder_that_is_missing_is_named(void **state)
{
	(void)state;
	scene_as_each_user(missing_folder);
}

/* A namespace in which no other may be made, like a host that forbids them. */
static int forbidden(const struct scene *scene, struct why *why)
{
	struct why local = { "" };
	char map[32];
	uid_t uid = geteuid();
	pid_t pid;
	int err;

	if (uid == 0)
		return 0; /* root in there would be the real one: another refusal */
	if (unshare(CLONE_NEWUSER))
		return why_errno(why, -errno, "unshare");
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	snprintf(map, sizeof(map), "0 %u 1", uid);
	cleanup_close int file = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	HOLD(file >= 0 && write(file, map, strlen(map)) > 0, "map");
	cleanup_close int most = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	HOLD(most >= 0 && write(most, "0", 1) == 1, "limit");
	err = scene_fork_lab(scene, &pid, &local);
	HOLD(err == -ENOSPC, "%d", err);
	HOLD(strstr(local.text, "sysctl -w user.max_user_namespaces="), "%s", local.text);
	return 0;
}

static void where_namespaces_are_forbidden_the_setting_is_named(void **state)
{
	(void)state;
	scene_as_each_user(forbidden);
}

static int guests_ids(const struct scene *scene, struct why *why)
{
	uid_t uid = 0;
	gid_t gid = 0;

	HOLD(!sandbox_guest_ids(&uid, &gid, why), "%s", why->text);
	if (scene->is_root)
		HOLD(uid == SANDBOX_GUEST_ID && gid == SANDBOX_GUEST_ID, "user %u", uid);
	else
		HOLD(uid == scene->uid, "user %u", uid);
	return 0;
}

static void machines_are_never_root(void **state)
{
	(void)state;
	scene_in_lab(guests_ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lab_writes_no_file_of_the_host),
		cmocka_unit_test(the_lab_writes_and_reads_what_it_was_given),
		cmocka_unit_test(each_mount_of_the_lab_is_restricted),
		cmocka_unit_test(the_lab_has_no_interface),
		cmocka_unit_test(the_lab_is_process_1_without_privileges),
		cmocka_unit_test(the_lab_has_few_devices),
		cmocka_unit_test(mounts_and_private_files_are_gone_with_the_lab),
		cmocka_unit_test(kill_9_of_the_lab_ends_everything_below),
		cmocka_unit_test(a_folder_that_is_missing_is_named),
		cmocka_unit_test(where_namespaces_are_forbidden_the_setting_is_named),
		cmocka_unit_test(machines_are_never_root),
	};

	return cmocka_run_group_tests(tests, scene_begin, scene_end);
}
