/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

/* A descriptor that is readable, its watch, and what its callback does. */
struct peer {
	struct loop *loop;
	int fd;
	struct watch *watch;
	unsigned calls;
	uint32_t events; /* of the last call */
	struct peer *closes; /* closed by the callback */
};

static int set_up(void **state)
{
	return loop_create((struct loop **)state, NULL);
}

static int tear_down(void **state)
{
	loop_destroy(*state);
	return 0;
}

static void on_peer(void *ctx, uint32_t events)
{
	struct peer *peer = ctx;

	peer->calls++;
	peer->events = events;
	if (peer->closes) {
		watch_close(peer->closes->watch);
		peer->closes->watch = NULL;
		peer->closes = NULL;
	}
}

static void peer_open(struct peer *peer, struct loop *loop)
{
	*peer = (struct peer){ .loop = loop, .fd = eventfd(1, EFD_CLOEXEC) };
	assert_true(peer->fd >= 0);
	assert_int_equal(
		loop_watch(loop, peer->fd, EPOLLIN, on_peer, peer, &peer->watch, NULL), 0);
}

static void peer_close(struct peer *peer)
{
	watch_close(peer->watch);
	close(peer->fd);
}

static void a_turn_serves_what_is_ready_and_nothing_else(void **state)
{
	struct peer ready, silent;
	uint64_t value;

	peer_open(&ready, *state);
	peer_open(&silent, *state);
	assert_int_equal(read(silent.fd, &value, sizeof(value)), sizeof(value));

	assert_int_equal(loop_turn(*state, 0), 1);
	assert_int_equal(ready.calls, 1);
	assert_int_equal(ready.events, EPOLLIN);
	assert_int_equal(silent.calls, 0);
	peer_close(&ready);
	peer_close(&silent);
	assert_int_equal(loop_turn(*state, 0), 0);
}

static void events_waited_for_can_change(void **state)
{
	struct peer peer;

	peer_open(&peer, *state);
	watch_events(peer.watch, 0);
	assert_int_equal(loop_turn(*state, 0), 0);
	watch_events(peer.watch, EPOLLOUT);
	assert_int_equal(loop_turn(*state, 0), 1);
	assert_int_equal(peer.events, EPOLLOUT);
	peer_close(&peer);
}

static void a_callback_may_close_its_own_watch(void **state)
{
	struct peer peer;

	peer_open(&peer, *state);
	peer.closes = &peer;
	assert_int_equal(loop_turn(*state, 0), 1);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(peer.calls, 1);
	peer_close(&peer);
}

/* All are ready in one batch; the first to be called closes the others, which
 * are then not called although epoll has already reported them. */
static void a_closed_watch_is_not_called_in_the_same_turn(void **state)
{
	struct peer peers[2];

	for (int i = 0; i < 2; i++)
		peer_open(&peers[i], *state);
	peers[0].closes = &peers[1];
	peers[1].closes = &peers[0];
	assert_int_equal(loop_turn(*state, 0), 2);
	assert_int_equal(peers[0].calls + peers[1].calls, 1);
	assert_int_equal(loop_turn(*state, 0), 1);
	assert_int_equal(peers[0].calls + peers[1].calls, 2);
	for (int i = 0; i < 2; i++)
		peer_close(&peers[i]);
}

/* The descriptor number is free again at once, and a new watch on it must not
 * get the old one's event. */
struct replacing {
	struct peer old, young;
	bool replaced;
};

