/* SPDX-License-Identifier: MIT */
#include "vhost/vhost_user.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "vhost/vhost_internal.h"

enum { MESSAGES_PER_EVENT = 16 };

/* Close everything that is not memory of ours.  Legal in every state. */
static void let_go(struct vhost_user *conn, bool tell)
{
	for (unsigned i = 0; i < conn->ring_count; i++)
		vhost_ring_reset(&conn->rings[i], tell);
	watch_close(conn->watch);
	conn->watch = NULL;
	vhost_inband_close(conn);
	vhost_remind_close(conn);
	if (conn->listen_fd >= 0)
		close(conn->listen_fd);
	if (conn->fd >= 0)
		close(conn->fd);
	if (conn->slave_fd >= 0)
		close(conn->slave_fd);
	conn->listen_fd = conn->fd = conn->slave_fd = -1;
	if (conn->path[0])
		unlink(conn->path);
	conn->path[0] = '\0';
	vhost_reader_reset(&conn->reader);
	guest_memory_clear(&conn->memory);
}

static void finish_dying(void *ctx)
{
	struct vhost_user *conn = ctx;

	let_go(conn, false);
	conn->state = VHOST_DEAD;
	conn->ops->dead(conn->ctx, conn->broken, conn->death_why.text);
	/* conn may be gone. */
}

void vhost_die(struct vhost_user *conn, bool broken, const struct why *why)
{
	if (conn->state == VHOST_DYING || conn->state == VHOST_DEAD)
		return; /* the first reason is the cause */
	conn->state = VHOST_DYING;
	conn->broken = broken;
	why_set(&conn->death_why, 0, "%s: %s", conn->name, why->text);
	/* The sockets stay readable: stop them from waking the loop. */
	watch_close(steal_ptr(&conn->watch));
	watch_close(steal_ptr(&conn->slave_watch));
	/* See the header: in virtual time its process's end is what counts. */
	if (broken || !conn->guest)
		loop_defer(conn->loop, &conn->death);
}

void vhost_user_break(struct vhost_user *conn, int ring, const char *text)
{
	struct why why;

	/* What is read from lost memory is zeros: that is then the cause. */
	if (guest_memory_lost(&conn->memory)) {
		ring = -1;
		text = "part of its memory file is gone: the guest cut it short, or the "
		       "file system that holds it is full";
	}
	why_set(&why, 0, "%s", text);
	if (ring >= 0)
		why_wrap(&why, 0, "%s", conn->ring_names[ring]);
	vhost_die(conn, true, &why);
}

bool vhost_user_memory_ok(struct vhost_user *conn)
{
	if (!guest_memory_lost(&conn->memory))
		return true;
	vhost_user_break(conn, -1, "");
	return false;
}

static void on_message(void *ctx, uint32_t events)
{
	struct vhost_user *conn = ctx;

	(void)events;
	for (int i = 0; i < MESSAGES_PER_EVENT && conn->state == VHOST_CONNECTED; i++) {
		struct why why = { .text = "" };
		int err = vhost_read(&conn->reader, conn->fd, &why);

		if (err == 0)
			return;
		if (err > 0 && conn->slave_gone)
			err = why_set(&why, -EPROTO,
				      "it has closed its slave channel and goes on");
		else if (err > 0)
			err = vhost_request(conn, &conn->reader.message, &why);
		vhost_reader_reset(&conn->reader);
		if (err < 0)
			vhost_die(conn, err != -ENODATA, &why);
		else
			vhost_user_memory_ok(conn);
	}
}

