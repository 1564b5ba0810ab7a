/* SPDX-License-Identifier: MIT */
#include "agent/lablink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

enum {
	READ_BYTES = 32 << 10,
	WRITE_BYTES_MAX = 32 << 10, /* what a console port takes at once */
};

struct lablink {
	struct loop *loop;
	int fd;
	struct watch *watch;
	uint32_t events; /* that are watched */
	const struct lablink_ops *ops;
	void *ctx;
	bool lost;
	struct proto_reader reader;
	struct deferred flush;		/* one write for all that a turn has to say */
	struct lablink_waiter waiting; /* ring head */
	uint8_t *queue;
	size_t room, begin, end; /* queued: [begin, end) */
	uint8_t in[READ_BYTES];
};

static size_t queued(const struct lablink *link)
{
	return link->end - link->begin;
}

static void lose(struct lablink *link, bool malformed, const char *why)
{
	if (link->lost)
		return;
	link->lost = true;
	watch_close(link->watch);
	link->watch = NULL;
	deferred_cancel(&link->flush);
	link->begin = link->end = 0;
	link->ops->lost(link->ctx, malformed, why);
}

void lablink_malformed(struct lablink *link, const char *reason)
{
	lose(link, true, reason);
}

static void lose_errno(struct lablink *link, const char *what)
{
	struct why why;

	why_errno(&why, -errno, "%s", what);
	lose(link, false, why.text);
}

/* Read unless too much is queued; write if there is something to write. */
static void choose_events(struct lablink *link)
{
	uint32_t events = 0;

	if (link->lost)
		return;
	if (queued(link) < LABLINK_QUEUE_BYTES_MAX)
		events |= EPOLLIN;
	if (queued(link) && !link->flush.next)
		events |= EPOLLOUT;
	if (events != link->events)
		watch_events(link->watch, events);
	link->events = events;
}

/* In the order in which they began to wait, as long as there is room. */
static void serve_waiting(struct lablink *link)
{
	while (!link->lost && lablink_room(link) && link->waiting.next != &link->waiting) {
		struct lablink_waiter *first = link->waiting.next;

		lablink_wait_cancel(first);
		first->go(first->ctx);
	}
}

/* Returns false when the other side takes no more for now, or is gone. */
static bool write_some(struct lablink *link)
{
	size_t size = queued(link);
	ssize_t n;

	if (size > WRITE_BYTES_MAX)
		size = WRITE_BYTES_MAX;
	n = write(link->fd, link->queue + link->begin, size);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		lose_errno(link, "write to the lab");
	if (n <= 0)
		return false;
	link->begin += (size_t)n;
	if (!queued(link))
		link->begin = link->end = 0;
	return true;
}

static void write_all(struct lablink *link)
{
	while (queued(link) && write_some(link))
		;
	serve_waiting(link);
	choose_events(link);
}

static void flush_queue(void *ctx)
{
	write_all(ctx);
}

static void read_some(struct lablink *link)
{
	struct why why = { "" };
	size_t at = 0;
	ssize_t n = read(link->fd, link->in, sizeof(link->in));

	if (n == 0) {
		lose(link, false, "the lab has closed the connection");
		return;
	}
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			lose_errno(link, "read from the lab");
		return;
	}
	while (at < (size_t)n && !link->lost) {
		struct proto_message message;
		int ready;
		long used = proto_reader_feed(&link->reader, link->in + at, (size_t)n - at,
					      &message, &ready, &why);

		if (used < 0) {
			lose(link, used == -EPROTO, why.text);
			return;
		}
		at += (size_t)used;
		if (ready)
			link->ops->message(link->ctx, &message);
	}
}

static void on_events(void *ctx, uint32_t events)
{
	struct lablink *link = ctx;

	if (events & EPOLLIN)
		read_some(link);
	else if (events & (EPOLLHUP | EPOLLERR))
		lose(link, false, "the lab has closed the connection");
	if (!link->lost && (events & EPOLLOUT))
		write_all(link);
	choose_events(link);
}

int lablink_create(struct lablink **out, struct loop *loop, int fd,
		   const struct lablink_ops *ops, void *ctx, struct why *why)
{
	struct lablink *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return why_set(why, -ENOMEM, "out of memory for the link to the lab");
	link->loop = loop;
	link->fd = fd;
	link->ops = ops;
	link->ctx = ctx;
	link->events = EPOLLIN;
	link->flush = (struct deferred){ .run = flush_queue, .ctx = link };
	link->waiting.prev = link->waiting.next = &link->waiting;
	err = loop_watch(loop, fd, link->events, on_events, link, &link->watch, why);
	if (err) {
		free(link);
		return err;
	}
	*out = link;
	return 0;
}

void lablink_destroy(struct lablink *link)
{
	if (!link)
		return;
	watch_close(link->watch);
	deferred_cancel(&link->flush);
	proto_reader_free(&link->reader);
	free(link->queue);
	free(link);
}

/* Make room behind the end of the queue. */
static bool queue_grow(struct lablink *link, size_t more)
{
	size_t room = link->room ? link->room : 4096;
	uint8_t *queue;

	if (link->end + more > link->room && link->begin) {
		memmove(link->queue, link->queue + link->begin, queued(link));
		link->end -= link->begin;
		link->begin = 0;
	}
	if (link->end + more <= link->room)
		return true;
	while (room < link->end + more)
		room *= 2;
	queue = realloc(link->queue, room);
	if (!queue)
		return false;
	link->queue = queue;
	link->room = room;
	return true;
}

void lablink_send(struct lablink *link, enum proto_type type, uint32_t channel,
		  const void *payload, size_t size)
{
	if (link->lost)
		return;
	if (!queue_grow(link, PROTO_HEADER_BYTES + size)) {
		lose(link, false, "out of memory for what is to be sent");
		return;
	}
	proto_header(link->queue + link->end, type, channel, (uint32_t)size);
	if (size)
		memcpy(link->queue + link->end + PROTO_HEADER_BYTES, payload, size);
	link->end += PROTO_HEADER_BYTES + size;
	loop_defer(link->loop, &link->flush);
}

void lablink_send_json(struct lablink *link, enum proto_type type, uint32_t channel,
		       json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text)
		lablink_send(link, type, channel, text, strlen(text));
	else
		lose(link, false, "out of memory for a message");
	free(text);
}

void lablink_send_credit(struct lablink *link, uint32_t channel, size_t bytes)
{
	uint8_t payload[4];

	proto_put_u32(payload, (uint32_t)bytes);
	lablink_send(link, PROTO_CREDIT, channel, payload, sizeof(payload));
}

bool lablink_room(const struct lablink *link)
{
	return queued(link) < LABLINK_STREAM_BYTES_MAX;
}

void lablink_wait(struct lablink *link, struct lablink_waiter *waiter)
{
	ASSERT(waiter->go);
	if (waiter->next)
		return;
	waiter->prev = link->waiting.prev;
	waiter->next = &link->waiting;
	waiter->prev->next = waiter;
	waiter->next->prev = waiter;
}

void lablink_wait_cancel(struct lablink_waiter *waiter)
{
	if (!waiter->next)
		return;
	waiter->prev->next = waiter->next;
	waiter->next->prev = waiter->prev;
	waiter->prev = waiter->next = NULL;
}

void lablink_flush(struct lablink *link, int timeout_ms)
{
	struct pollfd fd = { .fd = link->fd, .events = POLLOUT };

	while (!link->lost && queued(link)) {
		if (!write_some(link) && poll(&fd, 1, timeout_ms) <= 0)
			return;
	}
}
