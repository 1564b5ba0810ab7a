/* SPDX-License-Identifier: MIT */
/* Rubbish in rings and memory, from a guest that is up: it costs the guest its own
 * port, with the reason, and nothing else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/rubbish.h"

/* ---- while the rings run ---- */

static void size_of_a_running_ring(void)
{
	say_state(VHOST_SET_VRING_NUM, 0, 128);
}

static void base_of_a_running_ring(void)
{
	say_state(VHOST_SET_VRING_BASE, 1, 0);
}

static void place_of_a_running_ring(void)
{
	struct vhost_vring_addr addr = { .index = 1 };

	say(VHOST_SET_VRING_ADDR, &addr, sizeof(addr));
}

static void features_while_rings_run(void)
{
	say_integer(VHOST_SET_FEATURES, 0);
}

static void memory_without_the_rings(void)
{
	struct vhost_region r = fine_region();

	say_table(1, &r, 1, g->region_fds, 1);
}

/* One descriptor in the transmit ring, number 17. */
static void transmit(uint64_t address, uint32_t size, uint16_t flags, uint16_t next)
{
	fake_desc_set(g, TX, 17, (struct fake_desc){ address, size, flags, next });
	fake_avail_push(g, TX, 17);
	fake_kick(g, TX);
}

static uint64_t slot17(void)
{
	return fake_physical(g, fake_slot(g, TX, 17));
}

static void buffer_outside_memory(void)
{
	transmit(0xfffffffff000, 1514, 0, 0);
}

static void buffer_whose_end_is_outside(void)
{
	transmit(fake_physical(g, g->region_bytes - 100), 101, 0, 0);
}

static void buffer_of_4_gigabytes(void)
{
	transmit(slot17(), UINT32_MAX, 0, 0);
}

static void buffer_at_the_end_of_addresses(void)
{
	transmit(UINT64_MAX, 2, 0, 0);
}

static void buffer_half_in_the_kernel_image(void)
{
	transmit(fake_physical(g, 0) - 50, 100, 0, 0);
}

static void buffer_to_write_in_the_transmit_ring(void)
{
	transmit(slot17(), 100, FAKE_WRITE, 0);
}

static void frame_longer_than_any(void)
{
	transmit(fake_physical(g, 0), 12 + VNET_FRAME_BYTES_MAX + 1, 0, 0);
}

static void frame_shorter_than_its_header(void)
{
	transmit(slot17(), 11, 0, 0);
}

static void descriptor_after_the_ring(void)
{
	transmit(slot17(), 100, FAKE_NEXT, 256);
}

static void chain_that_is_a_loop(void)
{
	transmit(slot17(), 100, FAKE_NEXT, 17);
}

static void loop_of_nothing(void)
{
	transmit(slot17(), 0, FAKE_NEXT, 17);
}

static void readable_after_writable(void)
{
	fake_desc_set(g, TX, 18, (struct fake_desc){ slot17(), 10, 0, 0 });
	transmit(slot17(), 100, FAKE_WRITE | FAKE_NEXT, 18);
}

static void head_after_the_ring(void)
{
	fake_avail_push(g, TX, 256);
	fake_kick(g, TX);
}

static void index_that_jumps(void)
{
	g->ring[TX].avail_next += 256;
	fake_avail_push(g, TX, 0); /* 257 more than taken */
	fake_kick(g, TX);
}

static void index_that_goes_back(void)
{
	g->ring[TX].avail_next -= 2;
	fake_avail_push(g, TX, 0);
	fake_kick(g, TX);
}

static void table_with_write_flag(void)
{
	transmit(slot17(), 16, FAKE_INDIRECT | FAKE_WRITE, 0);
}

static void table_with_next_flag(void)
{
	transmit(slot17(), 16, FAKE_INDIRECT | FAKE_NEXT, 18);
}

static void table_of_no_entries(void)
{
	transmit(slot17(), 0, FAKE_INDIRECT, 0);
}

static void table_of_half_an_entry(void)
{
	transmit(slot17(), 24, FAKE_INDIRECT, 0);
}

