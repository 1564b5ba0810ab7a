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
	/* Of this turn, or of one that was cut and goes on: those from `served` on. */
	struct epoll_event events[EVENTS_PER_TURN]; /* data.ptr NULL: its watch is gone */
	int event_count, served;
	struct deferred queue, batch; /* ring heads: for the next turn, and of this one */
	struct turn_hook *hooks;
	void (*settled)(void *ctx);
	void *settled_ctx;
	const struct turn_watcher *watcher;
	bool watched; /* this turn is */
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
	loop->batch.prev = loop->batch.next = &loop->batch;
	*out = loop;
	return 0;
}

static void free_watch(struct loop *loop, struct watch *w)
{
	for (int i = loop->served; i < loop->event_count; i++)
		if (loop->events[i].data.ptr == w)
			loop->events[i].data.ptr = NULL;
	free(w);
}

static void free_dead(struct loop *loop)
{
	while (loop->dead) {
		struct watch *w = loop->dead;

		loop->dead = w->next_dead;
		free_watch(loop, w);
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
		free_watch(watch->loop, watch);
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

void loop_watch_turns(struct loop *loop, const struct turn_watcher *watcher)
{
	loop->watcher = watcher;
	loop->watched = false;
}

static void turn_begins(struct loop *loop)
{
	loop->watched = loop->watcher != NULL;
	if (loop->watched)
		loop->watcher->begins(loop->watcher->ctx);
}

static void turn_ends(struct loop *loop)
{
	if (loop->watched)
		loop->watcher->ends(loop->watcher->ctx);
	loop->watched = false;
}

/* A call has been made.  Has the turn taken long enough? */
static bool called(const struct loop *loop, loop_code *what)
{
	return loop->watched && loop->watcher->called(loop->watcher->ctx, what);
}

static bool is_cut(const struct loop *loop)
{
	return loop->served < loop->event_count || loop->batch.next != &loop->batch;
}

/* False: the turn is cut. */
static bool serve_events(struct loop *loop)
{
	while (loop->served < loop->event_count) {
		const struct epoll_event *event = &loop->events[loop->served++];
		struct watch *w = event->data.ptr;
		watch_fn *fn = w ? w->fn : NULL;

		if (!fn)
			continue;
		fn(w->ctx, event->events);
		if (called(loop, (loop_code *)fn) && is_cut(loop))
			return false;
	}
	return true;
}

/* Work that defers itself again runs in the next turn: the ring is moved to another head
 * first. */
static void begin_batch(struct loop *loop)
{
	if (loop->queue.next == &loop->queue)
		return;
	loop->batch.next = loop->queue.next;
	loop->batch.prev = loop->queue.prev;
	loop->batch.next->prev = loop->batch.prev->next = &loop->batch;
	loop->queue.prev = loop->queue.next = &loop->queue;
}

/* False: the turn is cut. */
static bool run_batch(struct loop *loop)
{
	while (loop->batch.next != &loop->batch) {
		struct deferred *work = loop->batch.next;
		void (*run)(void *ctx) = work->run;

		deferred_cancel(work);
		run(work->ctx);
		if (called(loop, (loop_code *)run) && is_cut(loop))
			return false;
	}
	return true;
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
	return is_cut(loop) || loop->queue.next != &loop->queue || loop->again;
}

/* 0 or -errno.  A turn that was cut goes on with what it has. */
static int await_events(struct loop *loop, int timeout_ms)
{
	int n;

	for (struct turn_hook *hook = loop->hooks; hook; hook = hook->next) {
		hook->run(hook->ctx, timeout_ms != 0 && !has_work(loop));
		called(loop, (loop_code *)hook->run);
	}
	if (has_work(loop))
		timeout_ms = 0;
	loop->again = false;
	turn_ends(loop);
	if (is_cut(loop))
		return 0;
	loop->served = loop->event_count = 0;
	n = epoll_wait(loop->epoll_fd, loop->events, EVENTS_PER_TURN, timeout_ms);
	if (n >= 0)
		loop->event_count = n;
	else if (errno != EINTR)
		return -errno;
	return 0;
}

static void serve(struct loop *loop)
{
	bool fresh = loop->batch.next == &loop->batch;

	turn_begins(loop);
	if (!serve_events(loop))
		return;
	if (fresh)
		begin_batch(loop);
	if (!run_batch(loop))
		return;
	if (loop->settled && loop->queue.next == &loop->queue) {
		loop->settled(loop->settled_ctx);
		called(loop, (loop_code *)loop->settled);
	}
}

int loop_turn(struct loop *loop, int timeout_ms)
{
	int err, first;

	loop->in_turn = true;
	err = await_events(loop, timeout_ms);
	first = loop->served;
	if (!err)
		serve(loop);
	loop->in_turn = false;
	free_dead(loop);
	return err ? err : loop->served - first;
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