static void on_replace(void *ctx, uint32_t events)
{
	struct replacing *r = ctx;
	uint64_t one = 1;
	int fd = r->old.fd;

	(void)events;
	watch_close(r->old.watch);
	r->old.watch = NULL;
	close(fd);
	r->young = (struct peer){ .fd = eventfd(0, EFD_CLOEXEC) };
	assert_int_equal(r->young.fd, fd);
	assert_int_equal(loop_watch(r->old.loop, fd, EPOLLIN, on_peer, &r->young,
				    &r->young.watch, NULL),
			 0);
	r->replaced = true;
	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

static void a_descriptor_can_be_reused_within_a_turn(void **state)
{
	struct replacing r = { .old.loop = *state };

	r.old.fd = eventfd(1, EFD_CLOEXEC);
	assert_int_equal(loop_watch(*state, r.old.fd, EPOLLIN, on_replace, &r,
				    &r.old.watch, NULL),
			 0);
	assert_int_equal(loop_turn(*state, 0), 1);
	assert_true(r.replaced);
	assert_int_equal(r.young.calls, 0);
	assert_int_equal(loop_turn(*state, 0), 1);
	assert_int_equal(r.young.calls, 1);
	peer_close(&r.young);
}

static void a_hang_up_is_told(void **state)
{
	struct peer peer = { 0 };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(
		loop_watch(*state, ends[0], EPOLLIN, on_peer, &peer, &peer.watch, NULL), 0);
	close(ends[1]);
	assert_int_equal(loop_turn(*state, 0), 1);
	assert_true(peer.events & EPOLLHUP);
	watch_close(peer.watch);
	close(ends[0]);
}

static void a_bad_descriptor_is_an_error_with_its_number(void **state)
{
	struct watch *watch;
	struct why why = { "" };

	assert_int_equal(loop_watch(*state, 987, EPOLLIN, on_peer, NULL, &watch, &why),
			 -EBADF);
	assert_string_equal(why.text,
			    "event loop: watch descriptor 987: Bad file descriptor");
}

/* Deferred work that writes its letter down, and may queue or cancel others. */
struct letter {
	struct deferred work;
	struct loop *loop;
	char letter;
	struct letter *queues, *cancels;
	char *said;
};

static void say_letter(void *ctx)
{
	struct letter *l = ctx;
	char *end = l->said;

	while (*end)
		end++;
	*end = l->letter;
	if (l->queues)
		loop_defer(l->loop, &l->queues->work);
	if (l->cancels)
		deferred_cancel(&l->cancels->work);
}

struct letters {
	struct letter a, b, c;
	char said[32];
};

static void letters_init(struct letters *all, struct loop *loop)
{
	struct letter *each[] = { &all->a, &all->b, &all->c };

	*all = (struct letters){ 0 };
	for (int i = 0; i < 3; i++)
		*each[i] = (struct letter){ .work = { .run = say_letter, .ctx = each[i] },
					    .loop = loop,
					    .letter = (char)('a' + i),
					    .said = all->said };
}

static void deferred_work_runs_once_in_the_order_of_queueing(void **state)
{
	struct letters all;

	letters_init(&all, *state);
	loop_defer(*state, &all.b.work);
	loop_defer(*state, &all.a.work);
	loop_defer(*state, &all.b.work);
	loop_turn(*state, 0);
	assert_string_equal(all.said, "ba");
	loop_turn(*state, 0);
	assert_string_equal(all.said, "ba");
}

static void deferred_work_that_queues_itself_runs_in_the_next_turn(void **state)
{
	struct letters all;

	letters_init(&all, *state);
	all.a.queues = &all.a;
	all.b.queues = &all.c;
	loop_defer(*state, &all.a.work);
	loop_defer(*state, &all.b.work);
	loop_turn(*state, 0);
	assert_string_equal(all.said, "ab");
	loop_turn(*state, 0);
	assert_string_equal(all.said, "abac");
	deferred_cancel(&all.a.work);
	loop_turn(*state, 0);
	assert_string_equal(all.said, "abac");
}

static void deferred_work_can_cancel_what_is_in_its_batch(void **state)
{
	struct letters all;

	letters_init(&all, *state);
	all.a.cancels = &all.b;
	loop_defer(*state, &all.a.work);
	loop_defer(*state, &all.b.work);
	loop_defer(*state, &all.c.work);
	loop_turn(*state, 0);
	assert_string_equal(all.said, "ac");
	/* Cancelled is not queued: it can be queued again. */
	loop_defer(*state, &all.b.work);
	loop_turn(*state, 0);
	assert_string_equal(all.said, "acb");
	deferred_cancel(&all.b.work);
}

static void a_turn_with_deferred_work_does_not_wait(void **state)
{
	struct letters all;

	letters_init(&all, *state);
	loop_defer(*state, &all.a.work);
	/* Would wait for ever, and the test's time limit end it. */
	assert_int_equal(loop_turn(*state, -1), 0);
	assert_string_equal(all.said, "a");
}

/* A hook that writes down what it is told, and may have work to do. */
struct asked {
	struct turn_hook hook;
	struct loop *loop;
	char said[16];
	unsigned times;
	struct deferred *defers;
};

static void on_asked(void *ctx, bool waits)
{
	struct asked *asked = ctx;

	assert_true(asked->times + 1 < sizeof(asked->said));
	asked->said[asked->times++] = waits ? 'w' : 'l';
	if (asked->defers)
		loop_defer(asked->loop, asked->defers);
	asked->defers = NULL;
}

static void a_hook_is_told_before_each_turn_whether_it_waits(void **state)
{
	struct asked asked = { .hook = { .run = on_asked, .ctx = &asked }, .loop = *state };
	struct letters all;
	struct peer peer;

	letters_init(&all, *state);
	loop_hook(*state, &asked.hook);
	loop_turn(*state, 0);
	assert_string_equal(asked.said, "l");
	loop_again(*state);
	loop_turn(*state, -1);
	assert_string_equal(asked.said, "ll");
	loop_defer(*state, &all.a.work);
	loop_turn(*state, -1);
	assert_string_equal(asked.said, "lll");
	assert_string_equal(all.said, "a");
	peer_open(&peer, *state);
	loop_turn(*state, -1);
	assert_string_equal(asked.said, "lllw");
	assert_int_equal(peer.calls, 1);
	peer_close(&peer);
	loop_unhook(*state, &asked.hook);
	loop_turn(*state, 0);
	assert_string_equal(asked.said, "lllw");
}

static void what_a_hook_defers_is_done_without_waiting(void **state)
{
	struct asked asked = { .hook = { .run = on_asked, .ctx = &asked }, .loop = *state };
	struct letters all;

	letters_init(&all, *state);
	asked.defers = &all.a.work;
	loop_hook(*state, &asked.hook);
	/* Would wait for ever, and the test's time limit end it. */
	assert_int_equal(loop_turn(*state, -1), 0);
	assert_string_equal(all.said, "a");
	loop_unhook(*state, &asked.hook);
}

static void close_and_stop(void *ctx)
{
	struct peer *peer = ctx;

	watch_close(peer->watch);
	peer->watch = NULL;
	loop_stop(peer->loop);
}

static void run_ends_when_stopped_and_can_run_again(void **state)
{
	struct peer peer;
	struct deferred stop = { .run = close_and_stop, .ctx = &peer };

	for (int i = 0; i < 2; i++) {
		peer_open(&peer, *state);
		loop_defer(*state, &stop);
		assert_int_equal(loop_run(*state), 0);
		assert_int_equal(peer.calls, 1);
		peer_close(&peer);
	}
}

static void many_watches_are_all_served(void **state)
{
	enum { MANY = 200 }; /* more than one batch holds */
	static struct peer peers[MANY];

	for (int i = 0; i < MANY; i++) {
		peer_open(&peers[i], *state);
		peers[i].closes = &peers[i];
	}
	while (loop_turn(*state, 0) > 0)
		;
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(peers[i].calls, 1);
		peer_close(&peers[i]);
	}
}