static void table_of_4_gigabytes(void)
{
	transmit(slot17(), 0xfffffff0, FAKE_INDIRECT, 0);
}

static void table_outside_memory(void)
{
	transmit(0x100, 16, FAKE_INDIRECT, 0);
}

static void table_whose_end_is_outside(void)
{
	transmit(fake_physical(g, g->memory_bytes - 16), 32, FAKE_INDIRECT, 0);
}

static void table_in_a_table(void)
{
	struct fake_desc d = { slot17(), 16, FAKE_INDIRECT, 0 };

	memcpy(g->memory + fake_slot(g, TX, 17), &d, 16);
	transmit(slot17(), 16, FAKE_INDIRECT, 0);
}

static void table_that_continues_outside(void)
{
	struct fake_desc d = { slot17(), 16, FAKE_NEXT, 1 };

	memcpy(g->memory + fake_slot(g, TX, 17), &d, 16);
	transmit(slot17(), 16, FAKE_INDIRECT, 0);
}

static void table_that_is_a_loop(void)
{
	struct fake_desc d = { slot17(), 16, FAKE_NEXT, 0 };

	memcpy(g->memory + fake_slot(g, TX, 17), &d, 16);
	transmit(slot17(), 16, FAKE_INDIRECT, 0);
}

/* One buffer in the receive ring, and a frame for it. */
static void receive(uint64_t address, uint32_t size, uint16_t flags)
{
	uint8_t frame[60] = { 0 };

	fake_desc_set(g, RX, 17, (struct fake_desc){ address, size, flags, 0 });
	fake_avail_push(g, RX, 17);
	assert_int_equal(vnet_send(bad.vnet, frame, sizeof(frame)), -ENOTCONN);
}

static void buffer_to_read_in_the_receive_ring(void)
{
	receive(slot17(), 2048, 0);
}

static void receive_buffer_outside_memory(void)
{
	receive(0xfffffffff000, 2048, FAKE_WRITE);
}

static void receive_buffer_in_the_kernel_image(void)
{
	receive(0x1000, 2048, FAKE_WRITE);
}

static void memory_cut_short_under_transmit(void)
{
	uint8_t frame[1514] = { 0 };

	assert_true(fake_net_send(g, frame, sizeof(frame), 0));
	assert_int_equal(ftruncate(g->region_fds[0], 0), 0);
	fake_kick(g, TX);
}

static void memory_cut_short_under_receive(void)
{
	uint8_t frame[60] = { 0 };

	assert_true(fake_post(g, RX, 1, 2048) >= 0);
	assert_int_equal(ftruncate(g->region_fds[0], 0), 0);
	assert_int_equal(vnet_send(bad.vnet, frame, sizeof(frame)), -ENOTCONN);
}

static void memory_cut_short_but_for_the_rings(void)
{
	uint8_t frame[1514] = { 0 };

	assert_true(fake_net_send(g, frame, sizeof(frame), 0));
	assert_int_equal(ftruncate(g->region_fds[0], (off_t)g->ring[0].tables), 0);
	fake_kick(g, TX);
}

