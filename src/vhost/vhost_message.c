/* SPDX-License-Identifier: MIT */
#include "vhost/vhost_message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"

int vhost_message_take_fd(struct vhost_message *message, unsigned i)
{
	int fd;

	ASSERT(i < message->fd_count);
	fd = message->fds[i];
	message->fds[i] = -1;
	return fd;
}

void vhost_message_drop_fds(struct vhost_message *message)
{
	for (unsigned i = 0; i < message->fd_count; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
	message->fd_count = 0;
}

void vhost_reader_reset(struct vhost_reader *reader)
{
	vhost_message_drop_fds(&reader->message);
	memset(&reader->message.header, 0, sizeof(reader->message.header));
	reader->got = 0;
}

/* Keep the descriptors that came with these bytes; close what is too many. */
static int keep_fds(struct vhost_message *message, struct msghdr *msg, struct why *why)
{
	bool too_many = false;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (message->fd_count < VHOST_FDS_MAX)
				message->fds[message->fd_count++] = fd;
			else {
				close(fd);
				too_many = true;
			}
		}
	}
	/* The kernel has closed those that did not fit our buffer. */
	if (too_many || (msg->msg_flags & MSG_CTRUNC))
		return why_set(why, -EPROTO, "a message with more than %d descriptors",
			       VHOST_FDS_MAX);
	return 0;
}

static int check_header(const struct vhost_header *header, bool reply, struct why *why)
{
	if ((header->flags & VHOST_VERSION_MASK) != VHOST_VERSION ||
	    !(header->flags & VHOST_FLAG_REPLY) == reply)
		return why_set(why, -EPROTO, "request %u has flags 0x%x, not a %s's",
			       header->request, header->flags,
			       reply ? "reply" : "request");
	if (header->size > sizeof(union vhost_payload))
		return why_set(why, -EPROTO, "request %u has %u bytes; the most is %zu",
			       header->request, header->size,
			       sizeof(union vhost_payload));
	return 0;
}

int vhost_read(struct vhost_reader *reader, int fd, struct why *why)
{
	struct vhost_message *message = &reader->message;
	size_t header_bytes = sizeof(message->header);

	for (;;) {
		size_t want = header_bytes;
		char control[CMSG_SPACE(VHOST_FDS_MAX * sizeof(int))];
		struct iovec part = { .iov_base = (char *)message + reader->got };
		struct msghdr msg = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n;
		int err;

		if (reader->got >= header_bytes)
			want += message->header.size;
		if (reader->got > 0 && reader->got == want)
			return 1;
		part.iov_len = want - reader->got;
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n <= 0 && (n == 0 || errno == ECONNRESET))
			return why_set(why, -ENODATA, "%s",
				       reader->got ? "the guest went away in the middle "
						     "of a message" :
						     "the guest went away");
		if (n < 0)
			return why_errno(why, -errno, "reading a message");
		err = keep_fds(message, &msg, why);
		if (err)
			return err;
		reader->got += (size_t)n;
		if (reader->got == header_bytes) {
			err = check_header(&message->header, reader->replies, why);
			if (err)
				return err;
		}
	}
}

int vhost_send(int fd, uint32_t request, uint32_t flags, const void *payload,
	       uint32_t size)
{
	struct vhost_header header = { request, flags | VHOST_VERSION, size };
	struct iovec parts[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)payload, .iov_len = size },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = size ? 2 : 1 };
	ssize_t n;

	do {
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == ENOTSOCK)
			n = writev(fd, parts, size ? 2 : 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* Less than a socket buffer or PIPE_BUF: whole, or not read for long. */
	return (size_t)n == sizeof(header) + size ? 0 : -EAGAIN;
}
