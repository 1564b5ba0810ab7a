/* SPDX-License-Identifier: MIT */
/* One handler for each request.  The table below bounds payload and descriptors
 * before a handler runs; a handler checks what only it can know. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vhost/vhost_internal.h"

static const uint64_t protocol_offered = VHOST_FEATURE(VHOST_PROTOCOL_REPLY_ACK) |
					 VHOST_FEATURE(VHOST_PROTOCOL_SLAVE_REQ) |
					 VHOST_FEATURE(VHOST_PROTOCOL_CONFIG);

static int reply(struct vhost_user *conn, uint32_t request, const void *payload,
		 uint32_t size, struct why *why)
{
	int err = vhost_send(conn->fd, request, VHOST_FLAG_REPLY, payload, size);

	if (err == -EPIPE || err == -ECONNRESET)
		return why_set(why, -ENODATA, "the guest went away");
	if (err == -EAGAIN)
		return why_set(why, -EPROTO, "the guest does not read our replies");
	return err ? why_errno(why, err, "replying to request %u", request) : 0;
}

static int reply_integer(struct vhost_user *conn, uint32_t request, uint64_t value,
			 struct why *why)
{
	return reply(conn, request, &value, sizeof(value), why);
}

/* The ring with this index: the only way from a message to a ring. */
static int ring_at(struct vhost_user *conn, uint64_t index, struct vhost_ring **out,
		   struct why *why)
{
	if (index >= conn->ring_count)
		return why_set(why, -EPROTO, "ring %llu, but the device has %u",
			       (unsigned long long)index, conn->ring_count);
	*out = &conn->rings[index];
	return 0;
}

/* The same, for what may only be said of a ring that does not run. */
static int idle_ring_at(struct vhost_user *conn, uint64_t index,
			struct vhost_ring **out, struct why *why)
{
	int err = ring_at(conn, index, out, why);

	if (!err && (*out)->running)
		return why_set(why, -EPROTO, "the %s is running",
			       conn->ring_names[index]);
	return err;
}

static bool any_running(const struct vhost_user *conn)
{
	for (unsigned i = 0; i < conn->ring_count; i++)
		if (conn->rings[i].running)
			return true;
	return false;
}

static int get_features(struct vhost_user *conn, struct vhost_message *m,
			struct why *why)
{
	return reply_integer(conn, m->header.request, conn->offered, why);
}

static int set_features(struct vhost_user *conn, struct vhost_message *m,
			struct why *why)
{
	uint64_t features = m->payload.integer;

	if (features & ~conn->offered)
		return why_set(why, -EPROTO, "feature bits 0x%llx were not offered",
			       (unsigned long long)(features & ~conn->offered));
	if (any_running(conn) && features != conn->features)
		return why_set(why, -EPROTO, "features changed while rings run");
	conn->features = features;
	return 0;
}

static int nothing(struct vhost_user *conn, struct vhost_message *m, struct why *why)
{
	(void)conn;
	(void)m;
	(void)why;
	return 0;
}

static int reset_owner(struct vhost_user *conn, struct vhost_message *m, struct why *why)
{
	(void)m;
	(void)why;
	for (unsigned i = 0; i < conn->ring_count; i++)
		vhost_ring_reset(&conn->rings[i], true);
	return 0;
}

static int set_mem_table(struct vhost_user *conn, struct vhost_message *m,
			 struct why *why)
{
	const struct vhost_memory *table = &m->payload.memory;
	struct guest_memory memory = { .count = 0 }, old;
	int err = 0;

