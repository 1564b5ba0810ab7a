/* SPDX-License-Identifier: MIT */
/* The console: Linux's opening sequence, bytes both ways, and no byte lost when one
 * side is slow. */
#include <errno.h>
#include <linux/virtio_console.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/vnet_rig.h"
#include "device/vconsole.h"
#include "vhost/vhost_user.h"

enum { CONTROL_RX = 2, CONTROL_TX, DATA_RX, DATA_TX, RINGS };

static struct rig rig;
static struct vconsole *console;
static struct fake_guest *g;
static char path[96];

/* What the ops were called with. */
static struct {
	unsigned opens, closes, writables, deaths;
	bool broken;
	char why[1024];
	uint8_t bytes[1 << 20];
	size_t size;
	size_t room; /* take no more than this */
	bool echo;
} said;

static void on_open(void *ctx, bool open)
{
	(void)ctx;
	*(open ? &said.opens : &said.closes) += 1;
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t size)
{
	size_t n = size < said.room ? size : said.room;

	(void)ctx;
	assert_true(said.size + n <= sizeof(said.bytes));
	memcpy(said.bytes + said.size, bytes, n);
	said.size += n;
	said.room -= n;
	if (said.echo)
		assert_int_equal(vconsole_write(console, bytes, n), n);
	return n;
}

static void on_writable(void *ctx)
{
	(void)ctx;
	said.writables++;
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	(void)ctx;
	said.deaths++;
	said.broken = broken;
	snprintf(said.why, sizeof(said.why), "%s", why);
}

static const struct vconsole_ops ops = {
	.open = on_open,
	.bytes = on_bytes,
	.writable = on_writable,
	.dead = on_dead,
};

static void pump(void *ctx)
{
	(void)ctx;
	rig_turn(&rig, 1);
}

