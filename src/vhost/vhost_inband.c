/* SPDX-License-Identifier: MIT */
#include "vhost/vhost_inband.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "vhost/vhost_internal.h"

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

/* ---- kicks, and whatever else may lead to something ------------------------- */

static void send_reply(void *ctx)
{
	struct vhost_user *conn = ctx;
	uint64_t done = 0;
	int err;

	if (conn->state != VHOST_CONNECTED)
		return;
	err = vhost_send(conn->fd, conn->later.header.request, VHOST_FLAG_REPLY, &done,
			 sizeof(done));
	/* One that has hung up is heard of by its connection. */
	if (err && err != -EPIPE && err != -ECONNRESET)
		vhost_user_break(conn, -1, "it does not read our replies");
}

/* The guest has been in its ring before others whose time was earlier, and waits. */
static void do_later(void *ctx)
{
	struct vhost_user *conn = ctx;
	struct why why = { .text = "" };
	int err;

	if (conn->state != VHOST_CONNECTED)
		return;
	err = vhost_request_later(conn, &conn->later, &why);
	if (err)
		vhost_die(conn, true, &why);
	else
		vhost_user_memory_ok(conn);
}

int vhost_inband_later(struct vhost_user *conn, const struct vhost_message *m,
		       struct why *why)
{
	struct vtime_kick kick = { .run = do_later, .send = send_reply, .ctx = conn };
	int err = vtime_kick(conn->guest, &kick, why);

	if (!err) {
		conn->later.header = m->header;
		conn->later.payload.state = m->payload.state;
	}
	return err;
}

/* ---- signals ------------------------------------------------------------------ */

static unsigned calls_open(const struct vhost_user *conn)
{
	return conn->calls_made - conn->calls_answered;
}

static void call(struct vhost_user *conn, uint32_t request, const void *payload,
		 uint32_t size)
{
	int err =
		vhost_send(conn->slave_fd, request, VHOST_FLAG_NEED_REPLY, payload, size);

	if (err == -EAGAIN) {
		vhost_user_break(conn, -1, "it does not read its slave channel");
		return;
	}
	/* One that cannot be reached is about to go; time waits for that, too. */
	ASSERT(conn->calls_made < ARRAY_SIZE(conn->calls));
	conn->calls[conn->calls_made++] = (uint8_t)request;
	vtime_hold(conn->guest);
}

static bool anything_due(const struct vhost_user *conn)
{
	for (unsigned i = 0; i < conn->ring_count; i++)
		if (conn->rings[i].call_due)
			return true;
	return conn->config_due;
}

static void make_calls(void *ctx)
{
	struct vhost_user *conn = ctx;

	/* What is due stays due: until there is a channel, or all is answered. */
	if (conn->state != VHOST_CONNECTED || conn->slave_fd < 0 || calls_open(conn))
		return;
	conn->calls_made = conn->calls_answered = 0;
	if (conn->config_due)
		call(conn, VHOST_SLAVE_CONFIG_CHANGE, NULL, 0);
	conn->config_due = false;
	for (unsigned i = 0; i < conn->ring_count; i++) {
		struct vhost_vring_state state = { .index = i };

		if (conn->rings[i].call_due && conn->state == VHOST_CONNECTED)
			call(conn, VHOST_SLAVE_VRING_CALL, &state, sizeof(state));
		conn->rings[i].call_due = false;
	}
}

void vhost_inband_call(struct vhost_user *conn)
{
	if (conn->state == VHOST_CONNECTED)
		vtime_cue(conn->guest, &conn->cue);
}

/* The guest answers in the order in which it was asked. */
static int take_answer(struct vhost_user *conn, struct why *why)
{
	const struct vhost_message *m = &conn->slave_reader.message;
	unsigned asked;

	if (!calls_open(conn))
		return why_set(why, -EPROTO,
			       "an answer on its slave channel, where nothing was asked");
	asked = conn->calls[conn->calls_answered];
	if (m->header.request != asked)
		return why_set(
			why, -EPROTO,
			"an answer to request %u on its slave channel; it was asked "
			"%u",
			m->header.request, asked);
	if (m->header.size != sizeof(m->payload.integer) || m->fd_count)
		return why_set(why, -EPROTO,
			       "an answer of %u bytes with %u descriptors on its slave "
			       "channel; expected %zu and none",
			       m->header.size, m->fd_count, sizeof(m->payload.integer));
	if (m->payload.integer)
		return why_set(why, -EPROTO,
			       "it refuses request %u on its slave channel (status %llu)",
			       asked, (unsigned long long)m->payload.integer);
	conn->calls_answered++;
	vtime_release(conn->guest);
	if (!calls_open(conn) && anything_due(conn))
		vhost_inband_call(conn);
	return 0;
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
		if (got > 0)
			got = take_answer(conn, &why);
		vhost_reader_reset(&conn->slave_reader);
		if (got == -ENODATA) {
			/* The first that is closed of one that goes away, or of one that
			 * does not: its connection will tell. */
			watch_close(steal_ptr(&conn->slave_watch));
			conn->slave_gone = true;
		} else if (got < 0) {
			vhost_die(conn, true, &why);
		}
	}
}

/* What the kernel calls a pipe there is a pair of sockets, to hear the answers. */
static bool is_stream_socket(int fd)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       domain == AF_UNIX && type == SOCK_STREAM;
}

int vhost_inband_slave(struct vhost_user *conn, int fd, struct why *why)
{
	int err = 0;

	if (!conn->inband)
		err = why_set(why, -EPROTO,
			      "a slave channel before in-band notifications were "
			      "negotiated");
	else if (conn->slave_fd >= 0)
		err = why_set(why, -EPROTO, "a second slave channel");
	else if (!is_stream_socket(fd))
		err = why_set(why, -EPROTO, "its slave channel is not a stream socket");
	if (err) {
		close(fd);
		return err;
	}
	conn->slave_fd = fd;
	conn->slave_reader.replies = true;
	err = loop_watch(conn->loop, conn->slave_fd, EPOLLIN, on_slave, conn,
			 &conn->slave_watch, why);
	if (!err && anything_due(conn))
		vhost_inband_call(conn);
	return err;
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
	for (; calls_open(conn); conn->calls_answered++)
		vtime_release(conn->guest);
	conn->inband = false;
}
