/* SPDX-License-Identifier: MIT */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "clock/clock.h"
#include "control/control_internal.h"

static void go_on(struct control *control, enum waits what)
{
	struct conn *conn = control->first, *next;

	for (; conn; conn = next) {
		next = conn->next;
		if (conn->waits == what)
			conn_go_on(conn);
	}
}

static void on_look_over(void *ctx)
{
	control_supplied(ctx);
}

int control_create(struct control **out, struct loop *loop, const struct verb *verbs,
		   size_t verb_count, void *ctx, struct why *why)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return why_set(why, -ENOMEM, "control: out of memory");
	control->loop = loop;
	control->verbs = verbs;
	control->verb_count = verb_count;
	control->ctx = ctx;
	control->listen_fd = -1;
	control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	control->uid = geteuid();
	control->look_over = (struct deferred){ .run = on_look_over, .ctx = control };
	*out = control;
	return 0;
}

static void stop_listening(struct control *control)
{
	watch_close(steal_ptr(&control->listen_watch));
	if (control->listen_fd >= 0)
		close(control->listen_fd);
	control->listen_fd = -1;
}

void control_destroy(struct control *control)
{
	if (!control)
		return;
	stop_listening(control);
	control->adopted_gone = NULL;
	while (control->first)
		conn_destroy(control->first);
	deferred_cancel(&control->look_over);
	if (control->spare_fd >= 0)
		close(control->spare_fd);
	free(control);
}

/* The folder is closed to everybody but the user and root.  From within the lab's
 * user namespace root of the host has no number: it shows as the overflow id, and
 * so would anybody who got here through root's rights only. */
static bool may_connect(const struct control *control, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	unsigned overflow = 65534;
	FILE *file;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	if (peer.uid == control->uid || peer.uid == 0)
		return true;
	file = fopen("/proc/sys/kernel/overflowuid", "re");
	if (file) {
		if (fscanf(file, "%u", &overflow) != 1)
			overflow = 65534;
		fclose(file);
	}
	return peer.uid == overflow;
}

/* Who has asked for nothing and waits for nothing gives his place to who comes: the one
 * that came first.  False: there is none. */
static bool make_room(struct control *control)
{
	struct conn *idle = NULL;

	for (struct conn *conn = control->first; conn; conn = conn->next)
		if (conn->fd >= 0 && !conn->adopted && !conn->first && !conn->waits &&
		    !outbuf_size(&conn->in) && !outbuf_size(&conn->out))
			idle = conn;
	if (idle)
		conn_destroy(idle);
	return idle != NULL;
}

/* In one line, as an answer to nothing in particular; it need not be read. */
static void refuse(int fd, const char *why)
{
	char line[256];
	int size = snprintf(line, sizeof(line),
			    "{\"id\":null,\"ok\":false,\"error\":\"%s\"}\n", why);

	(void)!send(fd, line, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Without a descriptor a connection cannot even be refused, and would wake us for ever: so
 * one is kept for that. */
static int accept_one(struct control *control)
{
	int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
		return fd;
	if (make_room(control))
		return accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	close(control->spare_fd);
	fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		refuse(fd, "the lab has no descriptor left; see: ulimit -n");
		close(fd);
	}
	control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return -1;
}

static void on_connection(void *ctx, uint32_t events)
{
	struct control *control = ctx;
	cleanup_close int fd = accept_one(control);
	bool kept;

	(void)events;
	if (fd < 0)
		return;
	if (!may_connect(control, fd))
		return;
	kept = control->conn_count >= CONTROL_CONNECTIONS_MAX && !make_room(control);
	if (control->conn_count >= CONTROL_CONNECTIONS_MAX + CONTROL_CONNECTIONS_KEPT) {
		refuse(fd, CONTROL_IS_FULL);
		return;
	}
	if (!conn_create(control, steal_fd(&fd), false, NULL))
		control->first->kept = kept;
}

int control_listen(struct control *control, int dir_fd, const char *name, struct why *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_close int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int err;

	if (fd < 0)
		return why_errno(why, -errno, "control socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir_fd,
		 name);
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	umask(mask);
	if (err)
		return why_errno(why, err, "control socket: bind %s", name);
	if (listen(fd, 64) < 0)
		return why_errno(why, -errno, "control socket: listen");
	err = loop_watch(control->loop, fd, EPOLLIN, on_connection, control,
			 &control->listen_watch, why);
	if (!err)
		control->listen_fd = steal_fd(&fd);
	return err;
}

int control_adopt(struct control *control, int fd, struct why *why)
{
	return conn_create(control, fd, true, why);
}

bool control_adopted_is_open(const struct control *control)
{
	for (const struct conn *conn = control->first; conn; conn = conn->next)
		if (conn->adopted && !conn->dead)
			return true;
	return false;
}

void control_adopted_watch(struct control *control, void (*gone)(void *ctx))
{
	control->adopted_gone = gone;
}

void control_wake(struct control *control, unsigned mask)
{
	for (struct conn *conn = control->first; conn; conn = conn->next)
		for (struct request *request = conn->first; request;
		     request = request->next)
			if (request->wakes & mask) {
				conn_kick(conn);
				break;
			}
}

void control_set_trouble(struct control *control, const char *(*trouble)(void *ctx))
{
	control->trouble = trouble;
}

void control_set_large(struct control *control, bool (*is_large)(void *ctx))
{
	control->is_large = is_large;
}

void control_set_gate(struct control *control, const struct control_gate *gate)
{
	control->gate = gate;
}

void control_gate_opened(struct control *control)
{
	go_on(control, WAITS_FOR_GATE);
}

void control_supplied(struct control *control)
{
	go_on(control, WAITS_FOR_SUPPLIES);
}

/* At the very end the loop no longer turns; the clients' last words are sent here. */
void control_finish(struct control *control, int timeout_ms)
{
	uint64_t until_ns = clock_host_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	stop_listening(control);
	for (struct conn *conn = control->first; conn; conn = conn->next)
		while (!conn_flush(conn)) {
			struct pollfd poll_fd = { .fd = conn->fd, .events = POLLOUT };
			uint64_t now_ns = clock_host_ns();

			if (now_ns >= until_ns ||
			    poll(&poll_fd, 1,
				 (int)((until_ns - now_ns) / NS_PER_MS) + 1) <= 0)
				break;
		}
}
