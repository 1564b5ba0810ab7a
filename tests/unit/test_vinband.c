/* SPDX-License-Identifier: MIT */
/* Kicks and signals in messages: each is answered, time waits for the answers, and
 * what a guest sees depends on the order of events alone. */
#include <errno.h>
#include <linux/virtio_console.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/inband_rig.h"
#include "device/vconsole.h"
#include "vhost/vhost_user.h"

enum { RX, TX };

static struct port a, b; /* of machines 0 and 1 */

/* Two machines with a card each, at time 0; both wait: for 1000 and for 2000 ns. */
static int begin_two(void **state)
{
	inband_begin(state);
	machine_boot(0);
	inband_port_boot(&a, 0, "n1:eth0", 0);
	port_post(&a, 8, 256);
	machine_wait(0, 1000);
	machine_boot(1);
	inband_port_boot(&b, 1, "n2:eth0", 0);
	port_post(&b, 8, 256);
	machine_wait(1, 2000);
	a.guest->calls[0] = b.guest->calls[0] = 0;
	return 0;
}

static int end_two(void **state)
{
	port_destroy(&a);
	port_destroy(&b);
	return inband_end(state);
}

/* Machine 0's turn, at 1000. */
static void run_first(void)
{
	vtime_want(inband.vtime);
	inband_turn(10);
	assert_true(inband.machine[0].running);
	assert_int_equal(virtual_now(), 1000);
}

static void send_one(struct port *port)
{
	uint8_t frame[100] = { 1 };

	assert_true(fake_net_send(port->guest, frame, sizeof(frame), 0));
}

/* ---- kicks ---- */

static void a_kick_is_answered_when_it_was_served(void **state)
{
	struct vhost_message reply;

	(void)state;
	run_first();
	send_one(&a);
	fake_kick_message(a.guest, TX);
	assert_int_equal(a.frames, 0);
	assert_int_equal(fake_receive(a.guest, &reply), 1);
	assert_int_equal(a.frames, 1);
	assert_int_equal(reply.header.request, VHOST_VRING_KICK);
	assert_int_equal(reply.header.flags, VHOST_VERSION | VHOST_FLAG_REPLY);
	assert_int_equal(reply.payload.integer, 0);
}

