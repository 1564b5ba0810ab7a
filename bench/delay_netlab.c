/* SPDX-License-Identifier: MIT */
/* netlab's wiring as a lab runs it (fabric/wire.h): loop, clock, switch, vhost-user cards;
 * the machines are drivers of rings with nothing above them. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "bench_delay.h"
#include "fabric/wire.h"
#include "lib/fake_guest.h"
#include "topology/compile.h"

enum { RX, TX, SLOT = 2048, HEADER_BYTES_MAX = 12 };

static void prepare(struct delay_case *c)
{
	char path[96];

	snprintf(c->dir, sizeof(c->dir), "/tmp/netlab-bench-XXXXXX");
	if (!mkdtemp(c->dir))
		delay_die(c->dir);
	for (const char *node = "ab"; *node; node++) {
		snprintf(path, sizeof(path), "%s/%c", c->dir, *node);
		if (mkdir(path, 0700))
			delay_die(path);
	}
}

static void on_port(void *ctx, uint32_t port, enum port_state state, const char *why)
{
	(void)ctx;
	(void)port;
	if (state == PORT_DEAD)
		fprintf(stderr, "bench_delay: a port is dead: %s\n", why ? why : "?");
}

static void on_tap(void *ctx, const struct sw_tap_event *event)
{
	(void)ctx;
	(void)event;
}

static void run_wire(struct delay_case *c)
{
	static const struct wire_ops ops = { .port = on_port, .tap = on_tap };
	struct topology_options options = { 0 };
	static struct diagnostics diags;
	struct loop *loop;
	struct clock *clock;
	struct wire *wire;
	struct plan *plan = NULL;
	struct why why;
	char text[256], path[96];

	snprintf(text, sizeof(text),
		 "{\"name\":\"bench\",\"seed\":1,\"nodes\":{\"a\":{},\"b\":{}},\"links\":"
		 "[{"
		 "\"endpoints\":[\"a\",\"b\"],\"delay\":\"%ums\"}]}",
		 (unsigned)(c->delay_ns / 1000000));
	topology_compile_text(text, strlen(text), "bench.json", "/", &options, &plan,
			      &diags);
	ASSERT(plan);
	ASSERT(loop_create(&loop, &why) == 0);
	ASSERT(clock_real_create(&clock, loop, &why) == 0);
	clock_real_punctual(clock);
	ASSERT(wire_create(&wire, plan, 1, loop, clock, &ops, NULL, &why) == 0);
	for (uint32_t n = 0; n < 2; n++) {
		snprintf(path, sizeof(path), "%s/%s", c->dir, plan->nodes[n].name);
		if (wire_node_open(wire, n, path, &why)) {
			fprintf(stderr, "bench_delay: %s\n", why.text);
			_exit(1);
		}
	}
	__atomic_store_n(&c->shared->wire_ready, 1, __ATOMIC_RELEASE);
	loop_run(loop);
}

static struct fake_guest *open_guest(struct delay_case *c, char node)
{
	struct fake_options options = { .rings = 2,
					.ring_size = 256,
					.slot_bytes = SLOT };
	struct fake_guest *guest = NULL;
	char path[96];

	while (!__atomic_load_n(&c->shared->wire_ready, __ATOMIC_ACQUIRE))
		poll(NULL, 0, 2);
	snprintf(path, sizeof(path), "%s/%c/net0", c->dir, node);
	errno = 0;
	if (fake_guest_open(&guest, path, &options) || fake_handshake(guest, FAKE_UML))
		delay_die("guest");
	return guest;
}

static void wait_for_call(struct fake_guest *guest, unsigned ring)
{
	struct pollfd p = { .fd = guest->ring[ring].call_fd, .events = POLLIN };

	poll(&p, 1, 100);
	fake_signals(guest, ring);
}

static void run_receiver(struct delay_case *c)
{
	struct fake_guest *guest = open_guest(c, 'b');
	uint8_t frame[SLOT];

	for (int i = 0; i < 255; i++)
		fake_post(guest, RX, 1, SLOT);
	fake_kick(guest, RX);
	__atomic_store_n(&c->shared->receiver_ready, 1, __ATOMIC_RELEASE);
	for (;;) {
		size_t size = fake_net_receive(guest, frame, sizeof(frame));

		if (!size) {
			fake_kick_if_wanted(guest, RX);
			*fake_used_event(guest, RX) = guest->ring[RX].used_seen;
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			size = fake_net_receive(guest, frame, sizeof(frame));
			if (!size) {
				wait_for_call(guest, RX);
				continue;
			}
		}
		delay_received(c, frame, (uint32_t)size);
		fake_post(guest, RX, 1, SLOT);
	}
}

static bool send_frame(void *ctx, uint64_t number)
{
	struct fake_guest *guest = ctx;
	uint8_t bytes[HEADER_BYTES_MAX + DELAY_FRAME_BYTES] = { 0 };
	size_t header = fake_net_header_bytes(guest);
	size_t size = header + DELAY_FRAME_BYTES;
	bool sent;

	while (fake_get(guest, TX, NULL, 0, NULL) >= 0)
		;
	delay_stamp(bytes + header, number);
	sent = fake_put(guest, TX, bytes, size, (uint32_t)size) >= 0;
	fake_kick_if_wanted(guest, TX);
	if (!sent)
		wait_for_call(guest, TX);
	return sent;
}

static void run_sender(struct delay_case *c)
{
	struct fake_guest *guest = open_guest(c, 'a');

	delay_pace(c, send_frame, guest);
	pause();
}

static void clean_up(struct delay_case *c)
{
	char path[96];

	for (const char *node = "ab"; *node; node++) {
		snprintf(path, sizeof(path), "%s/%c/net0", c->dir, *node);
		unlink(path);
		*strrchr(path, '/') = 0;
		rmdir(path);
	}
	rmdir(c->dir);
}

const struct delay_side delay_netlab = {
	.name = "netlab",
	.prepare = prepare,
	.run_wire = run_wire,
	.run_receiver = run_receiver,
	.run_sender = run_sender,
	.clean_up = clean_up,
};
