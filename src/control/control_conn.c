/* SPDX-License-Identifier: MIT */
#include "control/control_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/json_memory.h"

enum {
	READ_BYTES = 64 << 10,
	/* Beyond any honest sum of answers and windows. */
	OUT_BYTES_MAX = 1 << 30,
	LINES_PER_TURN = 64,
};

bool conn_has_room(const struct conn *conn)
{
	return outbuf_size(&conn->out) < CONTROL_ROOM_BYTES;
}

void conn_kick(struct conn *conn)
{
	loop_defer(conn->control->loop, &conn->work);
}

void conn_send(struct conn *conn, json_t *line)
{
	cleanup_free char *text =
		line && conn->fd >= 0 ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t size = text ? strlen(text) : 0;

	json_decref(line);
	if (conn->fd < 0)
		return;
	/* A line that cannot be said, or not in full, must not be missing silently. */
	if (json_memory_was_short() || !text) {
		conn->dead = true;
	} else {
		text[size] = '\n';
		if (!conn->dead && outbuf_append(&conn->out, text, size + 1))
			conn->dead = true;
	}
	conn_kick(conn);
}

bool conn_flush(struct conn *conn)
{
	while (!conn->dead && outbuf_size(&conn->out)) {
		ssize_t n = fdio_send(conn->fd, outbuf_front(&conn->out),
				      outbuf_size(&conn->out), NULL, 0);

		if (n == -EAGAIN)
			return false;
		if (n == -EINTR)
			continue;
		if (n < 0) {
			conn->dead = true;
			break;
		}
		outbuf_take(&conn->out, (size_t)n);
	}
	return true;
}

/* ---- reading ----------------------------------------------------------- */

/* One read.  Returns false when there is nothing more now. */
static bool read_once(struct conn *conn)
{
	uint8_t bytes[READ_BYTES];
	size_t fd_count = CONTROL_FDS_MAX - conn->fd_count;
	ssize_t n = fdio_recv(conn->fd, bytes, sizeof(bytes), conn->fds + conn->fd_count,
			      &fd_count);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n < 0) {
		/* More descriptors than anything here could use, or a reset. */
		conn->dead = true;
		return false;
	}
	conn->fd_count += fd_count;
	if (n == 0)
		conn->eof = true;
	else if (outbuf_append(&conn->in, bytes, (size_t)n))
		conn->dead = true;
	return n > 0;
}

/* Lines that are to be done together are still coming. */
static bool is_gathering(const struct conn *conn)
{
	return conn->together > outbuf_size(&conn->in);
}

/* Find a whole line at the front of the input: its size without the newline, -1 if
 * there is none yet that can be served. */
static long whole_line(struct conn *conn)
{
	const uint8_t *front = outbuf_front(&conn->in);
	size_t have = outbuf_size(&conn->in);
	const uint8_t *end = have > conn->scanned ? memchr(front + conn->scanned, '\n',
							   have - conn->scanned)
						  : NULL;

	if (is_gathering(conn))
		return -1;
	if (end)
		return end - front;
	conn->scanned = have;
	return -1;
}

static void refuse_long_line(struct conn *conn)
{
	conn_send(conn,
		  json_pack("{s:n, s:b, s:s}", "id", "ok", 0, "error",
			    "a line of a request has at most 1 MiB; the connection is "
			    "closed"));
	conn_flush(conn);
	conn->dead = true;
}

static void wait_for_gate(struct conn *conn)
{
	conn->waits = WAITS_FOR_GATE;
	conn->control->gate->want(conn->control->ctx);
}

/* The first line was served. */
static void take_line(struct conn *conn, size_t size)
{
	conn->scanned = 0;
	outbuf_take(&conn->in, size);
	conn->together -= conn->together < size ? conn->together : size;
	if (!conn->together)
		conn->in.limit = CONTROL_LINE_BYTES_MAX + READ_BYTES;
}

/* Serve whole lines, while the client reads its answers.  True: there are more. */
static bool serve_lines(struct conn *conn, bool always)
{
	for (int i = 0; (always || conn->together || i < LINES_PER_TURN) && !conn->waits;
	     i++) {
		long size = conn->dead ? -1 : whole_line(conn);
		size_t together = 0;

		if (size < 0) {
			if (!conn->dead && !is_gathering(conn) &&
			    outbuf_size(&conn->in) >= CONTROL_LINE_BYTES_MAX)
				refuse_long_line(conn);
			return false;
		}
		if (!always && !conn->together && !conn_has_room(conn))
			return false;
		if (size >= CONTROL_LINE_BYTES_MAX) {
			refuse_long_line(conn);
			return false;
		}
		switch (conn_line(conn, (const char *)outbuf_front(&conn->in),
				  (size_t)size, &together)) {
		case LINE_SERVED:
			break;
		case LINE_WAITS_FOR_GATE:
			wait_for_gate(conn);
			return false;
		case LINE_WAITS_FOR_SUPPLIES:
			conn->waits = WAITS_FOR_SUPPLIES;
			return false;
		}
		take_line(conn, (size_t)size + 1);
		if (together) {
			conn->together = together;
			conn->in.limit = together + CONTROL_LINE_BYTES_MAX + READ_BYTES;
		}
	}
	return !conn->waits;
}

