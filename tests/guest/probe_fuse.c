/* SPDX-License-Identifier: MIT */
/* A file system of one file, spoken over /dev/fuse as in linux/fuse.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest/probe.h"

static const char content[] = "served by a program\n";

enum { FILE_NODE = 2, REQUEST_BYTES = 1 << 17 };

static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = { .ino = node, .nlink = 1, .blksize = 512 };

	attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444;
	attr.size = node == FUSE_ROOT_ID ? 0 : sizeof(content) - 1;
	return attr;
}

static void answer(int fd, uint64_t unique, int err, const void *body, size_t size)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + size),
					.error = err,
					.unique = unique };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)body, size } };

	NEED(writev(fd, parts, 2) == (ssize_t)head.len, "answer");
}

static void lookup(int fd, const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out entry = { .nodeid = FILE_NODE,
					.attr = attributes(FILE_NODE) };

	if (strcmp(name, "hello"))
		answer(fd, in->unique, -ENOENT, NULL, 0);
	else
		answer(fd, in->unique, 0, &entry, sizeof(entry));
}

static void serve_one(int fd, const struct fuse_in_header *in, const void *body)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .max_write = 4096 };
	struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	struct fuse_open_out opened = { .fh = 1 };
	const struct fuse_read_in *read_in = body;

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
		answer(fd, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_LOOKUP:
		lookup(fd, in, body);
		break;
	case FUSE_OPEN:
		answer(fd, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer(fd, in->unique, 0, content,
		       read_in->offset ? 0 : sizeof(content) - 1);
		break;
	case FUSE_FORGET: /* is not answered */
		break;
	default:
		answer(fd, in->unique,
		       in->opcode == FUSE_FLUSH || in->opcode == FUSE_RELEASE ? 0
									      : -ENOSYS,
		       NULL, 0);
	}
}

static void serve(int fd)
{
	static char request[REQUEST_BYTES];
	ssize_t got;

	while ((got = read(fd, request, sizeof(request))) > 0)
		serve_one(fd, (const struct fuse_in_header *)request,
			  request + sizeof(struct fuse_in_header));
	/* ENODEV: it was unmounted. */
	_exit(got < 0 && errno == ENODEV ? 0 : 1);
}

static int run_fuse(char **args)
{
	const char *folder = probe_arg(args, 0, "folder to mount on");
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), file, server;
	char options[128], got[64] = "", path[128];
	ssize_t bytes;

	NEED(fd >= 0, "open /dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 fd);
	NEED(!mount("lab_probe", folder, "fuse", MS_NOSUID | MS_NODEV, options), "mount");
	server = fork();
	NEED(server >= 0, "fork");
	if (!server)
		serve(fd);
	/* Else it stays when the server dies, and so does whoever waits for an answer. */
	close(fd);
	snprintf(path, sizeof(path), "%s/hello", folder);
	file = open(path, O_RDONLY);
	NEED(file >= 0, "open %s", path);
	bytes = read(file, got, sizeof(got));
	NEED(bytes == (ssize_t)sizeof(content) - 1 &&
		     !memcmp(got, content, (size_t)bytes),
	     "read %zd bytes: '%.60s'", bytes, got);
	close(file);
	snprintf(path, sizeof(path), "%s/other", folder);
	NEED(open(path, O_RDONLY) < 0 && errno == ENOENT, "a file that is not there");
	NEED(!umount(folder), "unmount");
	probe_child_ok(server, "the server");
	return 0;
}

const struct probe probe_fuse[] = {
	{ "fuse", run_fuse },
	{ NULL, NULL },
};