	if (table->count == 0 || table->count > GUEST_REGIONS_MAX ||
	    table->count != m->fd_count ||
	    m->header.size < VHOST_MEMORY_HEADER_BYTES +
				     table->count * sizeof(struct vhost_region))
		return why_set(why, -EPROTO, "%u regions in %u bytes with %u descriptors",
			       table->count, m->header.size, m->fd_count);
	for (unsigned i = 0; i < table->count && !err; i++) {
		const struct vhost_region *r = &table->regions[i];
		cleanup_close int fd = vhost_message_take_fd(m, i);

		err = guest_memory_add(&memory, r->physical, r->virtual, r->size, fd,
				       r->offset, why);
	}
	if (err) {
		guest_memory_clear(&memory);
		return err;
	}
	old = conn->memory;
	conn->memory = memory;
	guest_memory_clear(&old);
	for (unsigned i = 0; i < conn->ring_count && !err; i++)
		err = vhost_ring_relocate(&conn->rings[i], why);
	return err;
}

static int set_vring_num(struct vhost_user *conn, struct vhost_message *m,
			 struct why *why)
{
	struct vhost_ring *ring = NULL;
	uint32_t size = m->payload.state.num;
	int err = idle_ring_at(conn, m->payload.state.index, &ring, why);

	if (err)
		return err;
	if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)))
		return why_set(why, -EPROTO,
			       "%s: its size %u is not a power of two from 1 to %d",
			       conn->ring_names[ring->index], size, VRING_SIZE_MAX);
	ring->place.size = size;
	return 0;
}

static int set_vring_addr(struct vhost_user *conn, struct vhost_message *m,
			  struct why *why)
{
	const struct vhost_vring_addr *addr = &m->payload.addr;
	struct vhost_ring *ring = NULL;
	int err = idle_ring_at(conn, addr->index, &ring, why);

	if (err)
		return err;
	if (addr->flags)
		return why_set(why, -EPROTO, "%s: logging was not offered",
			       conn->ring_names[ring->index]);
	ring->place.desc = addr->desc;
	ring->place.avail = addr->avail;
	ring->place.used = addr->used;
	ring->placed = true;
	return 0;
}

static int set_vring_base(struct vhost_user *conn, struct vhost_message *m,
			  struct why *why)
{
	struct vhost_ring *ring = NULL;
	int err = idle_ring_at(conn, m->payload.state.index, &ring, why);

	if (err)
		return err;
	if (m->payload.state.num > UINT16_MAX)
		return why_set(why, -EPROTO, "%s: index %u does not fit 16 bits",
			       conn->ring_names[ring->index], m->payload.state.num);
	ring->next = (uint16_t)m->payload.state.num;
	return 0;
}

static int get_vring_base(struct vhost_user *conn, struct vhost_message *m,
			  struct why *why)
{
	struct vhost_vring_state state;
	struct vhost_ring *ring = NULL;
	int err = ring_at(conn, m->payload.state.index, &ring, why);

	if (err)
		return err;
	vhost_ring_reset(ring, true);
	state.index = ring->index;
	state.num = ring->next;
	return reply(conn, m->header.request, &state, sizeof(state), why);
}

/* SET_VRING_KICK, CALL and ERR: an index, and a descriptor or the word that there
 * is none.  *fd is the caller's; -1: none. */
static int ring_and_fd(struct vhost_user *conn, struct vhost_message *m,
		       struct vhost_ring **ring, int *fd, struct why *why)
{
	uint64_t word = m->payload.integer;
	bool none = word & VHOST_VRING_NO_FD;
	int err;

	*fd = -1;
	if (word & ~(uint64_t)(VHOST_VRING_INDEX_MASK | VHOST_VRING_NO_FD))
		return why_set(why, -EPROTO, "0x%llx is not a ring's index",
			       (unsigned long long)word);
	err = ring_at(conn, word & VHOST_VRING_INDEX_MASK, ring, why);
	if (err)
		return err;
	if (m->fd_count != (none ? 0u : 1u))
		return why_set(why, -EPROTO, "%s: %u descriptors; expected %s",
			       conn->ring_names[(*ring)->index], m->fd_count,
			       none ? "none" : "one");
	if (!none)
		*fd = vhost_message_take_fd(m, 0);
	return 0;
}