/* ---- the turn of a connection ------------------------------------------ */

static bool pump_requests(struct conn *conn)
{
	struct request *request = conn->first, *next;
	bool more = false;

	for (; request && conn_has_room(conn); request = next) {
		next = request->next;
		if (request->ops->pump)
			more |= request->ops->pump(request);
	}
	return more || request;
}

/* The end of a client ends its commands, and is an input like them. */
static void end(struct conn *conn)
{
	const struct control_gate *gate = conn->control->gate;

	if (conn->waits > WAITS_FOR_GATE && conn->hung_up) {
		watch_close(steal_ptr(&conn->watch));
		return;
	}
	if (gate && (conn->first || conn->waits) && !gate->is_open(conn->control->ctx)) {
		/* It would be readable for ever. */
		watch_close(steal_ptr(&conn->watch));
		wait_for_gate(conn);
		return;
	}
	conn_destroy(conn);
}

void conn_go_on(struct conn *conn)
{
	conn->waits = WAITS_NOT;
	serve_lines(conn, conn->hung_up);
	if ((conn->dead || conn->hung_up) && !conn->waits)
		end(conn);
	else if (!conn->waits)
		conn_kick(conn);
}

static void work(void *ctx)
{
	struct conn *conn = ctx;
	bool more = conn->watch && serve_lines(conn, false), sent;

	/* Without room nothing is pumped now; with it again, it has to be. */
	if (!conn->watch)
		return; /* its end waits for the gate */
	if (!conn->dead && conn_has_room(conn))
		more |= pump_requests(conn);
	else
		more = true;
	sent = conn_flush(conn);
	if (conn->eof && sent && !conn->waits && !conn->first && whole_line(conn) < 0)
		conn->dead = true;
	if (conn->dead || conn->hung_up) {
		end(conn);
		return;
	}
	if (sent && (more || (!conn->waits && whole_line(conn) >= 0)))
		conn_kick(conn);
	watch_events(conn->watch,
		     (sent ? 0 : EPOLLOUT) |
			     (conn_has_room(conn) && !conn->eof ? EPOLLIN : 0));
}

static void on_event(void *ctx, uint32_t events)
{
	struct conn *conn = ctx;

	if (events & (EPOLLHUP | EPOLLERR)) {
		/* Nobody will read; what was said before is still done. */
		while (!conn->dead && !conn->eof &&
		       outbuf_size(&conn->in) < conn->in.limit - READ_BYTES &&
		       read_once(conn))
			;
		serve_lines(conn, true);
		/* What waits for the gate is done then. */
		conn->hung_up = conn->waits != WAITS_NOT;
		conn->dead |= !conn->hung_up;
	} else if (events & EPOLLIN) {
		read_once(conn);
	}
	conn_kick(conn);
}

static void link_conn(struct conn *conn)
{
	struct control *control = conn->control;

	conn->next = control->first;
	if (conn->next)
		conn->next->prev = conn;
	control->first = conn;
	control->conn_count++;
}

int conn_create_nobody(struct control *control, struct why *why)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return why_set(why, -ENOMEM, "control: out of memory");
	conn->control = control;
	conn->fd = -1;
	conn->work = (struct deferred){ .run = work, .ctx = conn };
	link_conn(conn);
	control->nobody = conn;
	return 0;
}

int conn_create(struct control *control, int fd, bool adopted, struct why *why)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	int err;

	if (!conn) {
		close(fd);
		return why_set(why, -ENOMEM, "control: out of memory");
	}
	conn->control = control;
	conn->fd = fd;
	conn->adopted = adopted;
	conn->in.limit = CONTROL_LINE_BYTES_MAX + READ_BYTES;
	conn->out.limit = OUT_BYTES_MAX;
	conn->work = (struct deferred){ .run = work, .ctx = conn };
	err = fdio_nonblock(fd, true);
	if (!err)
		err = loop_watch(control->loop, fd, EPOLLIN, on_event, conn, &conn->watch,
				 why);
	if (err) {
		close(fd);
		free(conn);
		return err;
	}
	link_conn(conn);
	return 0;
}

void conn_destroy(struct conn *conn)
{
	struct control *control = conn->control;

	while (conn->first) {
		struct request *request = conn->first;

		conn->first = request->next;
		if (conn->first)
			conn->first->prev = NULL;
		request->ops->drop(request);
	}
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		control->first = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	control->conn_count--;
	if (conn == control->nobody)
		control->nobody = NULL;
	if (conn->adopted && control->adopted_gone)
		control->adopted_gone(control->ctx);
	deferred_cancel(&conn->work);
	look_drop(conn->look);
	watch_close(conn->watch);
	if (conn->fd >= 0)
		close(conn->fd);
	while (conn->fd_count)
		close(conn->fds[--conn->fd_count]);
	outbuf_free(&conn->in);
	outbuf_free(&conn->out);
	free(conn);
}