static int begin(void **state)
{
	struct fake_options options = { .rings = RINGS, .pump = pump };
	struct vconsole_config config = { .name = "n1:agent", .path = path };
	struct why why = { .text = "" };

	(void)state;
	memset(&said, 0, sizeof(said));
	said.room = SIZE_MAX;
	rig_begin(&rig);
	snprintf(path, sizeof(path), "%s/console", rig.dir);
	assert_int_equal(vconsole_create(&console, rig.loop, &config, &ops, NULL, &why), 0);
	assert_int_equal(fake_guest_open(&g, path, &options), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	vconsole_destroy(console);
	fake_guest_close(g);
	g = NULL;
	rig_end(&rig);
	return 0;
}

static void control(uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control c = { id, event, value };

	while (fake_get(g, CONTROL_TX, NULL, 0, NULL) >= 0)
		;
	assert_true(fake_put(g, CONTROL_TX, &c, sizeof(c), sizeof(c)) >= 0);
	fake_kick_if_wanted(g, CONTROL_TX);
	rig_turn(&rig, 2);
}

static void expect_control(uint32_t id, uint16_t event, uint16_t value, const char *tail)
{
	struct {
		struct virtio_console_control c;
		char tail[64];
	} message = { .c = { 0 } };
	uint32_t n = 0;

	assert_true(fake_get(g, CONTROL_RX, &message, sizeof(message), &n) >= 0);
	assert_int_equal(message.c.id, id);
	assert_int_equal(message.c.event, event);
	assert_int_equal(message.c.value, value);
	assert_int_equal(n, sizeof(message.c) + strlen(tail));
	assert_string_equal(message.tail, tail);
}

static void post(unsigned ring, unsigned n, uint32_t bytes)
{
	while (n--)
		assert_true(fake_post(g, ring, 1, bytes) >= 0);
	fake_kick_if_wanted(g, ring);
	rig_turn(&rig, 2);
}

/* What drivers/char/virtio_console.c does, up to a program that has opened. */
static void boot(void)
{
	assert_int_equal(fake_handshake(g, FAKE_UML), 0);
	post(CONTROL_RX, 8, 256);
	control(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_control(1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_control(1, VIRTIO_CONSOLE_PORT_NAME, 0, VCONSOLE_PORT_NAME);
	expect_control(1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_int_equal(fake_get(g, CONTROL_RX, NULL, 0, NULL), -1);
	assert_int_equal(said.opens, 0);
}

static void boot_and_open(void)
{
	boot();
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(said.opens, 1);
}

static void guest_says(const void *bytes, size_t size, uint32_t part_bytes)
{
	while (fake_get(g, DATA_TX, NULL, 0, NULL) >= 0)
		;
	assert_true(fake_put(g, DATA_TX, bytes, size, part_bytes) >= 0);
	fake_kick_if_wanted(g, DATA_TX);
	rig_turn(&rig, 2);
}

static void the_port_is_named_and_is_no_tty(void **state)
{
	struct virtio_console_config space;

	(void)state;
	boot();
	assert_int_equal(fake_get_config(g, 0, &space, sizeof(space)), 0);
	assert_int_equal(space.max_nr_ports, 2);
	assert_true(g->offered & VHOST_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT));
}

static void control_messages_wait_for_buffers(void **state)
{
	(void)state;
	assert_int_equal(fake_handshake(g, FAKE_UML), 0);
	control(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (int i = 0; i < 1000; i++) /* asked often, told once */
		control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	post(CONTROL_RX, 1, 256);
	expect_control(1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	post(CONTROL_RX, 8, 256);
	expect_control(1, VIRTIO_CONSOLE_PORT_NAME, 0, VCONSOLE_PORT_NAME);
	expect_control(1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_int_equal(fake_get(g, CONTROL_RX, NULL, 0, NULL), -1);
}

static void opening_and_closing_are_told(void **state)
{
	(void)state;
	boot_and_open();
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1); /* again: no news */
	control(0, VIRTIO_CONSOLE_PORT_OPEN, 0); /* of a port that is not ours */
	assert_int_equal(said.opens, 1);
	assert_int_equal(said.closes, 0);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	assert_int_equal(said.closes, 1);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(said.opens, 2);
}

static void bytes_come_in_order(void **state)
{
	uint8_t bytes[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 13);
	boot_and_open();
	guest_says("hello, ", 7, 7);
	guest_says("world", 5, 2);
	assert_int_equal(said.size, 12);
	assert_memory_equal(said.bytes, "hello, world", 12);
	guest_says(bytes, sizeof(bytes), 333);
	assert_memory_equal(said.bytes + 12, bytes, sizeof(bytes));
}

static void bytes_that_were_not_taken_come_again_once_asked_for(void **state)
{
	(void)state;
	boot_and_open();
	said.room = 3;
	guest_says("abcdefgh", 8, 2);
	guest_says("ijkl", 4, 4);
	assert_int_equal(said.size, 3);
	rig_turn(&rig, 5);
	assert_int_equal(said.size, 3); /* nothing more until then */
	said.room = 4;
	vconsole_resume(console);
	rig_turn(&rig, 2);
	assert_int_equal(said.size, 7);
	said.room = SIZE_MAX;
	vconsole_resume(console);
	vconsole_resume(console);
	rig_turn(&rig, 2);
	assert_int_equal(said.size, 12);
	assert_memory_equal(said.bytes, "abcdefghijkl", 12);
	guest_says("m", 1, 1);
	assert_int_equal(said.size, 13);
}

static void the_last_bytes_come_before_the_end(void **state)
{
	struct virtio_console_control c = { 1, VIRTIO_CONSOLE_PORT_OPEN, 0 };

	(void)state;
	boot_and_open();
	fake_get(g, CONTROL_TX, NULL, 0, NULL);
	/* Both rings have something; the control ring's kick comes first. */
	fake_put(g, DATA_TX, "bye", 3, 3);
	fake_put(g, CONTROL_TX, &c, sizeof(c), sizeof(c));
	fake_kick(g, CONTROL_TX);
	rig_turn(&rig, 1);
	assert_int_equal(said.closes, 1);
	assert_memory_equal(said.bytes, "bye", 3);
}

static void nothing_is_written_to_a_port_that_nobody_has_open(void **state)
{
	uint8_t got[16];
	uint32_t n;

	(void)state;
	boot();
	post(DATA_RX, 4, 256);
	assert_int_equal(vconsole_write(console, (const uint8_t *)"early", 5), 0);
	assert_int_equal(fake_get(g, DATA_RX, NULL, 0, NULL), -1);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(said.writables, 1);
	assert_int_equal(vconsole_write(console, (const uint8_t *)"now", 3), 3);
	assert_true(fake_get(g, DATA_RX, got, sizeof(got), &n) >= 0);
	assert_int_equal(n, 3);
	assert_memory_equal(got, "now", 3);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	assert_int_equal(vconsole_write(console, (const uint8_t *)"late", 4), 0);
}

static void a_write_takes_what_there_is_room_for(void **state)
{
	uint8_t bytes[1000], got[1000];
	size_t have = 0;
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 17);
	boot_and_open();
	post(DATA_RX, 3, 256);
	assert_int_equal(vconsole_write(console, bytes, sizeof(bytes)), 768);
	assert_int_equal(said.writables, 0);
	post(DATA_RX, 1, 256);
	assert_int_equal(said.writables, 1);
	assert_int_equal(vconsole_write(console, bytes + 768, 232), 232);
	while (fake_get(g, DATA_RX, got + have, sizeof(got) - have, &n) >= 0)
		have += n;
	assert_int_equal(have, sizeof(got));
	assert_memory_equal(got, bytes, sizeof(got));
	assert_true(fake_signals(g, DATA_RX) >= 1);
}

static void an_answer_may_be_written_while_bytes_are_lent(void **state)
{
	uint8_t got[2000], bytes[2000];
	size_t have = 0;
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 19);
	boot_and_open();
	post(DATA_RX, 64, 2048);
	said.echo = true;
	guest_says(bytes, sizeof(bytes), 50);
	while (fake_get(g, DATA_RX, got + have, sizeof(got) - have, &n) >= 0)
		have += n;
	assert_int_equal(have, sizeof(got));
	assert_memory_equal(got, bytes, sizeof(got));
}

static void much_data_is_served_over_several_turns(void **state)
{
	size_t chunk = g->options.slot_bytes;

	(void)state;
	boot_and_open();
	for (int i = 0; i < 200; i++) {
		uint8_t bytes[4096];

		memset(bytes, i, chunk);
		assert_true(fake_put(g, DATA_TX, bytes, chunk, (uint32_t)chunk) >= 0);
	}
	fake_kick(g, DATA_TX);
	assert_int_equal(loop_turn(rig.loop, 0), 1);
	/* A share by the kick, and one by the deferred work of that turn. */
	assert_true(said.size >= 256 * 1024 && said.size < 200 * chunk + 1);
	rig_turn(&rig, 5);
	assert_int_equal(said.size, 200 * chunk);
	for (size_t i = 0; i < said.size; i++)
		if (said.bytes[i] != (uint8_t)(i / chunk))
			fail_msg("byte %zu", i);
}

static void a_driver_that_comes_back_opens_anew(void **state)
{
	(void)state;
	boot_and_open();
	assert_int_equal(fake_stop_rings(g), 0);
	assert_int_equal(said.closes, 1);
	assert_int_equal(vconsole_write(console, (const uint8_t *)"x", 1), 0);
	assert_int_equal(fake_set_memory(g), 0);
	assert_int_equal(fake_start_rings(g), 0);
	post(CONTROL_RX, 8, 256);
	control(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_control(1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(said.opens, 2);
	guest_says("again", 5, 5);
	assert_memory_equal(said.bytes, "again", 5);
}

static void dies(const char *why)
{
	rig_turn(&rig, 3);
	assert_int_equal(said.deaths, 1);
	assert_true(said.broken);
	if (!strstr(said.why, why))
		fail_msg("'%s', expected '%s'", said.why, why);
	assert_int_equal(vconsole_write(console, (const uint8_t *)"x", 1), 0);
	vconsole_resume(console);
	rig_turn(&rig, 2);
	assert_int_equal(said.deaths, 1);
}

static void rubbish_kills_the_console(void **state)
{
	static const struct {
		unsigned ring;
		uint64_t address;
		uint32_t size;
		uint16_t flags;
		const char *why;
	} cases[] = {
		{ CONTROL_TX, 0x2000000, 7, 0,
		  "n1:agent: control transmit ring: the buffer at descriptor 5 is shorter" },
		{ CONTROL_TX, 0x100, 8, 0, "is shorter than a control message" },
		{ CONTROL_TX, UINT64_MAX, 8, 0, "descriptor 5 points outside" },
		{ CONTROL_RX, 0x2000000, 64, 0, "control receive ring: the buffer at desc" },
		{ CONTROL_RX, 0x2000000, 7, FAKE_WRITE, "too small for a control message" },
		{ DATA_TX, 0x100, 8, 0, "transmit ring: the buffer at descriptor 5 lies in "
					"the guest's kernel image" },
		{ DATA_TX, 0x2000000, UINT32_MAX, 0, "descriptor 5 points outside" },
		{ DATA_RX, 0x2000000, 8, 0, "receive ring: the buffer at descriptor 5 is n" },
		{ DATA_RX, 0x100, 8, FAKE_WRITE, "receive ring: descriptor 5 points outside" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_desc d = { cases[i].address, cases[i].size, cases[i].flags, 0 };

		end(state);
		begin(state);
		if (cases[i].ring == CONTROL_RX)
			assert_int_equal(fake_handshake(g, FAKE_UML), 0);
		else
			boot_and_open();
		fake_desc_set(g, cases[i].ring, 5, d);
		fake_avail_push(g, cases[i].ring, 5);
		fake_kick(g, cases[i].ring);
		if (cases[i].ring == CONTROL_RX)
			control(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
		if (cases[i].ring == DATA_RX)
			vconsole_write(console, (const uint8_t *)"x", 1);
		dies(cases[i].why);
	}
}

static void memory_cut_short_kills_the_console(void **state)
{
	(void)state;
	boot_and_open();
	fake_put(g, DATA_TX, "x", 1, 1);
	assert_int_equal(ftruncate(g->region_fds[0], 0), 0);
	fake_kick(g, DATA_TX);
	dies("part of its memory file is gone");
}

static void rings_of_port_0_are_left_alone(void **state)
{
	(void)state;
	boot_and_open();
	fake_desc_set(g, 1, 0, (struct fake_desc){ UINT64_MAX, 1, 0, 0 });
	fake_avail_push(g, 1, 0);
	fake_kick(g, 1);
	guest_says("alive", 5, 5);
	assert_int_equal(said.deaths, 0);
	assert_int_equal(said.size, 5);
}

static void a_guest_that_leaves_is_reported(void **state)
{
	(void)state;
	boot_and_open();
	fake_guest_close(g);
	g = NULL;
	rig_turn(&rig, 2);
	assert_int_equal(said.deaths, 1);
	assert_false(said.broken);
	assert_string_equal(said.why, "n1:agent: the guest went away");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(the_port_is_named_and_is_no_tty),
		T(control_messages_wait_for_buffers),
		T(opening_and_closing_are_told),
		T(bytes_come_in_order),
		T(bytes_that_were_not_taken_come_again_once_asked_for),
		T(the_last_bytes_come_before_the_end),
		T(nothing_is_written_to_a_port_that_nobody_has_open),
		T(a_write_takes_what_there_is_room_for),
		T(an_answer_may_be_written_while_bytes_are_lent),
		T(much_data_is_served_over_several_turns),
		T(a_driver_that_comes_back_opens_anew),
		T(rubbish_kills_the_console),
		T(memory_cut_short_kills_the_console),
		T(rings_of_port_0_are_left_alone),
		T(a_guest_that_leaves_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