/* A descriptor would be looked at when the host gets to it. */
static int not_inband(const struct vhost_user *conn, const struct vhost_ring *ring,
		      struct why *why)
{
	return why_set(why, -EPROTO,
		       "%s: a descriptor for notifications, which are in-band in virtual "
		       "time",
		       conn->ring_names[ring->index]);
}

static int set_vring_kick(struct vhost_user *conn, struct vhost_message *m,
			  struct why *why)
{
	struct vhost_ring *ring = NULL;
	int fd, err = ring_and_fd(conn, m, &ring, &fd, why);

	if (err)
		return err;
	if (fd < 0)
		return why_set(why, -EPROTO,
			       "%s: no kick descriptor, but polling is not offered",
			       conn->ring_names[ring->index]);
	if (conn->guest) {
		close(fd);
		return not_inband(conn, ring, why);
	}
	return vhost_ring_set_kick(ring, fd, why);
}

static int set_vring_call(struct vhost_user *conn, struct vhost_message *m,
			  struct why *why)
{
	struct vhost_ring *ring = NULL;
	int fd, err = ring_and_fd(conn, m, &ring, &fd, why);

	if (!err && fd >= 0 && conn->guest) {
		close(fd);
		return not_inband(conn, ring, why);
	}
	return err ? err : vhost_ring_set_call(ring, fd, why);
}

/* We have no use for telling a machine that its driver is broken: its port dies. */
static int set_vring_err(struct vhost_user *conn, struct vhost_message *m,
			 struct why *why)
{
	struct vhost_ring *ring = NULL;
	int fd, err = ring_and_fd(conn, m, &ring, &fd, why);

	if (fd >= 0)
		close(fd);
	return err;
}

static int set_vring_enable(struct vhost_user *conn, struct vhost_message *m,
			    struct why *why)
{
	struct vhost_ring *ring = NULL;
	int err = ring_at(conn, m->payload.state.index, &ring, why);

	if (err)
		return err;
	if (m->payload.state.num > 1)
		return why_set(why, -EPROTO, "%s: enable is %u, neither 0 nor 1",
			       conn->ring_names[ring->index], m->payload.state.num);
	ring->enabled = m->payload.state.num;
	return vhost_ring_update(ring, why);
}

static int get_protocol_features(struct vhost_user *conn, struct vhost_message *m,
				 struct why *why)
{
	return reply_integer(conn, m->header.request,
			     protocol_offered | vhost_inband_features(conn), why);
}

static int set_protocol_features(struct vhost_user *conn, struct vhost_message *m,
				 struct why *why)
{
	uint64_t features = m->payload.integer;
	uint64_t unknown = features & ~(protocol_offered | vhost_inband_features(conn));

	if (unknown)
		return why_set(why, -EPROTO,
			       "protocol feature bits 0x%llx were not offered",
			       (unsigned long long)unknown);
	conn->protocol_features = features;
	return vhost_inband_negotiate(conn, why);
}

static int get_queue_num(struct vhost_user *conn, struct vhost_message *m,
			 struct why *why)
{
	return reply_integer(conn, m->header.request, conn->ring_count, why);
}

static int set_slave_req_fd(struct vhost_user *conn, struct vhost_message *m,
			    struct why *why)
{
	struct guest_signal channel;
	int fd = vhost_message_take_fd(m, 0), err;

	if (conn->guest)
		return vhost_inband_slave(conn, fd, why);
	guest_signal_init(&channel);
	err = guest_signal_take(&channel, fd, why);
	if (!err && channel.kind == GUEST_SIGNAL_EVENTFD)
		err = why_set(why, -EPROTO, "an eventfd, which carries no messages");
	if (err) {
		guest_signal_close(&channel);
		return err;
	}
	if (conn->slave_fd >= 0)
		close(conn->slave_fd);
	conn->slave_fd = channel.fd;
	return 0;
}

