/* SPDX-License-Identifier: MIT */
/* A guest that sleeps over a signal is signalled again; nobody else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "clock/clock.h"
#include "lib/vnet_rig.h"
#include "vhost/vhost_message.h"

enum { RX, TX, BUFFERS = 8, BUFFER_BYTES = 2048 };

static struct rig rig;
static struct port port;
static uint64_t now_ns;

static int begin(void **state)
{
	struct why why = { .text = "" };

	(void)state;
	rig_begin(&rig);
	assert_int_equal(clock_fake_create(&rig.clock, &why), 0);
	now_ns = 0;
	port_create(&port, &rig, "n1:eth0");
	port_boot(&port, FAKE_UML, (struct fake_options){ 0 });
	port_post(&port, BUFFERS, BUFFER_BYTES);
	fake_signals(port.guest, RX);
	return 0;
}

static int end(void **state)
{
	(void)state;
	port_destroy(&port);
	clock_destroy(rig.clock);
	rig_end(&rig);
	memset(&port, 0, sizeof(port));
	return 0;
}

static void pass_us(uint64_t us)
{
	now_ns += us * NS_PER_US;
	clock_fake_advance(rig.clock, now_ns);
}

static void send_frame(void)
{
	static const uint8_t frame[60];

	assert_int_equal(vnet_send(port.vnet, frame, sizeof(frame)), 0);
	vnet_flush(port.vnet);
}

static void take_frame(void)
{
	uint8_t frame[VNET_FRAME_BYTES_MAX];

	assert_int_equal(fake_net_receive(port.guest, frame, sizeof(frame)), 60);
	*fake_used_event(port.guest, RX) = port.guest->ring[RX].used_seen;
}

static void a_signal_that_is_slept_over_comes_again(void **state)
{
	(void)state;
	send_frame();
	pass_us(1400);
	assert_int_equal(fake_signals(port.guest, RX), 1);
	take_frame();
	send_frame();
	pass_us(1600);
	assert_int_equal(fake_signals(port.guest, RX), 2);
}

/* Signals in the pipe, which stay there: the guest has not heard. */
static unsigned unheard(void)
{
	int bytes = 0;

	assert_int_equal(ioctl(port.guest->ring[RX].call_fd, FIONREAD, &bytes), 0);
	return (unsigned)bytes / 8;
}

static void reminders_get_rarer_and_end(void **state)
{
	static const uint64_t comes_at_us[] = { 1500, 4500, 10500, 22500, 46500, 94500 };

	(void)state;
	send_frame();
	for (unsigned i = 0; i < 6; i++) {
		pass_us(comes_at_us[i] - 1 - now_ns / NS_PER_US);
		assert_int_equal(unheard(), 1 + i);
		pass_us(1);
		assert_int_equal(unheard(), 2 + i);
	}
	pass_us(3600 * UINT64_C(1000000));
	assert_int_equal(unheard(), 7);
}

static void who_hears_is_not_reminded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		send_frame();
		assert_int_equal(fake_signals(port.guest, RX), 1);
		take_frame();
		pass_us(10000);
		assert_int_equal(fake_signals(port.guest, RX), 0);
	}
}

/* Its interrupt was handled, and then it slept nevertheless. */
static void a_signal_that_was_taken_and_led_to_nothing_comes_again(void **state)
{
	(void)state;
	send_frame();
	assert_int_equal(fake_signals(port.guest, RX), 1);
	pass_us(1600);
	assert_int_equal(fake_signals(port.guest, RX), 1);
	take_frame();
	pass_us(100000);
	assert_int_equal(fake_signals(port.guest, RX), 0);
}

static void each_signal_has_its_own_time(void **state)
{
	(void)state;
	send_frame();
	assert_int_equal(fake_signals(port.guest, RX), 1);
	take_frame();
	pass_us(1000);
	send_frame();
	pass_us(1000);
	assert_int_equal(fake_signals(port.guest, RX), 1);
}

static void the_news_of_a_pulled_cable_comes_again(void **state)
{
	struct vhost_header header;

	(void)state;
	vnet_set_carrier(port.vnet, false);
	pass_us(1600);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fake_slave_message(port.guest, &header), 1);
		assert_int_equal(header.request, VHOST_SLAVE_CONFIG_CHANGE);
	}
	assert_int_equal(fake_slave_message(port.guest, &header), 0);
	pass_us(10000);
	assert_int_equal(fake_slave_message(port.guest, &header), 0);
}

static void a_port_that_is_gone_reminds_nobody(void **state)
{
	(void)state;
	send_frame();
	vnet_destroy(port.vnet);
	port.vnet = NULL;
	pass_us(10000);
	assert_int_equal(fake_signals(port.guest, RX), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_signal_that_is_slept_over_comes_again),
		T(reminders_get_rarer_and_end),
		T(who_hears_is_not_reminded),
		T(a_signal_that_was_taken_and_led_to_nothing_comes_again),
		T(each_signal_has_its_own_time),
		T(the_news_of_a_pulled_cable_comes_again),
		T(a_port_that_is_gone_reminds_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
