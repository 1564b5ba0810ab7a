/* SPDX-License-Identifier: MIT */
/* Kicks and signals as messages, so that each has its place in virtual time.
 *
 * The guest's kernel waits for the reply to its kick; the reply is sent by the
 * calendar when everything that the kick led to is done.  A signal is a request on
 * the slave channel; while it is not answered, time stands. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "virtio/vhost_internal.h"

uint64_t vhost_inband_features(const struct vhost_user *conn)
{
	return conn->guest ? VHOST_FEATURE(VHOST_PROTOCOL_INBAND) : 0;
}

int vhost_inband_negotiate(struct vhost_user *conn, struct why *why)
{
	static const uint64_t needed = VHOST_FEATURE(VHOST_PROTOCOL_INBAND) |
				       VHOST_FEATURE(VHOST_PROTOCOL_SLAVE_REQ) |
				       VHOST_FEATURE(VHOST_PROTOCOL_REPLY_ACK);

	if (!conn->guest)
		return 0;
	if ((conn->protocol_features & needed) != needed)
		return why_set(why, -EPROTO,
			       "its kernel has no in-band notifications; virtual time "
			       "needs one that has them");
	conn->inband = true;
	return 0;
}

/* ---- kicks ------------------------------------------------------------------ */

static void send_kick_reply(void *ctx)
{
	struct vhost_user *conn = ctx;
	uint64_t done = 0;
	int err;

	if (conn->state != VHOST_CONNECTED)
		return;
	err = vhost_send(conn->fd, VHOST_VRING_KICK, VHOST_FLAG_REPLY, &done,
			 sizeof(done));
	/* One that is gone is known by its process; one that does not read ... */
	if (err == -EAGAIN)
		vhost_user_break(conn, -1, "it does not read our replies");
}

/* The guest has been in its ring before others whose time was earlier, and waits. */
static void do_kick(void *ctx)
{
	struct vhost_user *conn = ctx;

	if (conn->state != VHOST_CONNECTED || !conn->rings[conn->kicked].running)
		return;
	conn->ops->kick(conn->ctx, conn->kicked);
	vhost_user_memory_ok(conn);
}

int vhost_inband_kick(struct vhost_user *conn, struct vhost_ring *ring, struct why *why)
{
	conn->kicked = ring->index;
	return vtime_kick(conn->guest,
			  &(struct vtime_kick){
				  .run = do_kick, .send = send_kick_reply, .ctx = conn },
			  why);
}

/* ---- signals ------------------------------------------------------------------ */

static void call(struct vhost_user *conn, uint32_t request, const void *payload,
		 uint32_t size)
{
	int err =
		vhost_send(conn->slave_fd, request, VHOST_FLAG_NEED_REPLY, payload, size);

	if (err == -EAGAIN) {
		vhost_user_break(conn, -1, "it does not read its slave channel");
	} else if (!err) {
		conn->calls_open++;
		vtime_hold(conn->guest);
	}
}

static void make_calls(void *ctx)
{
	struct vhost_user *conn = ctx;

	if (conn->state != VHOST_CONNECTED || conn->slave_fd < 0)
		return;
	if (conn->config_due)
		call(conn, VHOST_SLAVE_CONFIG_CHANGE, NULL, 0);
	conn->config_due = false;
	for (unsigned i = 0; i < conn->ring_count; i++) {
		struct vhost_vring_state state = { .index = i };

		if (conn->rings[i].call_due)
			call(conn, VHOST_SLAVE_VRING_CALL, &state, sizeof(state));
		conn->rings[i].call_due = false;
	}
}

void vhost_inband_call(struct vhost_user *conn)
{
	if (conn->state == VHOST_CONNECTED)
		vtime_cue(conn->guest, &conn->cue);
}

static void on_slave(void *ctx, uint32_t events)
{
	struct vhost_user *conn = ctx;

	(void)events;
	while (conn->slave_watch && conn->state == VHOST_CONNECTED) {
		struct why why = { .text = "" };
		int got = vhost_read(&conn->slave_reader, conn->slave_fd, &why);

		if (got == 0)
			return;
		vhost_reader_reset(&conn->slave_reader);
		if (got > 0 && conn->calls_open == 0)
			got = why_set(&why, -EPROTO, "a reply to nothing");
		if (got < 0) {
			/* What it has not answered is waited for until it is gone. */
			watch_close(steal_ptr(&conn->slave_watch));
			vhost_die(conn, got != -ENODATA, &why);
			return;
		}
		conn->calls_open--;
		vtime_release(conn->guest);
	}
}

int vhost_inband_slave(struct vhost_user *conn, struct why *why)
{
	conn->slave_reader.replies = true;
	return loop_watch(conn->loop, conn->slave_fd, EPOLLIN, on_slave, conn,
			  &conn->slave_watch, why);
}

void vhost_inband_init(struct vhost_user *conn, struct vtime_guest *guest)
{
	conn->guest = guest;
	conn->cue = (struct vtime_cue){ .run = make_calls, .ctx = conn };
}

void vhost_inband_close(struct vhost_user *conn)
{
	if (!conn->guest)
		return;
	watch_close(steal_ptr(&conn->slave_watch));
	vhost_reader_reset(&conn->slave_reader);
	vtime_cue_cancel(conn->guest, &conn->cue);
	vtime_kick_cancel(conn->guest, conn);
	for (; conn->calls_open; conn->calls_open--)
		vtime_release(conn->guest);
	conn->inband = false;
}
