/* SPDX-License-Identifier: MIT */
#include "base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"

ssize_t fdio_read(int fd, void *bytes, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = read(fd, (char *)bytes + have, size - have);

		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int fdio_write(int fd, const void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t put = write(fd, (const char *)bytes + done, size - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

int fdio_append(int fd, const void *bytes, size_t size)
{
	size_t done = 0;
	ssize_t put = 0;
	off_t end;
	int err;

	while (done < size) {
		put = write(fd, (const char *)bytes + done, size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			break;
		done += (size_t)put;
	}
	if (done == size)
		return 0;
	err = -errno;
	/* An appending descriptor stands behind what it wrote last. */
	end = done ? lseek(fd, 0, SEEK_CUR) : -1;
	if (end >= (off_t)done && ftruncate(fd, end - (off_t)done))
		return err; /* what it says is as good as anything */
	return err;
}

int fdio_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) ? -errno : 0;
}

union rights {
	struct cmsghdr align;
	/* One more than anybody may send: to tell "full" from "too many". */
	char bytes[CMSG_SPACE(sizeof(int) * (FDIO_FDS_MAX + 1))];
};

ssize_t fdio_send(int sock, const void *bytes, size_t size, const int *fds,
		  size_t fd_count)
{
	struct iovec io = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };
	union rights rights;
	ssize_t sent;

	ASSERT(size > 0 && fd_count <= FDIO_FDS_MAX);
	if (fd_count) {
		struct cmsghdr *c = &rights.align;

		memset(&rights, 0, sizeof(rights));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
		msg.msg_control = &rights;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
	}
	do {
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Take the descriptors out of a message; those without room are closed. */
static size_t take_rights(struct msghdr *msg, int *fds, size_t room, bool *overflow)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (count < room) {
				fds[count++] = fd;
			} else {
				close(fd);
				*overflow = true;
			}
		}
	}
	return count;
}

ssize_t fdio_recv(int sock, void *bytes, size_t size, int *fds, size_t *fd_count)
{
	struct iovec io = { .iov_base = bytes, .iov_len = size };
	union rights rights;
	struct msghdr msg = { .msg_iov = &io,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };
	bool overflow = false;
	size_t room = *fd_count;
	ssize_t got;

	*fd_count = 0;
	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*fd_count = take_rights(&msg, fds, room, &overflow);
	if (!overflow && !(msg.msg_flags & MSG_CTRUNC))
		return got;
	for (size_t i = 0; i < *fd_count; i++)
		close(fds[i]);
	*fd_count = 0;
	return -EMSGSIZE;
}

int fdio_make_dirs(const char *path, mode_t mode, struct why *why)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;

	if (len == 0 || len >= sizeof(part))
		return why_set(why, len ? -ENAMETOOLONG : -ENOENT, "folder %.64s: %s",
			       path, len ? "the path is too long" : "the path is empty");
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != 0)
			continue;
		part[i] = 0;
		/* EROFS and EACCES also come for folders that are there. */
		if (mkdir(part, mode)) {
			int err = -errno;

			if (stat(part, &st))
				return why_errno(why, err, "create folder %s", part);
			if (!S_ISDIR(st.st_mode))
				return why_errno(why, -ENOTDIR, "create folder %s", part);
		}
		part[i] = path[i];
	}
	return 0;
}

int fdio_write_file(int dir_fd, const char *path, const void *bytes, size_t size,
		    mode_t mode, struct why *why)
{
	char temp[PATH_MAX];
	int err;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.tmp", path) >= sizeof(temp))
		return why_errno(why, -ENAMETOOLONG, "write %.64s", path);
	if (unlinkat(dir_fd, temp, 0) && errno != ENOENT)
		return why_errno(why, -errno, "replace %s", temp);
	cleanup_close int fd = openat(
		dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return why_errno(why, -errno, "create %s", temp);
	err = fdio_write(fd, bytes, size);
	if (!err && fchmod(fd, mode)) /* whatever the umask said */
		err = -errno;
	if (!err && renameat(dir_fd, temp, dir_fd, path))
		err = -errno;
	if (!err)
		return 0;
	unlinkat(dir_fd, temp, 0);
	return why_errno(why, err, "write %s", path);
}

int fdio_read_file(int dir_fd, const char *path, size_t size_max, char **bytes,
		   size_t *size, struct why *why)
{
	cleanup_free char *buffer = NULL;
	size_t room = 4096, have = 0;
	cleanup_close int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return why_errno(why, -errno, "open %s", path);
	/* A pipe may have no writer, a terminal nobody who types. */
	if (!S_ISREG(st.st_mode))
		return why_set(why, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
			       "%s is not a regular file", path);
	/* The size that stat tells is not to be trusted: /proc says 0. */
	for (;;) {
		size_t want = room < size_max + 1 ? room : size_max + 1;
		char *more = realloc(buffer, want + 1);
		ssize_t got;

		if (!more)
			return why_errno(why, -ENOMEM, "read %s", path);
		buffer = more;
		got = fdio_read(fd, buffer + have, want - have);
		if (got < 0)
			return why_errno(why, (int)got, "read %s", path);
		have += (size_t)got;
		if (have > size_max)
			return why_set(why, -EFBIG, "%s is larger than %zu bytes", path,
				       size_max);
		if (have < want)
			break;
		room *= 2;
	}
	buffer[have] = 0;
	*bytes = steal_ptr(&buffer);
	*size = have;
	return 0;
}

static int remove_entry(int dir_fd, const char *name, dev_t dev, int depth,
			struct why *why);

static int remove_content(int fd, const char *name, dev_t dev, int depth, struct why *why)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int err = 0;

	if (!dir) {
		err = -errno;
		close(fd);
		return why_errno(why, err, "read folder %s", name);
	}
	while (!err && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			err = remove_entry(dirfd(dir), entry->d_name, dev, depth + 1,
					   why);
	closedir(dir);
	return err ? why_wrap(why, err, "%s", name) : 0;
}

static int remove_entry(int dir_fd, const char *name, dev_t dev, int depth,
			struct why *why)
{
	struct stat st;
	int fd, err;

	if (!unlinkat(dir_fd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return why_errno(why, -errno, "remove %s", name);
	if (depth > FDIO_DEPTH_MAX)
		return why_set(why, -ELOOP, "remove %s: more than %d folders deep", name,
			       FDIO_DEPTH_MAX);
	/* An empty one takes no descriptor, of which there may be none left. */
	if (!unlinkat(dir_fd, name, AT_REMOVEDIR))
		return 0;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return why_errno(why, -errno, "open folder %s", name);
	if (fstat(fd, &st) || st.st_dev != dev) {
		close(fd);
		return why_set(why, -EXDEV, "remove %s: something is mounted there",
			       name);
	}
	err = remove_content(fd, name, dev, depth, why); /* closes fd */
	if (err)
		return err;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) && errno != ENOENT)
		return why_errno(why, -errno, "remove folder %s", name);
	return 0;
}

int fdio_remove_tree(int dir_fd, const char *name, struct why *why)
{
	struct stat st;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return why_set(why, -EINVAL, "remove '%s': not a plain name", name);
	if (fstatat(dir_fd, ".", &st, 0))
		return why_errno(why, -errno, "remove %s", name);
	return remove_entry(dir_fd, name, st.st_dev, 0, why);
}
