/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

#define PORTS "/sys/class/virtio-ports"

enum {
	TRIES_MAX = 200,
	TRY_MS = 50, /* and sooner when the kernel announces a device */
};

int init_port_listen(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* Until something is announced, or for TRY_MS. */
static void wait_announced(int listen_fd)
{
	struct pollfd fd = { .fd = listen_fd, .events = POLLIN };
	char dropped[4096];

	poll(&fd, 1, TRY_MS);
	if (listen_fd >= 0)
		while (recv(listen_fd, dropped, sizeof(dropped), 0) > 0)
			;
}

/* Fills the device's path when a port of that name is there. */
static bool find_port(const char *name, char *device, size_t device_bytes)
{
	DIR *dir = opendir(PORTS);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char path[512], text[128];

		snprintf(path, sizeof(path), PORTS "/%.200s/name", entry->d_name);
		cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : fdio_read(fd, text, sizeof(text) - 1);

		if (n <= 0)
			continue;
		text[n] = 0;
		text[strcspn(text, "\n")] = 0;
		found = !strcmp(text, name);
		snprintf(device, device_bytes, "/dev/%.200s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The lab's end opens a moment after ours; until then the port says hang-up. */
static int wait_lab(int fd, struct why *why)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		struct pollfd port = { .fd = fd, .events = POLLIN | POLLOUT };

		if (poll(&port, 1, TRY_MS) > 0 && !(port.revents & (POLLHUP | POLLERR)))
			return 0;
		if (port.revents)
			poll(NULL, 0, 1);
	}
	return why_set(why, -ETIMEDOUT, "the lab does not open its end of the console port");
}

int init_port_open(const char *name, int listen_fd, struct why *why)
{
	char device[256];
	int err, fd = -1;

	for (int i = 0; i < TRIES_MAX && fd < 0; i++) {
		if (find_port(name, device, sizeof(device)))
			fd = open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			wait_announced(listen_fd);
	}
	if (fd < 0)
		return why_set(why, -ENODEV,
			       "no console port \"%s\" after %d s: is the machine's "
			       "virtio_uml.device=... of the agent there, and the module "
			       "virtio_console?",
			       name, TRIES_MAX * TRY_MS / 1000);
	err = wait_lab(fd, why);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
