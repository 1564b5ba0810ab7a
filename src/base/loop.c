/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"

enum { EVENTS_PER_TURN = 64 };

struct watch {
	struct loop *loop;
	watch_fn *fn; /* NULL: closed, to be freed at the end of the turn */
	void *ctx;
	int fd;
	struct watch *next_dead;
};

struct loop {
	int epoll_fd;
	bool stop;
	bool in_turn;
	bool again;
	struct watch *dead;
	struct deferred queue; /* ring head */
	struct turn_hook *hooks;
	void (*settled)(void *ctx);
	void *settled_ctx;
};

int loop_create(struct loop **out, struct why *why)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return why_set(why, -ENOMEM, "event loop: out of memory");
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		int err = -errno;

		free(loop);
		return why_errno(why, err, "event loop: epoll_create1");
	}
	loop->queue.prev = loop->queue.next = &loop->queue;
	*out = loop;
	return 0;
}

static void free_dead(struct loop *loop)
{
	while (loop->dead) {
		struct watch *w = loop->dead;

		loop->dead = w->next_dead;
		free(w);
	}
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	free_dead(loop);
	close(loop->epoll_fd);
	free(loop);
}

int loop_watch(struct loop *loop, int fd, uint32_t events, watch_fn *fn, void *ctx,
	       struct watch **out, struct why *why)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct epoll_event ev = { .events = events, .data.ptr = w };

	ASSERT(fn);
	if (!w)
		return why_set(why, -ENOMEM, "event loop: out of memory");
	*w = (struct watch){ .loop = loop, .fn = fn, .ctx = ctx, .fd = fd };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int err = -errno;

		free(w);
		return why_errno(why, err, "event loop: watch descriptor %d", fd);
	}
	*out = w;
	return 0;
}

void watch_events(struct watch *watch, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = watch };

	/* Only a bug (a descriptor closed under the watch) makes this fail. */
	ASSERT(epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &ev) == 0);
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	ASSERT(watch->fn);
	/* What was closed before its watch is not found any more, and may still be told of
	 * where a copy of it is open: with a watch that is gone. */
	ASSERT(epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL) == 0);
	if (!watch->loop->in_turn) {
		free(watch);
		return;
	}
	watch->fn = NULL;
	watch->next_dead = watch->loop->dead;
	watch->loop->dead = watch;
}

void loop_defer(struct loop *loop, struct deferred *work)
{
	if (work->next)
		return;
	work->prev = loop->queue.prev;
	work->next = &loop->queue;
	work->prev->next = work;
	work->next->prev = work;
}

void deferred_cancel(struct deferred *work)
{
	if (!work->next)
		return;
	work->prev->next = work->next;
	work->next->prev = work->prev;
	work->prev = work->next = NULL;
}

/* Work that defers itself again runs in the next turn: move the ring to a
 * local head first. */
static void run_deferred(struct loop *loop)
{
	struct deferred batch = { .prev = &batch, .next = &batch };

	if (loop->queue.next == &loop->queue)
		return;
	batch.next = loop->queue.next;
	batch.prev = loop->queue.prev;
	batch.next->prev = batch.prev->next = &batch;
	loop->queue.prev = loop->queue.next = &loop->queue;
	while (batch.next != &batch) {
		struct deferred *work = batch.next;

		deferred_cancel(work);
		work->run(work->ctx);
	}
}

void loop_on_settled(struct loop *loop, void (*settled)(void *ctx), void *ctx)
{
	loop->settled = settled;
	loop->settled_ctx = ctx;
}

void loop_again(struct loop *loop)
{
	loop->again = true;
}

void loop_hook(struct loop *loop, struct turn_hook *hook)
{
	hook->next = loop->hooks;
	loop->hooks = hook;
}

void loop_unhook(struct loop *loop, struct turn_hook *hook)
{
	struct turn_hook **at = &loop->hooks;

	while (*at != hook)
		at = &(*at)->next;
	*at = hook->next;
}

static bool has_work(const struct loop *loop)
{
	return loop->queue.next != &loop->queue || loop->again;
}

static int await_events(struct loop *loop, struct epoll_event *events, int timeout_ms)
{
	int n;

	for (struct turn_hook *hook = loop->hooks; hook; hook = hook->next)
		hook->run(hook->ctx, timeout_ms != 0 && !has_work(loop));
	if (has_work(loop))
		timeout_ms = 0;
	loop->again = false;
	n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
	return n < 0 ? -errno : n;
}

int loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n;

	loop->in_turn = true;
	n = await_events(loop, events, timeout_ms);
	if (n < 0) {
		loop->in_turn = false;
		free_dead(loop);
		return n == -EINTR ? 0 : n;
	}
	for (int i = 0; i < n; i++) {
		struct watch *w = events[i].data.ptr;

		if (w->fn)
			w->fn(w->ctx, events[i].events);
	}
	run_deferred(loop);
	if (loop->settled && loop->queue.next == &loop->queue)
		loop->settled(loop->settled_ctx);
	loop->in_turn = false;
	free_dead(loop);
	return n;
}

int loop_run(struct loop *loop)
{
	loop->stop = false;
	while (!loop->stop) {
		int n = loop_turn(loop, -1);

		if (n < 0)
			return n;
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