/* The part of the configuration space that the message speaks of. */
static int config_range(const struct vhost_message *m, struct why *why)
{
	const struct vhost_config *config = &m->payload.config;

	if (config->size > VHOST_CONFIG_BYTES_MAX ||
	    config->offset > VHOST_CONFIG_BYTES_MAX - config->size ||
	    m->header.size != VHOST_CONFIG_HEADER_BYTES + config->size)
		return why_set(why, -EPROTO, "%u bytes at offset %u in a message of %u",
			       config->size, config->offset, m->header.size);
	return 0;
}

static int get_config(struct vhost_user *conn, struct vhost_message *m, struct why *why)
{
	uint8_t space[VHOST_CONFIG_BYTES_MAX] = { 0 };
	struct vhost_config *config = &m->payload.config;
	int err = config_range(m, why);

	if (err)
		return err;
	conn->ops->config(conn->ctx, space, sizeof(space));
	memcpy(config->bytes, space + config->offset, config->size);
	return reply(conn, m->header.request, config, m->header.size, why);
}

/* No device of ours has anything that the driver may write.  Drivers of virtio
 * 1.x know; an old one that tries is told, if it asks, and not punished. */
static int set_config(struct vhost_user *conn, struct vhost_message *m, struct why *why)
{
	(void)conn;
	return config_range(m, why);
}

static int vring_kick(struct vhost_user *conn, struct vhost_message *m, struct why *why)
{
	struct vhost_ring *ring = NULL;
	int err = ring_at(conn, m->payload.state.index, &ring, why);

	if (err)
		return err;
	if (!conn->inband || !(m->header.flags & VHOST_FLAG_NEED_REPLY))
		return why_set(why, -EPROTO, "%s: a kick in a message that %s",
			       conn->ring_names[ring->index],
			       conn->inband ? "wants no reply" : "was not negotiated");
	if (ring->running)
		conn->ops->kick(conn->ctx, ring->index);
	return 0;
}

struct request {
	const char *name;
	uint16_t size_min, size_max;
	uint8_t fds_min, fds_max;
	bool replies;	/* by itself; else an acknowledgement, if wanted */
	uint8_t status; /* of the acknowledgement; 0: done */
	int (*run)(struct vhost_user *conn, struct vhost_message *m, struct why *why);
};

enum {
	INTEGER = sizeof(uint64_t),
	STATE = sizeof(struct vhost_vring_state),
	ADDR = sizeof(struct vhost_vring_addr),
	TABLE_MIN = VHOST_MEMORY_HEADER_BYTES,
	TABLE_MAX = sizeof(struct vhost_memory),
	SPACE_MIN = VHOST_CONFIG_HEADER_BYTES,
	SPACE_MAX = sizeof(struct vhost_config),
};