static void a_kick_is_answered_when_everybody_it_led_to_has_answered(void **state)
{
	char byte;

	(void)state;
	run_first();
	a.to = &b;
	inband.mute = true;
	send_one(&a);
	fake_kick_message(a.guest, TX);
	inband_turn(20);
	/* The used buffer of the sender, and the frame of the receiver. */
	assert_string_equal(calls_heard(&a), "1 ");
	assert_string_equal(calls_heard(&b), "0 ");
	fake_answer(b.guest, VHOST_SLAVE_VRING_CALL, 0);
	inband_turn(20);
	assert_true(recv(a.guest->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0);
	/* The guest that waits for our reply is called, too, and can answer. */
	fake_answer(a.guest, VHOST_SLAVE_VRING_CALL, 0);
	inband_turn(20);
	assert_int_equal(recv(a.guest->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), 1);
}

static void more_frames_than_a_turn_serves_are_all_served_before_the_reply(void **state)
{
	struct vhost_message reply;

	(void)state;
	port_destroy(&a);
	port_destroy(&b);
	run_first();
	inband_port_boot(&a, 0, "n1:eth0", 1024);
	for (int i = 0; i < 1000; i++)
		send_one(&a);
	fake_kick_message(a.guest, TX);
	assert_int_equal(fake_receive(a.guest, &reply), 1);
	assert_int_equal(a.frames, 1000);
}

static void a_kick_may_come_byte_by_byte(void **state)
{
	struct {
		struct vhost_header header;
		struct vhost_vring_state state;
	} __attribute__((packed))
	kick = { { VHOST_VRING_KICK, VHOST_VERSION | VHOST_FLAG_NEED_REPLY, 8 },
		 { TX, 0 } };
	struct vhost_message reply;

	(void)state;
	run_first();
	send_one(&a);
	for (size_t i = 0; i < sizeof(kick); i++) {
		assert_int_equal(a.frames, 0);
		assert_int_equal(send(a.guest->fd, (char *)&kick + i, 1, 0), 1);
		inband_turn(2);
	}
	assert_int_equal(fake_receive(a.guest, &reply), 1);
	assert_int_equal(a.frames, 1);
}

static void starting_a_ring_is_answered_like_a_kick(void **state)
{
	struct vhost_vring_state on = { TX, 1 }, off = { TX, 0 };
	struct vhost_message reply;

	(void)state;
	run_first();
	a.to = &b;
	inband.mute = true;
	fake_send(a.guest, VHOST_SET_VRING_ENABLE, 0, &off, sizeof(off), NULL, 0);
	send_one(&a);
	fake_send(a.guest, VHOST_SET_VRING_ENABLE, VHOST_FLAG_NEED_REPLY, &on, sizeof(on),
		  NULL, 0);
	inband_turn(20);
	assert_int_equal(a.frames, 1);
	assert_true(recv(a.guest->fd, &reply, 1, MSG_DONTWAIT | MSG_PEEK) < 0);
	inband.mute = false;
	assert_int_equal(fake_receive(a.guest, &reply), 1);
	assert_int_equal(reply.header.request, VHOST_SET_VRING_ENABLE);
}

/* ---- signals ---- */

static void time_waits_for_the_answer_to_a_signal(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	assert_int_equal(vnet_send(b.vnet, frame, sizeof(frame)), 0);
	vnet_flush(b.vnet);
	vtime_want(inband.vtime);
	inband_turn(30);
	assert_string_equal(calls_heard(&b), "0 ");
	assert_true(virtual_now() < 1000);
	assert_int_equal(inband.machine[0].runs, 0);
	fake_answer(b.guest, VHOST_SLAVE_VRING_CALL, 0);
	inband_turn(10);
	assert_int_equal(inband.machine[0].ran_at_ns, 1000);
}

static void a_signalled_guest_runs_at_the_time_of_the_signal(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	run_first();
	/* In the middle of the first's turn, so after it. */
	vnet_send(b.vnet, frame, sizeof(frame));
	vnet_flush(b.vnet);
	inband_turn(20);
	assert_string_equal(calls_heard(&b), "");
	machine_wait(0, 5000);
	inband_turn(5);
	answer_as_linux(&b, 1);
	inband_turn(10);
	assert_true(inband.machine[1].running);
	assert_true(inband.machine[1].ran_at_ns < 2000);
	assert_int_equal(fake_net_receive(b.guest, frame, sizeof(frame)), 60);
}

static void a_ring_is_signalled_once_however_often_it_was_due(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	run_first();
	for (int i = 0; i < 3; i++) {
		vnet_send(a.vnet, frame, sizeof(frame));
		vnet_flush(a.vnet);
		/* The driver wants to know of each. */
		*fake_used_event(a.guest, RX) = (uint16_t)i;
	}
	machine_wait(0, 9000);
	inband_turn(5);
	assert_string_equal(calls_heard(&a), "0 ");
}

static void calls_go_out_in_the_order_config_then_rings(void **state)
{
	uint8_t frame[60] = { 0 };
	struct vhost_message m;

	(void)state;
	run_first();
	inband.mute = true;
	send_one(&a);
	fake_kick_message(a.guest, TX); /* due first: ring 1 */
	rig_turn(&inband.rig, 0);
	vnet_send(a.vnet, frame, sizeof(frame));
	vnet_flush(a.vnet);
	vnet_set_carrier(a.vnet, false);
	inband_turn(10);
	while (fake_hear_call(a.guest, &m))
		;
	assert_string_equal(a.guest->calls, "config 0 1 ");
}

static void the_second_device_of_a_guest_is_heard_after_the_first(void **state)
{
	uint8_t frame[60] = { 0 };
	static struct port c;

	(void)state;
	run_first();
	inband_port_boot(&c, 0, "n1:eth1", 0);
	port_post(&c, 8, 256);
	c.guest->calls[0] = 0;
	vnet_send(c.vnet, frame, sizeof(frame));
	vnet_flush(c.vnet);
	vnet_send(a.vnet, frame, sizeof(frame));
	vnet_flush(a.vnet);
	machine_wait(0, 9000);
	inband_turn(10);
	assert_string_equal(calls_heard(&a), "");
	assert_string_equal(calls_heard(&c), "0 ");
	fake_answer(c.guest, VHOST_SLAVE_VRING_CALL, 0);
	inband_turn(10);
	assert_string_equal(calls_heard(&a), "0 ");
	port_destroy(&c);
}

static void answers_may_come_byte_by_byte(void **state)
{
	struct {
		struct vhost_header header;
		uint64_t status;
	} __attribute__((packed))
	answer = { { VHOST_SLAVE_CONFIG_CHANGE, VHOST_VERSION | VHOST_FLAG_REPLY, 8 },
		   0 };

	(void)state;
	vnet_set_carrier(a.vnet, false);
	vtime_want(inband.vtime);
	inband_turn(5);
	assert_string_equal(calls_heard(&a), "config ");
	for (size_t i = 0; i < sizeof(answer); i++) {
		assert_int_equal(inband.machine[0].runs, 0);
		send(a.guest->slave_fd, (char *)&answer + i, 1, 0);
		inband_turn(3);
	}
	inband_turn(5);
	assert_int_equal(inband.machine[0].runs, 1);
	assert_int_equal(a.deaths, 0);
}

static void a_ring_that_was_stopped_is_not_signalled(void **state)
{
	struct vhost_vring_state off = { RX, 0 };
	uint8_t frame[60] = { 0 };

	(void)state;
	run_first();
	vnet_send(a.vnet, frame, sizeof(frame));
	vnet_flush(a.vnet);
	fake_send(a.guest, VHOST_SET_VRING_ENABLE, 0, &off, sizeof(off), NULL, 0);
	machine_wait(0, 9000);
	inband_turn(10);
	assert_string_equal(calls_heard(&a), "");
	assert_int_equal(virtual_now() >= 1000, true);
}

/* ---- coming and going ---- */

static void a_driver_that_comes_back_has_its_kicks_and_signals(void **state)
{
	uint8_t frame[60] = { 0 }, got[100];

	(void)state;
	run_first();
	assert_int_equal(fake_stop_rings(a.guest), 0);
	assert_int_equal(vnet_send(a.vnet, frame, sizeof(frame)), -ENOTCONN);
	assert_int_equal(fake_start_rings(a.guest), 0);
	assert_int_equal(a.ups, 2);
	port_post(&a, 4, 256);
	send_one(&a);
	fake_kick(a.guest, TX);
	assert_int_equal(a.frames, 1);
	assert_int_equal(vnet_send(a.vnet, frame, sizeof(frame)), 0);
	vnet_flush(a.vnet);
	a.guest->calls[0] = 0;
	machine_wait(0, 9000);
	inband_turn(5);
	assert_string_equal(calls_heard(&a), "0 ");
	assert_int_equal(fake_net_receive(a.guest, got, sizeof(got)), sizeof(frame));
}

static void a_device_that_is_destroyed_holds_time_no_more(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	vnet_send(b.vnet, frame, sizeof(frame));
	vnet_flush(b.vnet);
	vtime_want(inband.vtime);
	inband_turn(10);
	assert_string_equal(calls_heard(&b), "0 ");
	assert_true(virtual_now() < 1000);
	vnet_destroy(steal_ptr(&b.vnet));
	loop_again(inband.rig.loop);
	inband_turn(10);
	assert_int_equal(virtual_now(), 1000);
}

static void a_guest_that_goes_away_is_waited_for_without_a_busy_loop(void **state)
{
	uint8_t frame[60] = { 0 };
	struct vhost_message m;

	(void)state;
	vnet_send(b.vnet, frame, sizeof(frame));
	vnet_flush(b.vnet);
	vtime_want(inband.vtime);
	inband_turn(10);
	assert_int_equal(fake_hear_call(b.guest, &m), 1);
	close(steal_fd(&b.guest->fd));
	inband_turn(2);
	/* What it says now stays unread. */
	fake_answer(b.guest, VHOST_SLAVE_VRING_CALL, 0);
	close(steal_fd(&b.guest->slave_fd));
	inband_turn(10);
	assert_int_equal(b.deaths, 0); /* its process tells, at a time of its own */
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(inband.rig.loop, 0), 0);
	machine_end(1);
	vnet_destroy(steal_ptr(&b.vnet));
	inband_turn(10);
	assert_int_equal(virtual_now(), 1000);
}

