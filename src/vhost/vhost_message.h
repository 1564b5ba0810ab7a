/* SPDX-License-Identifier: MIT */
/* vhost_message.h - vhost-user messages: the wire format and its bounds
 *
 * A message is a header, a payload of header.size bytes, and up to
 * VHOST_FDS_MAX descriptors.  Fields are little-endian, as is the host.  A reader
 * collects one message from a non-blocking socket, in as many pieces as it comes.
 *
 * Errors:    -errno with *why.  -EPROTO: not a message we accept.  -ENODATA: the
 *            other side closed the connection.
 * Ownership: descriptors belong to the message until vhost_message_take_fd();
 *            vhost_message_drop_fds() closes the rest.
 * Threads:   one.
 */
#ifndef NL_VHOST_VHOST_MESSAGE_H
#define NL_VHOST_VHOST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum {
	VHOST_FDS_MAX = 8,
	VHOST_CONFIG_BYTES_MAX = 256, /* of a device's configuration space */
	VHOST_VERSION = 1,
	VHOST_VERSION_MASK = 3,
	VHOST_FLAG_REPLY = 1 << 2,
	VHOST_FLAG_NEED_REPLY = 1 << 3,
};

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_SLAVE_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_VRING_KICK = 35,
};

/* Requests of ours, over the descriptor of VHOST_SET_SLAVE_REQ_FD. */
enum vhost_slave_request {
	VHOST_SLAVE_CONFIG_CHANGE = 2,
	VHOST_SLAVE_VRING_CALL = 4,
};

enum vhost_feature {
	VHOST_F_PROTOCOL_FEATURES = 30,
};

enum vhost_protocol_feature {
	VHOST_PROTOCOL_REPLY_ACK = 3,
	VHOST_PROTOCOL_SLAVE_REQ = 5,
	VHOST_PROTOCOL_CONFIG = 9,
	VHOST_PROTOCOL_INBAND = 14, /* kicks and calls are messages */
};

enum {
	VHOST_VRING_INDEX_MASK = 0xff, /* in the integer of SET_VRING_KICK, CALL, ERR */
	VHOST_VRING_NO_FD = 1 << 8,
};

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
} __attribute__((packed));

struct vhost_vring_state {
	uint32_t index;
	uint32_t num;
} __attribute__((packed));

struct vhost_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log;
} __attribute__((packed));

struct vhost_region {
	uint64_t physical;
	uint64_t size;
	uint64_t virtual;
	uint64_t offset; /* in its file */
} __attribute__((packed));

struct vhost_memory {
	uint32_t count;
	uint32_t padding;
	struct vhost_region regions[VHOST_FDS_MAX];
} __attribute__((packed));

struct vhost_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t bytes[VHOST_CONFIG_BYTES_MAX];
} __attribute__((packed));

enum { VHOST_CONFIG_HEADER_BYTES = 12, VHOST_MEMORY_HEADER_BYTES = 8 };

union vhost_payload {
	uint64_t integer;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct vhost_memory memory;
	struct vhost_config config;
} __attribute__((packed));

struct vhost_message {
	struct vhost_header header;
	union vhost_payload payload;
	int fds[VHOST_FDS_MAX]; /* -1: taken */
	unsigned fd_count;	/* that came */
} __attribute__((aligned(8)));

struct vhost_reader {
	struct vhost_message message;
	size_t got;   /* bytes of header and payload */
	bool replies; /* what is read are replies to requests of ours */
};

/* Read on.  1: reader->message is complete; 0: not yet; -errno. */
int vhost_read(struct vhost_reader *reader, int fd, struct why *why);
/* Make ready for the next message; closes descriptors that nobody took. */
void vhost_reader_reset(struct vhost_reader *reader);

int vhost_message_take_fd(struct vhost_message *message, unsigned i);
void vhost_message_drop_fds(struct vhost_message *message);

/* Send a message without waiting; fd is a socket or a pipe.  -EAGAIN: the other
 * side does not read. */
int vhost_send(int fd, uint32_t request, uint32_t flags, const void *payload,
	       uint32_t size);

#endif
