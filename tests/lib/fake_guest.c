/* SPDX-License-Identifier: MIT */
#include "lib/fake_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "vhost/vhost_user.h"

enum {
	PATIENCE_TURNS = 200,
	PATIENCE_MS = 10000,
	TABLE_BYTES = FAKE_CHAIN_MAX * 16,
};

static const uint64_t physical_base = 0x2000000;
static const uint64_t virtual_base = 0x7f0000000000;
static const uint64_t region_gap = 0x100000000;

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static void empty_ring(struct fake_ring *r)
{
	r->avail_next = r->used_seen = r->kicked_at = r->base = 0;
	r->free_count = r->size;
	for (uint32_t k = 0; k < r->size; k++)
		r->free[k] = (uint16_t)(r->size - 1 - k);
}

static void lay_out(struct fake_guest *g)
{
	const struct fake_options *o = &g->options;
	size_t at = 0, n = o->ring_size;

	for (unsigned i = 0; i < o->rings; i++) {
		struct fake_ring *r = &g->ring[i];

		r->size = o->ring_size;
		r->desc = at;
		r->avail = at + 16 * n;
		r->used = round_up(r->avail + 6 + 2 * n, 64);
		at = round_up(r->used + 6 + 8 * n, 4096);
		r->kick_fd = r->call_fd = -1;
		empty_ring(r);
	}
	g->region_bytes = at;
	for (unsigned i = 0; i < o->rings; i++) {
		g->ring[i].tables = at;
		at = round_up(at + n * TABLE_BYTES, 4096);
		g->ring[i].slots = at;
		at = round_up(at + n * o->slot_bytes, 4096);
	}
	if (o->regions == 1 || at / o->regions > g->region_bytes)
		g->region_bytes = round_up(at / o->regions + 4096, 4096);
	g->memory_bytes = g->region_bytes * o->regions;
	ASSERT(g->memory_bytes >= at);
}