static void a_guest_that_does_not_answer_is_named_by_the_guard(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	vnet_send(b.vnet, frame, sizeof(frame));
	vnet_flush(b.vnet);
	vtime_want(inband.vtime);
	inband_turn(10);
	clock_fake_advance(inband.host, 2 * NS_PER_S);
	inband_turn(10);
	assert_int_equal(inband.stuck, 1 << 1);
	assert_string_equal(inband.reason, "does not answer a device");
	assert_true(virtual_now() < 1000);
	assert_int_equal(b.deaths, 0);
}

static void in_real_time_nothing_is_offered_in_band(void **state)
{
	struct rig rig;
	struct port port;

	(void)state;
	rig_begin(&rig);
	port_create(&port, &rig, "n1:eth0");
	port_boot(&port, FAKE_UML, (struct fake_options){ .inband = true });
	assert_false(fake_is_inband(port.guest));
	send_one(&port);
	fake_kick(port.guest, TX);
	rig_turn(&rig, 2);
	assert_int_equal(port.frames, 1);
	port_destroy(&port);
	rig_end(&rig);
}

/* ---- the same events, the same sight ---- */

static char sight[4096];

static void saw(const char *what, uint64_t n)
{
	size_t used = strlen(sight);

	snprintf(sight + used, sizeof(sight) - used, "%s%llu ", what,
		 (unsigned long long)n);
}