/* A watchdog that has seen enough after each call. */
struct strict {
	struct turn_watcher watcher;
	unsigned begins, calls, ends;
};

static void on_begins(void *ctx)
{
	((struct strict *)ctx)->begins++;
}

static bool on_called(void *ctx, loop_code *what)
{
	(void)what;
	((struct strict *)ctx)->calls++;
	return true;
}

static void on_ends(void *ctx)
{
	((struct strict *)ctx)->ends++;
}

static void strict_begin(struct strict *strict, struct loop *loop)
{
	*strict = (struct strict){ .watcher = { on_begins, on_called, on_ends, strict } };
	loop_watch_turns(loop, &strict->watcher);
}

static void count_settled(void *ctx)
{
	(*(unsigned *)ctx)++;
}

static void a_turn_that_is_cut_goes_on_and_hooks_are_asked_in_between(void **state)
{
	struct asked asked = { .hook = { .run = on_asked, .ctx = &asked }, .loop = *state };
	struct strict strict;
	struct letters all;
	struct peer peers[3];
	unsigned settled = 0, served = 0;

	letters_init(&all, *state);
	all.a.queues = &all.a;
	strict_begin(&strict, *state);
	loop_hook(*state, &asked.hook);
	loop_on_settled(*state, count_settled, &settled);
	for (int i = 0; i < 3; i++)
		peer_open(&peers[i], *state);
	loop_defer(*state, &all.b.work);
	loop_defer(*state, &all.a.work);
	loop_defer(*state, &all.c.work);
	for (unsigned turn = 1; turn <= 5; turn++) {
		served += (unsigned)loop_turn(*state, -1);
		assert_int_equal(peers[0].calls + peers[1].calls + peers[2].calls,
				 turn < 3 ? turn : 3);
		assert_int_equal(served, turn < 3 ? turn : 3);
		assert_int_equal(strict.begins, turn);
		assert_int_equal(asked.times, turn);
		assert_int_equal(settled, 0);
	}
	/* In the third, the fourth and the fifth turn, what was deferred before; and only
	 * then what that has deferred. */
	assert_string_equal(all.said, "bac");
	all.a.queues = NULL;
	for (int i = 0; i < 3; i++)
		peer_close(&peers[i]);
	loop_turn(*state, -1);
	assert_string_equal(all.said, "baca");
	assert_int_equal(settled, 1);
	assert_int_equal(strict.ends, 5);
	loop_unhook(*state, &asked.hook);
	loop_watch_turns(*state, NULL);
	loop_on_settled(*state, NULL, NULL);
}

