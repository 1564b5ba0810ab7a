/* SPDX-License-Identifier: MIT */
#include "agent/pump.h"

#include <errno.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"

static void unwatch(struct pump *pump)
{
	watch_close(pump->watch);
	pump->watch = NULL;
}

static void finished(struct pump *pump)
{
	unwatch(pump);
	lablink_wait_cancel(&pump->waiter);
	pump->is_done = true;
	pump->done(pump->ctx);
}

/* One message's worth.  One buffer serves all pumps: nothing stays in it. */
static void pump_once(struct pump *pump)
{
	static uint8_t buffer[1 + PROTO_STREAM_BYTES_MAX];
	size_t size = PROTO_STREAM_BYTES_MAX;
	size_t before = pump->prefix != PUMP_NO_PREFIX;
	ssize_t n;

	if (pump->credit && *pump->credit < size)
		size = *pump->credit;
	n = read(pump->fd, buffer + before, size);
	if (n > 0) {
		buffer[0] = before ? (uint8_t)pump->prefix : buffer[0];
		if (pump->credit)
			*pump->credit -= (uint32_t)n;
		lablink_send(pump->link, pump->type, pump->channel, buffer,
			     before + (size_t)n);
	} else if (n < 0 && errno == EAGAIN) {
		if (pump->finishing)
			finished(pump);
	} else if (n == 0 || errno != EINTR) {
		unwatch(pump);
		cleanup_close_(&pump->fd);
		pump->fd = -1;
		finished(pump);
	}
}

static void on_readable(void *ctx, uint32_t events);

/* Watch when it can be read and sent; else do not even watch: epoll tells of a
 * hang-up whether one asks or not. */
static void arm(struct pump *pump)
{
	bool credit = !pump->credit || *pump->credit;

	if (pump->is_done)
		return;
	if (!credit || !lablink_room(pump->link)) {
		unwatch(pump);
		if (credit)
			lablink_wait(pump->link, &pump->waiter);
		return;
	}
	if (!pump->watch &&
	    loop_watch(pump->loop, pump->fd, EPOLLIN, on_readable, pump, &pump->watch, NULL))
		finished(pump);
}

/* With the program gone there will be no event for "nothing left". */
static void drain(struct pump *pump)
{
	while (!pump->is_done && (!pump->credit || *pump->credit) &&
	       lablink_room(pump->link))
		pump_once(pump);
}

static void pump_some(struct pump *pump)
{
	if (pump->finishing)
		drain(pump);
	else
		pump_once(pump);
	arm(pump);
}

static void on_readable(void *ctx, uint32_t events)
{
	struct pump *pump = ctx;

	(void)events;
	/* Others may have used up the room or the credit in this turn. */
	if ((!pump->credit || *pump->credit) && lablink_room(pump->link))
		pump_some(pump);
	else
		arm(pump);
}

static void on_room(void *ctx)
{
	pump_some(ctx);
}

void pump_start(struct pump *pump)
{
	ASSERT(pump->done);
	pump->waiter = (struct lablink_waiter){ .go = on_room, .ctx = pump };
	pump->is_done = pump->fd < 0;
	arm(pump);
}

void pump_kick(struct pump *pump)
{
	if (pump->is_done)
		return;
	if (pump->finishing)
		drain(pump);
	arm(pump);
}

void pump_finish(struct pump *pump)
{
	if (pump->is_done)
		return;
	pump->finishing = true;
	pump_kick(pump);
}

int pump_take_fd(struct pump *pump)
{
	unwatch(pump);
	lablink_wait_cancel(&pump->waiter);
	pump->is_done = true;
	return steal_fd(&pump->fd);
}

void pump_stop(struct pump *pump)
{
	int fd = pump_take_fd(pump);

	cleanup_close_(&fd);
}
