/* SPDX-License-Identifier: MIT */
#include "agent/stdin_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agentproto/proto.h"
#include "base/cleanup.h"

static void give_back(struct stdin_queue *queue, size_t bytes)
{
	if (bytes)
		queue->credit(queue->ctx, bytes);
}

static void close_fd(struct stdin_queue *queue)
{
	watch_close(queue->watch);
	queue->watch = NULL;
	cleanup_close_(&queue->fd);
	queue->fd = -1;
	free(queue->bytes);
	queue->bytes = NULL;
	queue->room = queue->begin = 0;
}

void stdin_queue_close(struct stdin_queue *queue)
{
	close_fd(queue);
	queue->size = 0;
}

/* Nobody will read it: forget it, but give the credit back. */
static void drop(struct stdin_queue *queue)
{
	size_t size = queue->size;

	stdin_queue_close(queue);
	give_back(queue, size);
}

/* Without this character a terminal has no end of file (raw mode): then the
 * programs on it never see one, as with a real keyboard. */
static void end_terminal(struct stdin_queue *queue)
{
	struct termios mode;
	char c;

	if (tcgetattr(queue->fd, &mode) == 0 && (mode.c_lflag & ICANON)) {
		c = (char)mode.c_cc[VEOF];
		if (c && write(queue->fd, &c, 1) < 0)
			return;
	}
}

static void write_some(struct stdin_queue *queue)
{
	ssize_t n = write(queue->fd, queue->bytes + queue->begin, queue->size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		drop(queue);
		return;
	}
	queue->begin += (size_t)n;
	queue->size -= (size_t)n;
	give_back(queue, (size_t)n);
}

static void on_writable(void *ctx, uint32_t events);

static void settle(struct stdin_queue *queue)
{
	if (queue->fd < 0)
		return;
	if (queue->size) {
		if (!queue->watch && loop_watch(queue->loop, queue->fd, EPOLLOUT, on_writable,
						queue, &queue->watch, NULL))
			drop(queue);
		return;
	}
	watch_close(queue->watch);
	queue->watch = NULL;
	queue->begin = 0;
	if (!queue->end)
		return;
	queue->end = false;
	if (queue->tty)
		end_terminal(queue);
	else
		close_fd(queue);
}

static void on_writable(void *ctx, uint32_t events)
{
	struct stdin_queue *queue = ctx;

	(void)events;
	write_some(queue);
	settle(queue);
}

static int make_room(struct stdin_queue *queue, size_t more, struct why *why)
{
	size_t room = queue->room ? queue->room : 4096;
	uint8_t *bytes;

	if (queue->begin + queue->size + more <= queue->room)
		return 0;
	if (queue->begin) {
		memmove(queue->bytes, queue->bytes + queue->begin, queue->size);
		queue->begin = 0;
	}
	while (room < queue->size + more)
		room *= 2;
	if (room == queue->room)
		return 0;
	bytes = realloc(queue->bytes, room);
	if (!bytes)
		return why_set(why, -ENOMEM, "out of memory for a command's input");
	queue->bytes = bytes;
	queue->room = room;
	return 0;
}

int stdin_queue_add(struct stdin_queue *queue, const uint8_t *bytes, size_t size,
		    struct why *why)
{
	int err;

	if (queue->end)
		return why_set(why, -EPROTO, "STDIN after its end of file");
	if (queue->size + size > PROTO_WINDOW_BYTES)
		return why_set(why, -EPROTO, "STDIN beyond the window of %d bytes",
			       PROTO_WINDOW_BYTES);
	if (queue->fd < 0) {
		give_back(queue, size);
		return 0;
	}
	err = make_room(queue, size, why);
	if (err)
		return err;
	memcpy(queue->bytes + queue->begin + queue->size, bytes, size);
	queue->size += size;
	write_some(queue);
	settle(queue);
	return 0;
}

void stdin_queue_end(struct stdin_queue *queue)
{
	queue->end = queue->fd >= 0;
	settle(queue);
}
