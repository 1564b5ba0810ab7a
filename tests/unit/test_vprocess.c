/* SPDX-License-Identifier: MIT */
/* Guests in processes of their own, truly at the same time as the device.  Both
 * sides sleep whenever the protocol says that they will be woken: a wake-up that is
 * lost leaves a process asleep, and its patience ends the test. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/vnet_rig.h"
#include "vhost/vhost_user.h"

enum { RX, TX, FRAMES = 100000, PATIENCE_MS = 10000, FRAME_BYTES = 64 };

static struct rig rig;
static struct port a, b;

/* ---- in the guest's process ---- */

static struct fake_guest *open_guest(const char *path, struct fake_options options)
{
	struct fake_guest *g = NULL;

	options.rings = 2;
	if (fake_guest_open(&g, path, &options) || fake_handshake(g, FAKE_UML))
		_exit(10);
	return g;
}

static bool used_more(struct fake_guest *g, unsigned ring)
{
	return __atomic_load_n((uint16_t *)(g->memory + g->ring[ring].used + 2),
			       __ATOMIC_ACQUIRE) != g->ring[ring].used_seen;
}

/* Sleep until the device has used the chain that is `ahead` from now. */
static void sleep_until_used(struct fake_guest *g, unsigned ring, uint16_t ahead)
{
	struct pollfd p = { .fd = g->ring[ring].call_fd, .events = POLLIN };

	*fake_used_event(g, ring) = (uint16_t)(g->ring[ring].used_seen + ahead);
	__atomic_store_n(fake_avail_flags(g, ring), 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!used_more(g, ring) && poll(&p, 1, PATIENCE_MS) != 1)
		_exit(11); /* nobody woke us */
	fake_signals(g, ring);
	__atomic_store_n(fake_avail_flags(g, ring), 1, __ATOMIC_RELAXED);
}

/* Until the device has used all there was, and so fallen asleep. */
static void await_all_used(struct fake_guest *g, unsigned ring)
{
	while (g->ring[ring].free_count < g->ring[ring].size)
		if (fake_get(g, ring, NULL, 0, NULL) < 0)
			sleep_until_used(g, ring, 0);
}

static void send_frames(const char *path, struct fake_options options)
{
	struct fake_guest *g = open_guest(path, options);
	uint32_t frame[FRAME_BYTES / 4] = { 0 };

	for (uint32_t i = 0; i < FRAMES; i++) {
		frame[3] = i;
		while (!fake_net_send(g, frame, sizeof(frame), 0))
			sleep_until_used(g, TX, 0);
		fake_kick_if_wanted(g, TX);
		if (i % 1000 == 0)
			await_all_used(g, TX);
	}
	await_all_used(g, TX);
	_exit(0);
}

static void receive_frames(const char *path, struct fake_options options)
{
	struct fake_guest *g = open_guest(path, options);
	uint32_t frame[FRAME_BYTES / 4];

	for (uint32_t i = 0; i < FRAMES;) {
		/* Like Linux: post many, kick once. */
		if (g->ring[RX].free_count > g->ring[RX].size / 2) {
			while (fake_post(g, RX, 1, 128) >= 0)
				;
			fake_kick_if_wanted(g, RX);
		}
		if (!fake_net_receive(g, frame, sizeof(frame))) {
			sleep_until_used(g, RX, 0);
			continue;
		}
		if (frame[3] != i++)
			_exit(12); /* lost, doubled or out of order */
	}
	_exit(0);
}

/* ---- in ours ---- */

/* What b has no room for yet; a test's queue, so without a limit. */
static uint8_t *waiting;
static uint32_t waiting_first, waiting_count;

static void pass_on(struct port *port)
{
	(void)port;
	if (waiting_first < waiting_count || vnet_send(b.vnet, a.frame, a.frame_size)) {
		assert_true(waiting_count < FRAMES);
		memcpy(waiting + (size_t)waiting_count++ * FRAME_BYTES, a.frame,
		       FRAME_BYTES);
	}
}

static void drain(struct port *port)
{
	(void)port;
	while (waiting_first < waiting_count &&
	       vnet_send(b.vnet, waiting + (size_t)waiting_first * FRAME_BYTES,
			 FRAME_BYTES) == 0)
		waiting_first++;
	vnet_flush(b.vnet);
}

static pid_t in_process(void (*guest)(const char *, struct fake_options),
			const char *path, struct fake_options options)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody */
		guest(path, options);
		_exit(13);
	}
	return pid;
}