static int make_memory(struct fake_guest *g)
{
	g->memory = mmap(NULL, g->memory_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	if (g->memory == MAP_FAILED)
		return -errno;
	for (unsigned i = 0; i < g->options.regions; i++) {
		g->region_fds[i] = memfd_create("fake guest", MFD_CLOEXEC);
		if (g->region_fds[i] < 0 ||
		    ftruncate(g->region_fds[i], (off_t)g->region_bytes) < 0 ||
		    mmap(g->memory + i * g->region_bytes, g->region_bytes,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, g->region_fds[i],
			 0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

int fake_guest_open(struct fake_guest **out, const char *path,
		    const struct fake_options *options)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct fake_guest *g = calloc(1, sizeof(*g));
	int err;

	ASSERT(g && strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	g->options = *options;
	if (!g->options.ring_size)
		g->options.ring_size = 256;
	if (!g->options.slot_bytes)
		g->options.slot_bytes = 2048;
	if (!g->options.regions)
		g->options.regions = 1;
	g->messages_left = -1;
	g->slave_fd = -1;
	for (unsigned i = 0; i < FAKE_REGIONS_MAX; i++)
		g->region_fds[i] = -1;
	lay_out(g);
	g->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = make_memory(g);
	if (!err && connect(g->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	if (err) {
		fake_guest_close(g);
		return err;
	}
	*out = g;
	return 0;
}

static void drop_ring_fds(struct fake_ring *r)
{
	if (r->kick_fd >= 0)
		close(r->kick_fd);
	if (r->call_fd >= 0)
		close(r->call_fd);
	r->kick_fd = r->call_fd = -1;
}

void fake_guest_close(struct fake_guest *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < g->options.rings; i++)
		drop_ring_fds(&g->ring[i]);
	for (unsigned i = 0; i < FAKE_REGIONS_MAX; i++)
		if (g->region_fds[i] >= 0)
			close(g->region_fds[i]);
	if (g->slave_fd >= 0)
		close(g->slave_fd);
	if (g->fd >= 0)
		close(g->fd);
	if (g->memory && g->memory != MAP_FAILED)
		munmap(g->memory, g->memory_bytes);
	free(g);
}

uint64_t fake_physical(const struct fake_guest *g, size_t offset)
{
	size_t region = offset / g->region_bytes;

	return physical_base + region * region_gap + offset % g->region_bytes;
}

uint64_t fake_virtual(const struct fake_guest *g, size_t offset)
{
	return virtual_base + (fake_physical(g, offset) - physical_base);
}

int fake_send(struct fake_guest *g, uint32_t request, uint32_t flags,
	      const void *payload, uint32_t size, const int *fds, unsigned fd_count)
{
	struct vhost_header header = { request, flags | VHOST_VERSION, size };
	union {
		char bytes[CMSG_SPACE(16 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec parts[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)payload, .iov_len = size },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = size ? 2 : 1 };

	if (g->messages_left == 0)
		return -1;
	if (g->messages_left > 0)
		g->messages_left--;
	if (fd_count) {
		ASSERT(fd_count <= 16);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(fd_count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, fd_count * sizeof(int));
	}
	return sendmsg(g->fd, &msg, MSG_NOSIGNAL) == (ssize_t)(sizeof(header) + size) ? 0 :
											-1;
}

/* Until fd is readable.  1, or 0: not within patience. */
static int await(struct fake_guest *g, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (!g->options.pump)
		return poll(&p, 1, PATIENCE_MS) > 0;
	for (int i = 0; i < PATIENCE_TURNS; i++) {
		if (poll(&p, 1, 0) > 0)
			return 1;
		g->options.pump(g->options.pump_ctx);
	}
	return 0;
}

int fake_receive(struct fake_guest *g, struct vhost_message *m)
{
	size_t got = 0, want = sizeof(m->header);

	while (got < want) {
		ssize_t n;

		if (!await(g, g->fd))
			return 0;
		n = recv(g->fd, (char *)m + got, want - got, 0);
		if (n <= 0)
			return -1;
		got += (size_t)n;
		if (got == sizeof(m->header)) {
			ASSERT(m->header.size <= sizeof(m->payload));
			want += m->header.size;
		}
	}
	return 1;
}

bool fake_hung_up(struct fake_guest *g)
{
	char byte;

	return await(g, g->fd) && recv(g->fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

int fake_slave_message(struct fake_guest *g, struct vhost_header *header)
{
	struct pollfd p = { .fd = g->slave_fd, .events = POLLIN };

	if (poll(&p, 1, 0) <= 0)
		return 0;
	return read(g->slave_fd, header, sizeof(*header)) == sizeof(*header);
}

/* Send, and wait for the acknowledgement if one is due. */
static int tell(struct fake_guest *g, uint32_t request, const void *payload,
		uint32_t size, const int *fds, unsigned fd_count)
{
	bool ack = g->protocol_features >> VHOST_PROTOCOL_REPLY_ACK & 1;
	struct vhost_message m;

	if (fake_send(g, request, ack ? VHOST_FLAG_NEED_REPLY : 0, payload, size, fds,
		      fd_count))
		return -1;
	if (!ack)
		return 0;
	return fake_receive(g, &m) == 1 && m.header.request == request &&
			       m.header.flags == (VHOST_VERSION | VHOST_FLAG_REPLY) &&
			       m.header.size == 8 && m.payload.integer == 0 ?
		       0 :
		       -1;
}

static int tell_integer(struct fake_guest *g, uint32_t request, uint64_t value)
{
	return tell(g, request, &value, sizeof(value), NULL, 0);
}

static int tell_state(struct fake_guest *g, uint32_t request, uint32_t index,
		      uint32_t num)
{
	struct vhost_vring_state state = { index, num };

	return tell(g, request, &state, sizeof(state), NULL, 0);
}

static int ask_integer(struct fake_guest *g, uint32_t request, uint64_t *value)
{
	struct vhost_message m;

	if (fake_send(g, request, 0, NULL, 0, NULL, 0) || fake_receive(g, &m) != 1 ||
	    m.header.request != request || m.header.size != 8)
		return -1;
	*value = m.payload.integer;
	return 0;
}

int fake_get_config(struct fake_guest *g, uint32_t offset, void *to, uint32_t size)
{
	struct vhost_config config = { .offset = 0, .size = offset + size };
	uint32_t bytes = VHOST_CONFIG_HEADER_BYTES + offset + size;
	struct vhost_message m;

	/* User-Mode Linux asks for everything from 0 on. */
	if (fake_send(g, VHOST_GET_CONFIG, 0, &config, bytes, NULL, 0) ||
	    fake_receive(g, &m) != 1 || m.header.request != VHOST_GET_CONFIG ||
	    m.header.size != bytes || m.payload.config.size != offset + size)
		return -1;
	memcpy(to, m.payload.config.bytes + offset, size);
	return 0;
}

bool fake_is_inband(const struct fake_guest *g)
{
	return g->protocol_features >> VHOST_PROTOCOL_INBAND & 1;
}

int fake_hear_call(struct fake_guest *g, struct vhost_message *m)
{
	size_t used = strlen(g->calls);
	uint32_t ring;

	if (recv(g->slave_fd, &m->header, sizeof(m->header), MSG_DONTWAIT) !=
	    sizeof(m->header))
		return 0;
	ASSERT(m->header.size <= sizeof(m->payload));
	ASSERT(m->header.size == 0 ||
	       recv(g->slave_fd, &m->payload, m->header.size, MSG_DONTWAIT) ==
		       (ssize_t)m->header.size);
	ASSERT(m->header.flags == (VHOST_VERSION | VHOST_FLAG_NEED_REPLY));
	ring = m->payload.state.index;
	if (m->header.request == VHOST_SLAVE_VRING_CALL) {
		ASSERT(m->header.size == 8 && ring < g->options.rings);
		g->ring[ring].calls++;
		snprintf(g->calls + used, sizeof(g->calls) - used, "%u ", ring);
	} else {
		ASSERT(m->header.request == VHOST_SLAVE_CONFIG_CHANGE &&
		       m->header.size == 0);
		snprintf(g->calls + used, sizeof(g->calls) - used, "config ");
	}
	return 1;
}

void fake_answer(struct fake_guest *g, uint32_t request, uint64_t status)
{
	struct {
		struct vhost_header header;
		uint64_t status;
	} __attribute__((packed)) answer = {
		{ request, VHOST_VERSION | VHOST_FLAG_REPLY, sizeof(status) }, status
	};

	/* Whoever has hung up does not hear it. */
	if (send(g->slave_fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
		ASSERT(errno == EPIPE);
}

unsigned fake_answer_calls(struct fake_guest *g)
{
	struct vhost_message m;
	unsigned count = 0;

	while (g->slave_fd >= 0 && fake_hear_call(g, &m)) {
		fake_answer(g, m.header.request, 0);
		count++;
	}
	return count;
}

static int open_slave_channel(struct fake_guest *g)
{
	int fds[2], err;

	/* What User-Mode Linux calls a pipe is one, for what is only written to. */
	if (g->style == FAKE_UML && !fake_is_inband(g) ?
		    pipe2(fds, O_CLOEXEC) :
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -1;
	g->slave_fd = fds[0];
	err = tell(g, VHOST_SET_SLAVE_REQ_FD, NULL, 0, &fds[1], 1);
	close(fds[1]);
	return err;
}

int fake_negotiate(struct fake_guest *g, enum fake_style style)
{
	const uint64_t wanted = 1u << VHOST_PROTOCOL_SLAVE_REQ |
				1u << VHOST_PROTOCOL_CONFIG |
				(unsigned)g->options.inband << VHOST_PROTOCOL_INBAND |
				(style == FAKE_UML ? 1u << VHOST_PROTOCOL_REPLY_ACK : 0);
	uint64_t n;

	g->style = style;
	if (style == FAKE_UML && tell(g, VHOST_SET_OWNER, NULL, 0, NULL, 0))
		return -1;
	if (ask_integer(g, VHOST_GET_FEATURES, &g->offered) ||
	    ask_integer(g, VHOST_GET_PROTOCOL_FEATURES, &n))
		return -1;
	g->protocol_features = n & wanted;
	if (tell_integer(g, VHOST_SET_PROTOCOL_FEATURES, g->protocol_features))
		return -1;
	if (style == FAKE_QEMU && (ask_integer(g, VHOST_GET_QUEUE_NUM, &n) ||
				   tell(g, VHOST_SET_OWNER, NULL, 0, NULL, 0)))
		return -1;
	if (open_slave_channel(g))
		return -1;
	g->features = g->offered & ~g->options.decline;
	return tell_integer(g, VHOST_SET_FEATURES, g->features);
}

int fake_set_memory(struct fake_guest *g)
{
	struct vhost_memory table = { .count = g->options.regions };
	/* User-Mode Linux always sends two regions' worth of bytes. */
	unsigned entries = g->style == FAKE_UML && table.count < 2 ? 2 : table.count;

	for (unsigned i = 0; i < table.count; i++)
		table.regions[i] = (struct vhost_region){
			.physical = fake_physical(g, i * g->region_bytes),
			.virtual = fake_virtual(g, i * g->region_bytes),
			.size = g->region_bytes,
		};
	return tell(g, VHOST_SET_MEM_TABLE, &table,
		    (uint32_t)(VHOST_MEMORY_HEADER_BYTES +
			       entries * sizeof(struct vhost_region)),
		    g->region_fds, table.count);
}

static int tell_ring_fd(struct fake_guest *g, uint32_t request, uint64_t index, int fd)
{
	return tell(g, request, &index, sizeof(index), &fd, 1);
}

static int make_call_fd(struct fake_guest *g, unsigned index)
{
	struct fake_ring *r = &g->ring[index];
	int fds[2], err;

	if (g->style == FAKE_QEMU) {
		r->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		return tell_ring_fd(g, VHOST_SET_VRING_CALL, index, r->call_fd);
	}
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	r->call_fd = fds[0];
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	err = tell_ring_fd(g, VHOST_SET_VRING_CALL, index, fds[1]);
	close(fds[1]);
	return err;
}

static int place_ring(struct fake_guest *g, unsigned index)
{
	struct fake_ring *r = &g->ring[index];
	struct vhost_vring_addr addr = {
		.index = index,
		.desc = fake_virtual(g, r->desc),
		.avail = fake_virtual(g, r->avail),
		.used = fake_virtual(g, r->used),
		.log = UINT64_MAX,
	};

	if (tell_state(g, VHOST_SET_VRING_NUM, index, r->size) ||
	    tell_state(g, VHOST_SET_VRING_BASE, index, r->base))
		return -1;
	return tell(g, VHOST_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
}

int fake_start_rings(struct fake_guest *g)
{
	for (unsigned i = 0; i < g->options.rings; i++)
		if ((!fake_is_inband(g) && make_call_fd(g, i)) || place_ring(g, i))
			return -1;
	for (unsigned i = 0; i < g->options.rings; i++) {
		if (!fake_is_inband(g))
			g->ring[i].kick_fd = eventfd(0, EFD_CLOEXEC);
		if ((!fake_is_inband(g) &&
		     tell_ring_fd(g, VHOST_SET_VRING_KICK, i, g->ring[i].kick_fd)) ||
		    tell_state(g, VHOST_SET_VRING_ENABLE, i, 1))
			return -1;
	}
	return 0;
}

int fake_stop_rings(struct fake_guest *g)
{
	struct vhost_message m;
	uint64_t n;

	for (unsigned i = 0; i < g->options.rings; i++) {
		struct vhost_vring_state state = { i, 0 };

		if (g->style == FAKE_UML) {
			if (tell_state(g, VHOST_SET_VRING_ENABLE, i, 0))
				return -1;
		} else if (fake_send(g, VHOST_GET_VRING_BASE, 0, &state, sizeof(state),
				     NULL, 0) ||
			   fake_receive(g, &m) != 1 || m.payload.state.index != i) {
			return -1;
		} else {
			g->ring[i].base = (uint16_t)m.payload.state.num;
		}
	}
	for (unsigned i = 0; i < g->options.rings; i++) {
		struct fake_ring *r = &g->ring[i];

		drop_ring_fds(r);
		if (g->style == FAKE_UML) {
			memset(g->memory + r->desc, 0, r->used + 6 + 8 * r->size - r->desc);
			empty_ring(r);
		}
	}
	return ask_integer(g, VHOST_GET_FEATURES, &n);
}

int fake_handshake(struct fake_guest *g, enum fake_style style)
{
	return fake_negotiate(g, style) || fake_set_memory(g) || fake_start_rings(g) ? -1 :
											0;
}