/* Nine frames from a to b, one more than b has buffers for; idle turns of the host
 * in between. */
static void exchange(void **state, unsigned idle)
{
	uint8_t got[100];

	sight[0] = 0;
	begin_two(state);
	run_first();
	a.to = &b;
	for (int i = 0; i < 9; i++) {
		send_one(&a);
		if (i % 3 < 2)
			continue;
		inband_turn(idle);
		fake_kick_if_wanted(a.guest, TX);
	}
	inband_turn(idle);
	machine_wait(0, 50000);
	for (int i = 0; i < 4; i++) {
		inband_turn(5 + idle);
		answer_as_linux(&b, 1);
		answer_as_linux(&a, 0);
	}
	saw("a", a.frames);
	saw("b@", inband.machine[1].ran_at_ns);
	while (fake_net_receive(b.guest, got, sizeof(got)))
		saw("f", got[0]);
	saw(b.guest->calls, 0);
	saw(a.guest->calls, 0);
	saw("to", vnet_count(b.vnet)->to_guest);
	end_two(state);
}

static void the_speed_of_the_host_makes_no_difference(void **state)
{
	char first[sizeof(sight)];

	exchange(state, 0);
	memcpy(first, sight, sizeof(first));
	assert_non_null(strstr(first, "to8 "));
	exchange(state, 1);
	assert_string_equal(sight, first);
	exchange(state, 17);
	assert_string_equal(sight, first);
}

/* ---- the console ---- */

static unsigned opens;
static char bytes[64];

static void on_open(void *ctx, bool open)
{
	(void)ctx;
	opens += open;
}

static size_t on_bytes(void *ctx, const uint8_t *from, size_t size)
{
	(void)ctx;
	assert_true(size < sizeof(bytes));
	memcpy(bytes, from, size);
	return size;
}

static void on_writable(void *ctx)
{
	(void)ctx;
}