static void what_is_closed_or_cancelled_in_a_cut_turn_is_not_called(void **state)
{
	struct strict strict;
	struct letters all;
	struct peer peers[4];
	unsigned closed = 0, calls = 0;

	letters_init(&all, *state);
	all.a.cancels = &all.b;
	strict_begin(&strict, *state);
	for (int i = 0; i < 4; i++)
		peer_open(&peers[i], *state);
	loop_defer(*state, &all.a.work);
	loop_defer(*state, &all.b.work);
	loop_turn(*state, 0);
	/* Two of them between turns, one of which is watched anew: that is told anew. */
	for (int i = 0; i < 4 && closed < 2; i++) {
		if (peers[i].calls)
			continue;
		watch_close(peers[i].watch);
		peers[i].watch = NULL;
		closed++;
		if (closed == 2)
			assert_int_equal(loop_watch(*state, peers[i].fd, EPOLLIN, on_peer,
						    &peers[i], &peers[i].watch, NULL),
					 0);
	}
	assert_int_equal(closed, 2);
	loop_turn(*state, 0);
	for (int i = 0; i < 4; i++)
		calls += peers[i].calls;
	assert_int_equal(calls, 2);
	for (int i = 0; i < 4; i++)
		peer_close(&peers[i]);
	loop_turn(*state, 0);
	assert_string_equal(all.said, "a");
	loop_watch_turns(*state, NULL);
}

static void destroying_nothing_does_nothing(void **state)
{
	(void)state;
	loop_destroy(NULL);
	watch_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_turn_serves_what_is_ready_and_nothing_else),
		TEST(events_waited_for_can_change),
		TEST(a_callback_may_close_its_own_watch),
		TEST(a_closed_watch_is_not_called_in_the_same_turn),
		TEST(a_descriptor_can_be_reused_within_a_turn),
		TEST(a_hang_up_is_told),
		TEST(a_bad_descriptor_is_an_error_with_its_number),
		TEST(deferred_work_runs_once_in_the_order_of_queueing),
		TEST(deferred_work_that_queues_itself_runs_in_the_next_turn),
		TEST(deferred_work_can_cancel_what_is_in_its_batch),
		TEST(a_turn_with_deferred_work_does_not_wait),
		TEST(a_hook_is_told_before_each_turn_whether_it_waits),
		TEST(what_a_hook_defers_is_done_without_waiting),
		TEST(run_ends_when_stopped_and_can_run_again),
		TEST(many_watches_are_all_served),
		TEST(a_turn_that_is_cut_goes_on_and_hooks_are_asked_in_between),
		TEST(what_is_closed_or_cancelled_in_a_cut_turn_is_not_called),
		TEST(destroying_nothing_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
