/* SPDX-License-Identifier: MIT */
/* test_node_guest.c - /init of the machine that test_node_boot starts
 *
 * Looks around as the guest's root, prints "guest: NAME VALUE" lines on the console,
 * and ends as "guest=HOW" on the kernel's command line says.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	return dir ? count : -errno;
}

static int create(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* A program of the host's, in the host's root. */
static int run_true(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (chroot("/host") || chdir("/"))
			_exit(126);
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void look(void)
{
	struct stat st = { .st_uid = 77 };

	mkdir("/host", 0755);
	printf("guest: hostfs %d\n", mount("h", "/host", "hostfs", 0, "/") ? errno : 0);
	stat("/host/etc/passwd", &st);
	printf("guest: passwd-owner %d\n", (int)st.st_uid);
	printf("guest: write-etc %d\n", !create("/host/etc/netlab-made"));
	printf("guest: write-usr %d\n", !create("/host/usr/netlab-made"));
	printf("guest: write-lab %d\n", !create("/host/netlab/lab/made"));
	printf("guest: home %d\n", entries("/host/home"));
	printf("guest: tmp %d\n", entries("/host/tmp"));
	printf("guest: lab %d\n", entries("/host/netlab/lab"));
	printf("guest: true %d\n", run_true());
}

int main(void)
{
	char line[4096] = "";
	const char *how;
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/proc/cmdline", O_RDONLY);
	if (read(fd, line, sizeof(line) - 1) < 0)
		puts("guest: no command line");
	how = strstr(line, "guest=");
	how = how ? how + 6 : "off";
	look();
	puts("guest: done");
	fflush(stdout);
	if (!strncmp(how, "reboot", 6))
		reboot(RB_AUTOBOOT);
	if (!strncmp(how, "panic", 5))
		return 1; /* init ends: the kernel panics */
	if (!strncmp(how, "wait", 4))
		for (;;)
			pause();
	reboot(RB_POWER_OFF);
	return 1;
}
