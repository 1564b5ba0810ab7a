/* SPDX-License-Identifier: MIT */
/* loop.h - the one event loop
 *
 * Watches file descriptors with epoll and runs deferred work after each batch.
 * It knows nothing of time: the clock (clock/clock.h) is a descriptor like any
 * other, with a hook before each turn.  Callbacks may close any watch, their own
 * included: a watch that was closed in this turn gets no further call and is freed
 * when the turn ends.
 *
 * Errors:    0 or -errno with the reason in *why.
 * Ownership: loop_watch() lends the descriptor to the loop; the caller closes
 *            it after watch_close().
 * Threads:   one loop, one thread.
 */
#ifndef NL_BASE_LOOP_H
#define NL_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/why.h"

struct loop;
struct watch;

/* events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
typedef void watch_fn(void *ctx, uint32_t events);

/* Work to run once after the current batch.  Embed it in its owner; queueing
 * it twice is the same as once.  Cancel it before the owner is freed. */
struct deferred {
	void (*run)(void *ctx);
	void *ctx;
	struct deferred *prev, *next; /* NULL when not queued */
};

/* Called before each turn looks for events: waits says if it is going to wait for them,
 * which it will not when the call has deferred work or called loop_again().  Embed it in
 * its owner; remove it before the owner is freed, and not from within a call. */
struct turn_hook {
	void (*run)(void *ctx, bool waits);
	void *ctx;
	struct turn_hook *next;
};

/* Who is told when a turn begins (its events were waited for), of each call made in it, and
 * when it ends, which is before the next wait: a watchdog, as the loop knows no time.  If
 * called() says that the turn has taken long enough it is cut: it goes on where it was in
 * the next one, after the hooks, before which no other event is looked for. */
typedef void loop_code(void);
struct turn_watcher {
	void (*begins)(void *ctx);
	bool (*called)(void *ctx, loop_code *what);
	void (*ends)(void *ctx);
	void *ctx;
};

int loop_create(struct loop **out, struct why *why);
void loop_destroy(struct loop *loop); /* NULL does nothing */

int loop_watch(struct loop *loop, int fd, uint32_t events, watch_fn *fn, void *ctx,
	       struct watch **out, struct why *why);
/* Change what is waited for. */
void watch_events(struct watch *watch, uint32_t events);
void watch_close(struct watch *watch); /* NULL does nothing */

void loop_defer(struct loop *loop, struct deferred *work);
void deferred_cancel(struct deferred *work);

void loop_hook(struct loop *loop, struct turn_hook *hook);
void loop_unhook(struct loop *loop, struct turn_hook *hook);

/* One watcher, which is not copied.  It is told from the next turn on; NULL: nobody. */
void loop_watch_turns(struct loop *loop, const struct turn_watcher *watcher);

/* Called at the end of each turn that leaves no deferred work; one listener. */
void loop_on_settled(struct loop *loop, void (*settled)(void *ctx), void *ctx);
/* Let the next turn begin without waiting. */
void loop_again(struct loop *loop);

/* Wait up to timeout_ms (-1: for ever), serve one batch and the deferred work.
 * Returns the number of events served, or -errno. */
int loop_turn(struct loop *loop, int timeout_ms);

/* Turn until loop_stop() is called.  Returns 0 or -errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