static const struct request requests[] = {
	[VHOST_GET_FEATURES] = { "GET_FEATURES", 0, 0, 0, 0, true, 0, get_features },
	[VHOST_SET_FEATURES] = { "SET_FEATURES", INTEGER, INTEGER, 0, 0, false, 0,
				 set_features },
	[VHOST_SET_OWNER] = { "SET_OWNER", 0, 0, 0, 0, false, 0, nothing },
	[VHOST_RESET_OWNER] = { "RESET_OWNER", 0, 0, 0, 0, false, 0, reset_owner },
	[VHOST_SET_MEM_TABLE] = { "SET_MEM_TABLE", TABLE_MIN, TABLE_MAX, 0, VHOST_FDS_MAX,
				  false, 0, set_mem_table },
	[VHOST_SET_VRING_NUM] = { "SET_VRING_NUM", STATE, STATE, 0, 0, false, 0,
				  set_vring_num },
	[VHOST_SET_VRING_ADDR] = { "SET_VRING_ADDR", ADDR, ADDR, 0, 0, false, 0,
				   set_vring_addr },
	[VHOST_SET_VRING_BASE] = { "SET_VRING_BASE", STATE, STATE, 0, 0, false, 0,
				   set_vring_base },
	[VHOST_GET_VRING_BASE] = { "GET_VRING_BASE", STATE, STATE, 0, 0, true, 0,
				   get_vring_base },
	[VHOST_SET_VRING_KICK] = { "SET_VRING_KICK", INTEGER, INTEGER, 0, 1, false, 0,
				   set_vring_kick },
	[VHOST_SET_VRING_CALL] = { "SET_VRING_CALL", INTEGER, INTEGER, 0, 1, false, 0,
				   set_vring_call },
	[VHOST_SET_VRING_ERR] = { "SET_VRING_ERR", INTEGER, INTEGER, 0, 1, false, 0,
				  set_vring_err },
	[VHOST_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", 0, 0, 0, 0, true, 0,
					  get_protocol_features },
	[VHOST_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", INTEGER, INTEGER, 0, 0,
					  false, 0, set_protocol_features },
	[VHOST_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", 0, 0, 0, 0, true, 0, get_queue_num },
	[VHOST_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", STATE, STATE, 0, 0, false, 0,
				     set_vring_enable },
	[VHOST_SET_SLAVE_REQ_FD] = { "SET_SLAVE_REQ_FD", 0, INTEGER, 1, 1, false, 0,
				     set_slave_req_fd },
	[VHOST_GET_CONFIG] = { "GET_CONFIG", SPACE_MIN, SPACE_MAX, 0, 0, true, 0,
			       get_config },
	[VHOST_SET_CONFIG] = { "SET_CONFIG", SPACE_MIN, SPACE_MAX, 0, 0, false, 1,
			       set_config },
	[VHOST_VRING_KICK] = { "VRING_KICK", STATE, STATE, 0, 0, false, 0, vring_kick },
};

int vhost_request_later(struct vhost_user *conn, struct vhost_message *m,
			struct why *why)
{
	const struct request *r = &requests[m->header.request];
	int err = r->run(conn, m, why);

	return err ? why_wrap(why, err, "%s", r->name) : 0;
}

/* The device serves the ring, and may not be done when we come back from that. */
static bool leads_to_more(uint32_t request)
{
	return request == VHOST_VRING_KICK || request == VHOST_SET_VRING_ENABLE;
}

int vhost_request(struct vhost_user *conn, struct vhost_message *m, struct why *why)
{
	const struct request *r = NULL;
	bool acknowledge;
	int err;

	if (m->header.request < ARRAY_SIZE(requests) && requests[m->header.request].run)
		r = &requests[m->header.request];
	if (!r)
		return why_set(why, -EPROTO,
			       "request %u is unknown or belongs to a feature that was not "
			       "offered",
			       m->header.request);
	if (m->header.size < r->size_min || m->header.size > r->size_max)
		return why_set(why, -EPROTO, "%s with %u bytes; expected %u to %u", r->name,
			       m->header.size, r->size_min, r->size_max);
	if (m->fd_count < r->fds_min || m->fd_count > r->fds_max)
		return why_set(why, -EPROTO,
			       "%s with %u descriptors; expected %u to %u", r->name,
			       m->fd_count, r->fds_min, r->fds_max);
	/* Front ends ask for it from SET_PROTOCOL_FEATURES on, that one included. */
	acknowledge = !r->replies && (m->header.flags & VHOST_FLAG_NEED_REPLY);
	if (acknowledge && conn->inband && leads_to_more(m->header.request)) {
		err = vhost_inband_later(conn, m, why);
		return err ? why_wrap(why, err, "%s", r->name) : 0;
	}
	err = r->run(conn, m, why);
	if (err)
		return why_wrap(why, err, "%s", r->name);
	if (acknowledge)
		return reply_integer(conn, m->header.request, r->status, why);
	return 0;
}