static void on_connection(void *ctx, uint32_t events)
{
	struct vhost_user *conn = ctx;
	struct why why = { .text = "" };
	int err;

	(void)events;
	conn->fd = accept4(conn->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn->fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return;
	err = conn->fd < 0 ? why_errno(&why, -errno, "accepting the guest") : 0;

	/* One guest, one connection: nobody else gets in. */
	watch_close(conn->watch);
	conn->watch = NULL;
	close(conn->listen_fd);
	conn->listen_fd = -1;
	unlink(conn->path);
	conn->path[0] = '\0';

	conn->state = VHOST_CONNECTED;
	if (!err)
		err = loop_watch(conn->loop, conn->fd, EPOLLIN, on_message, conn,
				 &conn->watch, &why);
	if (err)
		vhost_die(conn, false, &why);
}

static int listen_at(struct vhost_user *conn, const char *path, struct why *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = strlen(path);

	if (size == 0 || size >= sizeof(address.sun_path))
		return why_set(why, -ENAMETOOLONG,
			       "socket path '%s' has %zu bytes; the most is %zu", path,
			       size, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, size);
	conn->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (conn->listen_fd < 0)
		return why_errno(why, -errno, "socket");
	if (bind(conn->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return why_errno(why, -errno, "socket %s", path);
	memcpy(conn->path, path, size + 1);
	if (listen(conn->listen_fd, 1) < 0)
		return why_errno(why, -errno, "socket %s: listen", path);
	return loop_watch(conn->loop, conn->listen_fd, EPOLLIN, on_connection, conn,
			  &conn->watch, why);
}

int vhost_user_create(struct vhost_user **out, struct loop *loop,
		      const struct vhost_user_config *config,
		      const struct vhost_user_ops *ops, void *ctx, struct why *why)
{
	struct vhost_user *conn = calloc(1, sizeof(*conn));
	int err;

	ASSERT(config->ring_count <= VHOST_RINGS_MAX);
	if (!conn)
		return why_set(why, -ENOMEM, "%s: out of memory", config->name);
	signal(SIGPIPE, SIG_IGN);
	conn->loop = loop;
	conn->ops = ops;
	conn->ctx = ctx;
	snprintf(conn->name, sizeof(conn->name), "%s", config->name);
	conn->listen_fd = conn->fd = conn->slave_fd = -1;
	conn->offered = config->features | VHOST_FEATURE(VHOST_F_PROTOCOL_FEATURES);
	conn->ring_count = config->ring_count;
	conn->ring_names = config->ring_names;
	conn->death = (struct deferred){ .run = finish_dying, .ctx = conn };
	for (unsigned i = 0; i < conn->ring_count; i++)
		vhost_ring_init(&conn->rings[i], conn, i);
	vhost_inband_init(conn, config->guest);
	vhost_remind_init(conn, config->clock);
	err = listen_at(conn, config->path, why);
	if (err) {
		vhost_user_destroy(conn);
		return why_wrap(why, err, "%s", config->name);
	}
	*out = conn;
	return 0;
}

void vhost_user_destroy(struct vhost_user *conn)
{
	if (!conn)
		return;
	deferred_cancel(&conn->death);
	let_go(conn, false);
	free(conn);
}

struct vring *vhost_user_ring(struct vhost_user *conn, unsigned ring)
{
	ASSERT(ring < conn->ring_count);
	if (conn->state != VHOST_CONNECTED || !conn->rings[ring].running)
		return NULL;
	return &conn->rings[ring].vring;
}

uint64_t vhost_user_features(const struct vhost_user *conn)
{
	return conn->features;
}

void vhost_config_signal(struct vhost_user *conn)
{
	/* A full channel holds such a message already: the guest, when it reads
	 * it, asks for the configuration of that moment. */
	vhost_send(conn->slave_fd, VHOST_SLAVE_CONFIG_CHANGE, 0, NULL, 0);
}

void vhost_user_config_changed(struct vhost_user *conn)
{
	/* Without a channel it has not asked for the configuration either. */
	if (conn->state != VHOST_CONNECTED || conn->slave_fd < 0)
		return;
	if (conn->inband) {
		conn->config_due = true;
		vhost_inband_call(conn);
		return;
	}
	vhost_config_signal(conn);
	vhost_remind_of(conn, &conn->config_signal);
}