static const struct rubbish rubbish[] = {
	RUBBISH(size_of_a_running_ring, RUNNING,
		"SET_VRING_NUM: the receive ring is running"),
	RUBBISH(base_of_a_running_ring, RUNNING,
		"SET_VRING_BASE: the transmit ring is running"),
	RUBBISH(place_of_a_running_ring, RUNNING,
		"SET_VRING_ADDR: the transmit ring is running"),
	RUBBISH(features_while_rings_run, RUNNING, "features changed while rings run"),
	RUBBISH(memory_without_the_rings, RUNNING,
		"SET_MEM_TABLE: receive ring: its descriptor t"),
	RUBBISH(buffer_outside_memory, RUNNING,
		"bad:eth0: transmit ring: descriptor 17 points outside the machine's memory "
		"(address 0xfffffffff000, 1514 bytes)"),
	RUBBISH(buffer_whose_end_is_outside, RUNNING,
		"descriptor 17 points outside the machine's"),
	RUBBISH(buffer_of_4_gigabytes, RUNNING,
		"descriptor 17 points outside the machine's memory"),
	RUBBISH(buffer_at_the_end_of_addresses, RUNNING,
		"descriptor 17 points outside the machine"),
	RUBBISH(buffer_half_in_the_kernel_image, RUNNING, "descriptor 17 points outside"),
	RUBBISH(buffer_to_write_in_the_transmit_ring, RUNNING,
		"the buffer at descriptor 17 has 0 by"),
	RUBBISH(frame_longer_than_any, RUNNING,
		"the buffer at descriptor 17 has 65566 bytes; a fra"),
	RUBBISH(frame_shorter_than_its_header, RUNNING,
		"the buffer at descriptor 17 has 11 bytes"),
	RUBBISH(descriptor_after_the_ring, RUNNING,
		"descriptor 17 continues outside the ring"),
	RUBBISH(chain_that_is_a_loop, RUNNING,
		"the chain that begins at descriptor 17 is a loop"),
	RUBBISH(loop_of_nothing, RUNNING,
		"the chain that begins at descriptor 17 is a loop"),
	RUBBISH(readable_after_writable, RUNNING,
		"descriptor 18 is readable, but follows a writable"),
	RUBBISH(head_after_the_ring, RUNNING, "names descriptor 256 in a ring of 256"),
	RUBBISH(index_that_jumps, RUNNING,
		"the available index jumped from 0 to 257 in a ring of"),
	RUBBISH(index_that_goes_back, RUNNING,
		"the available index jumped from 0 to 65535"),
	RUBBISH(table_with_write_flag, RUNNING,
		"descriptor 17 is indirect and has other flags"),
	RUBBISH(table_with_next_flag, RUNNING,
		"descriptor 17 is indirect and has other flags"),
	RUBBISH(table_of_no_entries, RUNNING,
		"descriptor 17 has an indirect table of a wrong size"),
	RUBBISH(table_of_half_an_entry, RUNNING,
		"descriptor 17 has an indirect table of a wrong"),
	RUBBISH(table_of_4_gigabytes, RUNNING,
		"descriptor 17 has an indirect table of a wrong size"),
	RUBBISH(table_outside_memory, RUNNING,
		"descriptor 17 has an indirect table outside"),
	RUBBISH(table_whose_end_is_outside, RUNNING,
		"descriptor 17 has an indirect table outside"),
	RUBBISH(table_in_a_table, RUNNING, "indirect descriptor 0 is indirect again"),
	RUBBISH(table_that_continues_outside, RUNNING,
		"indirect descriptor 0 continues outside its"),
	RUBBISH(table_that_is_a_loop, RUNNING,
		"the indirect table of descriptor 17 has a loop"),
	{ "table_not_negotiated", table_of_no_entries, RUNNING_PLAIN,
	  "descriptor 17 is indirect, which the driver did not negotiate" },
	RUBBISH(buffer_to_read_in_the_receive_ring, RUNNING,
		"receive ring: the buffer at descriptor 17 is not one to write to"),
	RUBBISH(receive_buffer_outside_memory, RUNNING,
		"receive ring: descriptor 17 points outside"),
	RUBBISH(receive_buffer_in_the_kernel_image, RUNNING,
		"receive ring: descriptor 17 points out"),
	RUBBISH(memory_cut_short_under_transmit, RUNNING,
		"part of its memory file is gone"),
	RUBBISH(memory_cut_short_under_receive, RUNNING,
		"part of its memory file is gone"),
	RUBBISH(memory_cut_short_but_for_the_rings, RUNNING,
		"part of its memory file is gone"),
};

static void each_kind_of_rubbish_kills_its_own_port_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++)
		rubbish_check(&rubbish[i]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rubbish_begin, rubbish_end)
	const struct CMUnitTest tests[] = {
		T(each_kind_of_rubbish_kills_its_own_port_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