static int begin(void **state)
{
	(void)state;
	rig_begin(&rig);
	port_create(&a, &rig, "n1:eth0");
	port_create(&b, &rig, "n2:eth0");
	return 0;
}

static int end(void **state)
{
	(void)state;
	port_destroy(&a);
	port_destroy(&b);
	rig_end(&rig);
	return 0;
}

/* A turn that only did deferred work has no event to count; a lost wake-up has none
 * either, and each such turn takes all our patience. */
static void turn(void)
{
	int without = 0;

	while (loop_turn(rig.loop, PATIENCE_MS) <= 0)
		assert_in_range(++without, 1, 4);
}

static void pass_all(struct fake_options options)
{
	pid_t sender, receiver;
	int status;

	waiting = calloc(FRAMES, FRAME_BYTES);
	waiting_first = waiting_count = 0;
	receiver = in_process(receive_frames, b.path, options);
	while (!b.ups)
		turn();
	a.on_frame = pass_on;
	a.to = NULL;
	b.on_writable = drain;
	sender = in_process(send_frames, a.path, options);
	while (!a.deaths || !b.deaths) {
		/* batch_end flushes only port.to; flush here instead. */
		turn();
		vnet_flush(b.vnet);
	}
	assert_int_equal(waitpid(sender, &status, 0), sender);
	assert_int_equal(status, 0);
	assert_int_equal(waitpid(receiver, &status, 0), receiver);
	assert_int_equal(status, 0);
	assert_int_equal(a.frames, FRAMES);
	assert_false(a.broken || b.broken);
	free(waiting);
}

static void no_wakeup_is_lost_with_event_indices(void **state)
{
	(void)state;
	pass_all((struct fake_options){ .ring_size = 256 });
}

static void no_wakeup_is_lost_in_the_smallest_ring(void **state)
{
	(void)state;
	pass_all((struct fake_options){ .ring_size = 2 });
}

static void no_wakeup_is_lost_with_flags(void **state)
{
	(void)state;
	pass_all((struct fake_options){ .ring_size = 64,
					.decline = VHOST_FEATURE(VRING_F_EVENT_IDX) });
}

/* Frames for ever, each made of three parts; never looks at a signal. */
static void send_until_killed(const char *path, struct fake_options options)
{
	struct fake_guest *g = open_guest(path, options);
	uint8_t frame[FRAME_BYTES] = { 0 };

	for (;;) {
		fake_net_send(g, frame, sizeof(frame), 26);
		fake_kick_if_wanted(g, TX);
	}
}

static void a_killed_guest_is_one_that_went_away(void **state)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid;

		end(state);
		begin(state);
		pid = in_process(send_until_killed, a.path, (struct fake_options){ 0 });
		while (a.frames < (unsigned)i * 100 + 1)
			turn();
		kill(pid, SIGKILL);
		while (!a.deaths)
			assert_true(loop_turn(rig.loop, PATIENCE_MS) >= 0);
		assert_false(a.broken);
		assert_string_equal(a.why, "n1:eth0: the guest went away");
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

/* Cuts its memory file at any moment, while it sends and receives. */
static void cut_memory(const char *path, struct fake_options options)
{
	struct fake_guest *g = open_guest(path, options);
	uint8_t frame[FRAME_BYTES] = { 0 };
	int fd = g->region_fds[0];

	for (int i = 0; i < 1000; i++) {
		fake_net_send(g, frame, sizeof(frame), 26);
		fake_post(g, RX, 1, 128);
		fake_kick_if_wanted(g, TX);
	}
	if (ftruncate(fd, 0))
		_exit(14);
	fake_kick(g, TX); /* or nobody may ever touch it again */
	pause();
}

static void a_guest_that_cuts_its_memory_dies_alone(void **state)
{
	uint8_t frame[FRAME_BYTES] = { 0 };

	for (int i = 0; i < 20; i++) {
		pid_t pid;

		end(state);
		begin(state);
		pid = in_process(cut_memory, a.path, (struct fake_options){ 0 });
		while (!a.deaths) {
			assert_true(loop_turn(rig.loop, 0) >= 0);
			vnet_send(a.vnet, frame, sizeof(frame));
			vnet_flush(a.vnet);
		}
		assert_true(a.broken);
		assert_non_null(strstr(a.why, "part of its memory file is gone"));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(no_wakeup_is_lost_with_event_indices),
		T(no_wakeup_is_lost_in_the_smallest_ring),
		T(no_wakeup_is_lost_with_flags),
		T(a_killed_guest_is_one_that_went_away),
		T(a_guest_that_cuts_its_memory_dies_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