static void on_console_dead(void *ctx, bool broken, const char *why)
{
	(void)ctx;
	(void)broken;
	fail_msg("%s", why);
}

static void control(struct fake_guest *g, uint16_t event, uint32_t port)
{
	struct virtio_console_control c = { port, event, 1 };

	assert_true(fake_put(g, 3, &c, sizeof(c), sizeof(c)) >= 0);
	fake_kick(g, 3);
	while (fake_get(g, 3, NULL, 0, NULL) >= 0)
		;
}

static void a_console_speaks_in_band(void **state)
{
	static const struct vconsole_ops ops = {
		.open = on_open,
		.bytes = on_bytes,
		.writable = on_writable,
		.dead = on_console_dead,
	};
	struct vconsole_config config = { .name = "n1:agent" };
	struct fake_options options = { .rings = 6, .inband = true, .pump = inband_pump };
	struct vconsole *console;
	struct fake_guest *g;
	struct why why;
	char path[96], got[8] = "";

	(void)state;
	opens = 0;
	run_first();
	snprintf(path, sizeof(path), "%s/agent", inband.rig.dir);
	config.path = path;
	config.guest = machine_guest(0);
	assert_int_equal(
		vconsole_create(&console, inband.rig.loop, &config, &ops, NULL, &why), 0);
	assert_int_equal(fake_guest_open(&g, path, &options), 0);
	g->options.pump_ctx = g;
	assert_int_equal(fake_handshake(g, FAKE_UML), 0);
	for (int i = 0; i < 4; i++)
		fake_post(g, 2, 1, 64);
	fake_post(g, 4, 1, 64);
	fake_kick(g, 2);
	control(g, VIRTIO_CONSOLE_DEVICE_READY, VIRTIO_CONSOLE_BAD_ID);
	/* The control messages came while it waited for the reply to its kick. */
	assert_non_null(strstr(g->calls, "2 "));
	control(g, VIRTIO_CONSOLE_PORT_READY, 1);
	control(g, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(opens, 1);
	assert_true(fake_put(g, 5, "hello", 5, 5) >= 0);
	fake_kick(g, 5);
	assert_string_equal(bytes, "hello");
	assert_int_equal(vconsole_write(console, (const uint8_t *)"you", 3), 3);
	fake_answer_calls(g);
	g->calls[0] = 0;
	machine_wait(0, 9000);
	inband_turn(5);
	assert_int_equal(fake_answer_calls(g), 1);
	assert_string_equal(g->calls, "4 ");
	assert_true(fake_get(g, 4, got, sizeof(got), NULL) >= 0);
	assert_string_equal(got, "you");
	vconsole_destroy(console);
	fake_guest_close(g);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin_two, end_two)
	const struct CMUnitTest tests[] = {
		T(a_kick_is_answered_when_it_was_served),
		T(a_kick_is_answered_when_everybody_it_led_to_has_answered),
		T(more_frames_than_a_turn_serves_are_all_served_before_the_reply),
		T(a_kick_may_come_byte_by_byte),
		T(starting_a_ring_is_answered_like_a_kick),
		T(time_waits_for_the_answer_to_a_signal),
		T(a_signalled_guest_runs_at_the_time_of_the_signal),
		T(a_ring_is_signalled_once_however_often_it_was_due),
		T(calls_go_out_in_the_order_config_then_rings),
		T(the_second_device_of_a_guest_is_heard_after_the_first),
		T(answers_may_come_byte_by_byte),
		T(a_ring_that_was_stopped_is_not_signalled),
		T(a_driver_that_comes_back_has_its_kicks_and_signals),
		T(a_device_that_is_destroyed_holds_time_no_more),
		T(a_guest_that_goes_away_is_waited_for_without_a_busy_loop),
		T(a_guest_that_does_not_answer_is_named_by_the_guard),
		cmocka_unit_test(in_real_time_nothing_is_offered_in_band),
		cmocka_unit_test(the_speed_of_the_host_makes_no_difference),
		T(a_console_speaks_in_band),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
