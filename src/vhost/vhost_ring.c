/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "vhost/vhost_internal.h"

void vhost_ring_init(struct vhost_ring *ring, struct vhost_user *conn, unsigned index)
{
	*ring = (struct vhost_ring){ .conn = conn, .index = index, .kick_fd = -1 };
	guest_signal_init(&ring->call);
}

static int in_ring(const struct vhost_ring *ring, int err, struct why *why)
{
	return why_wrap(why, err, "%s", ring->conn->ring_names[ring->index]);
}

static int start(struct vhost_ring *ring, struct why *why)
{
	struct vhost_user *conn = ring->conn;
	int err;

	if (ring->place.size == 0 || !ring->placed)
		return in_ring(ring, why_set(why, -EPROTO,
					     "started before it had a size and a place"),
			       why);
	err = vring_start(&ring->vring, &conn->memory, &ring->place, ring->next,
			  conn->features, why);
	if (err)
		return in_ring(ring, err, why);
	ring->running = true;
	conn->ops->running(conn->ctx, ring->index, true);
	/* Buffers may have been there, and kicks gone, before we watched. */
	if (ring->running)
		conn->ops->kick(conn->ctx, ring->index);
	return 0;
}

static void stop(struct vhost_ring *ring, bool tell)
{
	ring->running = false;
	ring->call_due = false;
	ring->next = ring->vring.avail_next;
	if (tell)
		ring->conn->ops->running(ring->conn->ctx, ring->index, false);
}

int vhost_ring_update(struct vhost_ring *ring, struct why *why)
{
	uint64_t negotiated = VHOST_FEATURE(VHOST_F_PROTOCOL_FEATURES);
	bool enabled = ring->enabled || !(ring->conn->features & negotiated);
	/* In-band there is no kick descriptor, and enabling starts. */
	bool started = ring->started || (ring->conn->inband && ring->placed);
	bool should = started && enabled;

	if (should == ring->running)
		return 0;
	if (should)
		return start(ring, why);
	stop(ring, true);
	return 0;
}

int vhost_ring_relocate(struct vhost_ring *ring, struct why *why)
{
	int err;

	if (!ring->running)
		return 0;
	err = vring_relocate(&ring->vring, &ring->place, why);
	return err ? in_ring(ring, err, why) : 0;
}

static void on_kick(void *ctx, uint32_t events)
{
	struct vhost_ring *ring = ctx;

	(void)events;
	if (ring->conn->state == VHOST_CONNECTED && ring->running)
		ring->conn->ops->kick(ring->conn->ctx, ring->index);
}

static void drop_kick(struct vhost_ring *ring)
{
	watch_close(ring->kick_watch);
	ring->kick_watch = NULL;
	if (ring->kick_fd >= 0)
		close(ring->kick_fd);
	ring->kick_fd = -1;
}

int vhost_ring_set_kick(struct vhost_ring *ring, int fd, struct why *why)
{
	int err;

	drop_kick(ring);
	ring->kick_fd = fd;
	err = loop_watch(ring->conn->loop, fd, EPOLLIN | EPOLLET, on_kick, ring,
			 &ring->kick_watch, why);
	if (err)
		return in_ring(ring, why_wrap(why, err, "its kick descriptor"), why);
	ring->started = true;
	return vhost_ring_update(ring, why);
}

int vhost_ring_set_call(struct vhost_ring *ring, int fd, struct why *why)
{
	int err = guest_signal_take(&ring->call, fd, why);

	return err ? in_ring(ring, err, why) : 0;
}

void vhost_ring_reset(struct vhost_ring *ring, bool tell)
{
	if (ring->running)
		stop(ring, tell);
	ring->started = false;
	drop_kick(ring);
	guest_signal_close(&ring->call);
}

void vhost_ring_signal(struct vhost_ring *ring)
{
	guest_signal_ring(&ring->call);
}

void vhost_user_notify(struct vhost_user *conn, unsigned index)
{
	struct vhost_ring *ring = &conn->rings[index];

	if (conn->state != VHOST_CONNECTED || !ring->running)
		return;
	vring_publish(&ring->vring);
	if (!vring_must_signal(&ring->vring))
		return;
	if (conn->inband) {
		ring->call_due = true;
		vhost_inband_call(conn);
		return;
	}
	if (ring->call.fd < 0)
		return;
	ring->signal.wish = vring_wish(&ring->vring);
	vhost_ring_signal(ring);
	vhost_remind_of(conn, &ring->signal);
}
