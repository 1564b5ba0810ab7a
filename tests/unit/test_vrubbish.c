/* SPDX-License-Identifier: MIT */
/* Whatever a guest does costs it its own port, with the reason, and nothing else:
 * each case below happens beside two guests that talk to one another, and after it
 * they still do, and no descriptor is left over. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/vnet_rig.h"
#include "virtio/vhost_user.h"

enum { RX, TX };

static struct rig rig;
static struct port good[2], bad;

static void good_ports_still_talk(void)
{
	static uint8_t serial;
	uint8_t frame[100], got[100];

	memset(frame, ++serial, sizeof(frame));
	port_post(&good[1], 1, 256);
	assert_true(fake_net_send(good[0].guest, frame, sizeof(frame), 0));
	fake_kick_if_wanted(good[0].guest, TX);
	rig_turn(&rig, 3);
	assert_int_equal(fake_net_receive(good[1].guest, got, sizeof(got)), sizeof(got));
	assert_memory_equal(frame, got, sizeof(got));
	assert_int_equal(good[0].deaths + good[1].deaths, 0);
}

static int begin(void **state)
{
	(void)state;
	rig_begin(&rig);
	port_create(&good[0], &rig, "n1:eth0");
	port_create(&good[1], &rig, "n2:eth0");
	port_boot(&good[0], FAKE_UML, (struct fake_options){ 0 });
	port_boot(&good[1], FAKE_QEMU, (struct fake_options){ 0 });
	good[0].to = &good[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	port_destroy(&good[0]);
	port_destroy(&good[1]);
	rig_end(&rig);
	return 0;
}

/* ---- what can be sent over the socket ---- */

static struct fake_guest *g; /* the bad one */

static void say(uint32_t request, const void *payload, uint32_t size)
{
	fake_send(g, request, 0, payload, size, NULL, 0);
}

static void say_integer(uint32_t request, uint64_t value)
{
	say(request, &value, sizeof(value));
}

static void say_state(uint32_t request, uint32_t index, uint32_t num)
{
	say(request, &(struct vhost_vring_state){ index, num }, 8);
}

static void say_with_fds(uint32_t request, uint64_t value, unsigned count)
{
	int fds[16];

	for (unsigned i = 0; i < count; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	fake_send(g, request, 0, &value, sizeof(value), fds, count);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

static void say_table(uint32_t count, const struct vhost_region *regions, unsigned given,
		      const int *fds, unsigned fd_count)
{
	struct vhost_memory table = { .count = count };

	if (given)
		memcpy(table.regions, regions, given * sizeof(*regions));
	fake_send(g, VHOST_SET_MEM_TABLE, 0, &table,
		  (uint32_t)(8 + given * sizeof(*regions)), fds, fd_count);
}

static void unknown_request(void)
{
	say(99, NULL, 0);
}

static void request_zero(void)
{
	say(0, NULL, 0);
}

static void request_of_a_feature_not_offered(void)
{
	say_integer(6, 0); /* SET_LOG_BASE */
}

static void request_huge(void)
{
	say(UINT32_MAX, NULL, 0);
}

static void wrong_version(void)
{
	fake_send(g, VHOST_SET_OWNER, 2, NULL, 0, NULL, 0); /* 2 | 1 = 3 */
}

static void reply_as_request(void)
{
	fake_send(g, VHOST_SET_OWNER, VHOST_FLAG_REPLY, NULL, 0, NULL, 0);
}

static void payload_of_4_gigabytes(void)
{
	struct vhost_header header = { VHOST_SET_FEATURES, VHOST_VERSION, UINT32_MAX };

	send(g->fd, &header, sizeof(header), 0);
}

static void payload_too_short(void)
{
	say(VHOST_SET_FEATURES, "four", 4);
}

static void payload_too_long(void)
{
	say(VHOST_SET_VRING_NUM, "sixteen bytes...", 16);
}

static void descriptors_with_a_request_that_takes_none(void)
{
	say_with_fds(VHOST_SET_FEATURES, 0, 1);
}

static void more_descriptors_than_a_message_has(void)
{
	say_with_fds(VHOST_SET_VRING_KICK, 0, 9);
}

static void sixteen_descriptors(void)
{
	say_with_fds(VHOST_SET_VRING_KICK, 0, 16);
}

static void two_kick_descriptors(void)
{
	say_with_fds(VHOST_SET_VRING_KICK, 0, 2);
}

static void no_kick_descriptor(void)
{
	say_integer(VHOST_SET_VRING_KICK, 0);
}

static void kick_by_polling(void)
{
	say_integer(VHOST_SET_VRING_KICK, VHOST_VRING_NO_FD);
}

static void no_descriptor_and_one_after_all(void)
{
	say_with_fds(VHOST_SET_VRING_CALL, VHOST_VRING_NO_FD, 1);
}

static void kick_that_cannot_be_watched(void)
{
	uint64_t index = 0;
	int fd = memfd_create("not an eventfd", MFD_CLOEXEC);

	fake_send(g, VHOST_SET_VRING_KICK, 0, &index, 8, &fd, 1);
	close(fd);
}

static void slave_channel_without_descriptor(void)
{
	say(VHOST_SET_SLAVE_REQ_FD, NULL, 0);
}

static void ring_index_out_of_range(void)
{
	say_state(VHOST_SET_VRING_NUM, 2, 256);
}

static void ring_index_huge(void)
{
	say_state(VHOST_SET_VRING_ENABLE, UINT32_MAX, 1);
}

static void ring_index_in_call_out_of_range(void)
{
	say_with_fds(VHOST_SET_VRING_CALL, 200, 1);
}

static void ring_index_with_unknown_bits(void)
{
	say_with_fds(VHOST_SET_VRING_CALL, 1 << 12, 1);
}

static void ring_size_zero(void)
{
	say_state(VHOST_SET_VRING_NUM, 0, 0);
}

static void ring_size_no_power_of_two(void)
{
	say_state(VHOST_SET_VRING_NUM, 0, 255);
}

static void ring_size_too_large(void)
{
	say_state(VHOST_SET_VRING_NUM, 0, 65536);
}

static void ring_base_too_large(void)
{
	say_state(VHOST_SET_VRING_BASE, 0, 65536);
}

static void enable_is_neither(void)
{
	say_state(VHOST_SET_VRING_ENABLE, 0, 2);
}

static void features_not_offered(void)
{
	say_integer(VHOST_SET_FEATURES, 1); /* checksum offload */
}

static void protocol_features_not_offered(void)
{
	say_integer(VHOST_SET_PROTOCOL_FEATURES, 1);
}

static void configuration_beyond_its_end(void)
{
	struct vhost_config config = { .offset = 250, .size = 7 };

	say(VHOST_GET_CONFIG, &config, 12 + 7);
}

static void configuration_offset_that_wraps(void)
{
	struct vhost_config config = { .offset = UINT32_MAX, .size = 2 };

	say(VHOST_GET_CONFIG, &config, 12 + 2);
}

static void configuration_size_that_lies(void)
{
	struct vhost_config config = { .offset = 0, .size = 200 };

	say(VHOST_GET_CONFIG, &config, 12 + 4);
}

static void logging_that_was_not_offered(void)
{
	struct vhost_vring_addr addr = { .index = 0, .flags = 1 };

	say(VHOST_SET_VRING_ADDR, &addr, sizeof(addr));
}

static void start_without_size_and_place(void)
{
	say_with_fds(VHOST_SET_VRING_KICK, 0, 1);
	say_state(VHOST_SET_VRING_ENABLE, 0, 1);
}

/* ---- memory tables ---- */

static struct vhost_region fine(void)
{
	return (struct vhost_region){ .physical = 0x1000, .size = 4096, .virtual = 0x1000 };
}

static void table_of_no_regions(void)
{
	say_table(0, NULL, 0, NULL, 0);
}

static void table_of_nine_regions(void)
{
	struct vhost_region r[8] = { 0 };

	say_table(9, r, 8, NULL, 0);
}

static void table_of_four_billion_regions(void)
{
	struct vhost_region r = fine();

	say_table(UINT32_MAX, &r, 1, g->region_fds, 1);
}

static void table_shorter_than_it_says(void)
{
	struct vhost_region r = fine();
	int fds[2] = { g->region_fds[0], g->region_fds[0] };

	say_table(2, &r, 1, fds, 2);
}

static void table_without_descriptors(void)
{
	struct vhost_region r = fine();

	say_table(1, &r, 1, NULL, 0);
}

static void table_with_too_many_descriptors(void)
{
	struct vhost_region r = fine();
	int fds[2] = { g->region_fds[0], g->region_fds[0] };

	say_table(1, &r, 1, fds, 2);
}

static void region_of_no_bytes(void)
{
	struct vhost_region r = fine();

	r.size = 0;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void region_that_wraps(void)
{
	struct vhost_region r = fine();

	r.physical = UINT64_MAX - 4095;
	r.size = 8192;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void region_whose_offset_wraps(void)
{
	struct vhost_region r = fine();

	r.offset = UINT64_MAX - 4095;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void region_larger_than_its_file(void)
{
	struct vhost_region r = fine();

	r.size = g->region_bytes + 4096;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void regions_that_overlap(void)
{
	struct vhost_region r[2] = { fine(), fine() };
	int fds[2] = { g->region_fds[0], g->region_fds[0] };

	r[1].physical += 2048;
	r[1].virtual += 1 << 20;
	say_table(2, r, 2, fds, 2);
}

static void region_that_is_a_pipe(void)
{
	struct vhost_region r = fine();
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	say_table(1, &r, 1, fds, 1);
	close(fds[0]);
	close(fds[1]);
}

static void region_that_cannot_be_written(void)
{
	struct vhost_region r = fine();
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", g->region_fds[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	say_table(1, &r, 1, &fd, 1);
	close(fd);
}

/* ---- places of rings; after the memory table ---- */

static void place(uint64_t desc, uint64_t avail, uint64_t used)
{
	struct vhost_vring_addr addr = {
		.index = 0, .desc = desc, .avail = avail, .used = used
	};
	uint64_t index = 0;
	int fd = eventfd(0, EFD_CLOEXEC);

	fake_set_memory(g);
	say_state(VHOST_SET_VRING_NUM, 0, 256);
	say(VHOST_SET_VRING_ADDR, &addr, sizeof(addr));
	fake_send(g, VHOST_SET_VRING_KICK, 0, &index, 8, &fd, 1);
	say_state(VHOST_SET_VRING_ENABLE, 0, 1);
	close(fd);
}

static void ring_outside_memory(void)
{
	place(0x1000, fake_virtual(g, 4096), fake_virtual(g, 8192));
}

static void ring_whose_end_is_outside(void)
{
	/* Room for 255 descriptors of 256. */
	place(fake_virtual(g, g->region_bytes - 16 * 255), fake_virtual(g, 4096),
	      fake_virtual(g, 8192));
}

static void used_ring_whose_end_is_outside(void)
{
	place(fake_virtual(g, 0), fake_virtual(g, 4096),
	      fake_virtual(g, g->region_bytes - 4 - 8 * 256));
}

static void ring_at_the_end_of_addresses(void)
{
	place(UINT64_MAX - 15, fake_virtual(g, 4096), fake_virtual(g, 8192));
}

static void ring_not_aligned(void)
{
	place(fake_virtual(g, 8), fake_virtual(g, 4096), fake_virtual(g, 8192));
}

static void available_ring_at_an_odd_address(void)
{
	place(fake_virtual(g, 0), fake_virtual(g, 4097), fake_virtual(g, 8192));
}

static void ring_in_physical_addresses(void)
{
	place(fake_physical(g, 0), fake_physical(g, 4096), fake_physical(g, 8192));
}

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
	struct vhost_region r = fine();

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

enum when { AT_ONCE, NEGOTIATED, RUNNING, RUNNING_PLAIN };

struct rubbish {
	const char *name;
	void (*make)(void);
	enum when when;
	const char *reason; /* part of it */
};

#define AT_ONCE(f, reason)    { #f, f, AT_ONCE, reason }
#define NEGOTIATED(f, reason) { #f, f, NEGOTIATED, reason }
#define RUNNING(f, reason)    { #f, f, RUNNING, reason }

static const struct rubbish rubbish[] = {
	AT_ONCE(unknown_request, "bad:eth0: request 99 is unknown"),
	AT_ONCE(request_zero, "request 0 is unknown"),
	AT_ONCE(request_of_a_feature_not_offered, "request 6 is unknown or belongs"),
	AT_ONCE(request_huge, "request 4294967295 is unknown"),
	AT_ONCE(wrong_version, "request 3 has flags 0x3, not a request's"),
	AT_ONCE(reply_as_request, "request 3 has flags 0x5, not a request's"),
	AT_ONCE(payload_of_4_gigabytes, "request 2 has 4294967295 bytes; the most is 268"),
	AT_ONCE(payload_too_short, "SET_FEATURES with 4 bytes; expected 8 to 8"),
	AT_ONCE(payload_too_long, "SET_VRING_NUM with 16 bytes; expected 8 to 8"),
	AT_ONCE(descriptors_with_a_request_that_takes_none,
		"SET_FEATURES with 1 descriptors; expected 0 to 0"),
	AT_ONCE(more_descriptors_than_a_message_has, "a message with more than 8 desc"),
	AT_ONCE(sixteen_descriptors, "a message with more than 8 descriptors"),
	AT_ONCE(two_kick_descriptors, "SET_VRING_KICK with 2 descriptors"),
	AT_ONCE(no_kick_descriptor, "SET_VRING_KICK: receive ring: 0 descriptors; expec"),
	AT_ONCE(kick_by_polling, "receive ring: no kick descriptor, but polling is not"),
	AT_ONCE(no_descriptor_and_one_after_all, "1 descriptors; expected none"),
	AT_ONCE(kick_that_cannot_be_watched, "SET_VRING_KICK: receive ring: its kick desc"),
	AT_ONCE(slave_channel_without_descriptor, "SET_SLAVE_REQ_FD with 0 descriptors"),
	AT_ONCE(ring_index_out_of_range, "SET_VRING_NUM: ring 2, but the device has 2"),
	AT_ONCE(ring_index_huge, "SET_VRING_ENABLE: ring 4294967295, but the device has"),
	AT_ONCE(ring_index_in_call_out_of_range, "SET_VRING_CALL: ring 200, but the dev"),
	AT_ONCE(ring_index_with_unknown_bits, "SET_VRING_CALL: 0x1000 is not a ring's"),
	AT_ONCE(ring_size_zero, "receive ring: its size 0 is not a power of two"),
	AT_ONCE(ring_size_no_power_of_two, "receive ring: its size 255 is not a power"),
	AT_ONCE(ring_size_too_large, "its size 65536 is not a power of two from 1 to 32768"),
	AT_ONCE(ring_base_too_large, "receive ring: index 65536 does not fit 16 bits"),
	AT_ONCE(enable_is_neither, "receive ring: enable is 2, neither 0 nor 1"),
	AT_ONCE(features_not_offered, "SET_FEATURES: feature bits 0x1 were not offered"),
	AT_ONCE(protocol_features_not_offered, "protocol feature bits 0x1 were not offer"),
	AT_ONCE(configuration_beyond_its_end, "GET_CONFIG: 7 bytes at offset 250"),
	AT_ONCE(configuration_offset_that_wraps, "2 bytes at offset 4294967295"),
	AT_ONCE(configuration_size_that_lies, "200 bytes at offset 0 in a message of 16"),
	AT_ONCE(logging_that_was_not_offered, "receive ring: logging was not offered"),
	NEGOTIATED(start_without_size_and_place,
		   "SET_VRING_ENABLE: receive ring: started before it had a size"),
	AT_ONCE(table_of_no_regions, "SET_MEM_TABLE: 0 regions in 8 bytes"),
	AT_ONCE(table_of_nine_regions, "9 regions in 264 bytes with 0 descriptors"),
	AT_ONCE(table_of_four_billion_regions, "4294967295 regions in 40 bytes"),
	AT_ONCE(table_shorter_than_it_says, "2 regions in 40 bytes with 2 descriptors"),
	AT_ONCE(table_without_descriptors, "1 regions in 40 bytes with 0 descriptors"),
	AT_ONCE(table_with_too_many_descriptors, "1 regions in 40 bytes with 2 descript"),
	AT_ONCE(region_of_no_bytes, "memory region 0 (address 0x1000, 0 bytes) is empty"),
	AT_ONCE(region_that_wraps, "memory region 0 (address 0xfffffffffffff000, 8192"),
	AT_ONCE(region_whose_offset_wraps, "too few for a region of 4096 bytes at offset"),
	AT_ONCE(region_larger_than_its_file, "memory region 0: its memory file has"),
	AT_ONCE(regions_that_overlap, "memory regions 0 and 1 overlap"),
	AT_ONCE(region_that_is_a_pipe, "memory region 0: its memory is not a regular file"),
	AT_ONCE(region_that_cannot_be_written, "memory region 0: mapping 4096 bytes"),
	NEGOTIATED(ring_outside_memory, "receive ring: its descriptor table (address 0x1000, "
					"4096 bytes) lies outside the machine's memory"),
	NEGOTIATED(ring_whose_end_is_outside, "its descriptor table (address"),
	NEGOTIATED(used_ring_whose_end_is_outside, "its used ring (address"),
	NEGOTIATED(ring_at_the_end_of_addresses, "its descriptor table (address 0xffff"),
	NEGOTIATED(ring_not_aligned, "is not aligned to 16"),
	NEGOTIATED(available_ring_at_an_odd_address, "its available ring"),
	NEGOTIATED(ring_in_physical_addresses, "lies outside the machine's memory"),
	RUNNING(size_of_a_running_ring, "SET_VRING_NUM: the receive ring is running"),
	RUNNING(base_of_a_running_ring, "SET_VRING_BASE: the transmit ring is running"),
	RUNNING(place_of_a_running_ring, "SET_VRING_ADDR: the transmit ring is running"),
	RUNNING(features_while_rings_run, "features changed while rings run"),
	RUNNING(memory_without_the_rings, "SET_MEM_TABLE: receive ring: its descriptor t"),
	RUNNING(buffer_outside_memory,
		"bad:eth0: transmit ring: descriptor 17 points outside the machine's memory "
		"(address 0xfffffffff000, 1514 bytes)"),
	RUNNING(buffer_whose_end_is_outside, "descriptor 17 points outside the machine's"),
	RUNNING(buffer_of_4_gigabytes, "descriptor 17 points outside the machine's memory"),
	RUNNING(buffer_at_the_end_of_addresses, "descriptor 17 points outside the machine"),
	RUNNING(buffer_half_in_the_kernel_image, "descriptor 17 points outside"),
	RUNNING(buffer_to_write_in_the_transmit_ring, "the buffer at descriptor 17 has 0 by"),
	RUNNING(frame_longer_than_any, "the buffer at descriptor 17 has 65566 bytes; a fra"),
	RUNNING(frame_shorter_than_its_header, "the buffer at descriptor 17 has 11 bytes"),
	RUNNING(descriptor_after_the_ring, "descriptor 17 continues outside the ring"),
	RUNNING(chain_that_is_a_loop, "the chain that begins at descriptor 17 is a loop"),
	RUNNING(loop_of_nothing, "the chain that begins at descriptor 17 is a loop"),
	RUNNING(readable_after_writable, "descriptor 18 is readable, but follows a writable"),
	RUNNING(head_after_the_ring, "names descriptor 256 in a ring of 256"),
	RUNNING(index_that_jumps, "the available index jumped from 0 to 257 in a ring of"),
	RUNNING(index_that_goes_back, "the available index jumped from 0 to 65535"),
	RUNNING(table_with_write_flag, "descriptor 17 is indirect and has other flags"),
	RUNNING(table_with_next_flag, "descriptor 17 is indirect and has other flags"),
	RUNNING(table_of_no_entries, "descriptor 17 has an indirect table of a wrong size"),
	RUNNING(table_of_half_an_entry, "descriptor 17 has an indirect table of a wrong"),
	RUNNING(table_of_4_gigabytes, "descriptor 17 has an indirect table of a wrong size"),
	RUNNING(table_outside_memory, "descriptor 17 has an indirect table outside"),
	RUNNING(table_whose_end_is_outside, "descriptor 17 has an indirect table outside"),
	RUNNING(table_in_a_table, "indirect descriptor 0 is indirect again"),
	RUNNING(table_that_continues_outside, "indirect descriptor 0 continues outside its"),
	RUNNING(table_that_is_a_loop, "the indirect table of descriptor 17 has a loop"),
	{ "table_not_negotiated", table_of_no_entries, RUNNING_PLAIN,
	  "descriptor 17 is indirect, which the driver did not negotiate" },
	RUNNING(buffer_to_read_in_the_receive_ring,
		"receive ring: the buffer at descriptor 17 is not one to write to"),
	RUNNING(receive_buffer_outside_memory, "receive ring: descriptor 17 points outside"),
	RUNNING(receive_buffer_in_the_kernel_image, "receive ring: descriptor 17 points out"),
	RUNNING(memory_cut_short_under_transmit, "part of its memory file is gone"),
	RUNNING(memory_cut_short_under_receive, "part of its memory file is gone"),
	RUNNING(memory_cut_short_but_for_the_rings, "part of its memory file is gone"),
};

static void check(const struct rubbish *r)
{
	struct fake_options options = { 0 };
	unsigned fds;

	if (r->when == RUNNING_PLAIN)
		options.decline = VHOST_FEATURE(VRING_F_INDIRECT_DESC);
	fds = fds_open();
	port_create(&bad, &rig, "bad:eth0");
	if (r->when >= RUNNING) {
		port_boot(&bad, FAKE_UML, options);
	} else {
		port_connect(&bad, options);
		if (r->when == NEGOTIATED)
			assert_int_equal(fake_negotiate(bad.guest, FAKE_QEMU), 0);
	}
	g = bad.guest;
	r->make();
	rig_turn(&rig, 4);
	if (bad.deaths != 1 || !bad.broken || !strstr(bad.why, r->reason))
		fail_msg("%s: deaths %u, why '%s'; expected '%s'", r->name, bad.deaths,
			 bad.why, r->reason);
	assert_true(fake_hung_up(g));
	good_ports_still_talk();
	port_destroy(&bad);
	assert_int_equal(fds_open(), fds);
}

static void each_kind_of_rubbish_kills_its_own_port_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++)
		check(&rubbish[i]);
}

static void a_guest_may_leave_at_every_point(void **state)
{
	(void)state;
	for (enum fake_style style = FAKE_UML; style <= FAKE_QEMU; style++) {
		for (int step = 0;; step++) {
			unsigned fds = fds_open();
			bool whole;

			port_create(&bad, &rig, "bad:eth0");
			port_connect(&bad, (struct fake_options){ 0 });
			bad.guest->messages_left = step;
			whole = fake_handshake(bad.guest, style) == 0;
			fake_guest_close(bad.guest);
			bad.guest = NULL;
			rig_turn(&rig, 4);
			assert_int_equal(bad.deaths, 1);
			assert_false(bad.broken);
			assert_string_equal(bad.why, "bad:eth0: the guest went away");
			good_ports_still_talk();
			port_destroy(&bad);
			assert_int_equal(fds_open(), fds);
			if (whole)
				break;
			assert_true(step < 100);
		}
	}
}

static void a_guest_may_leave_in_the_middle_of_a_message(void **state)
{
	const struct vhost_header header = { VHOST_SET_FEATURES, VHOST_VERSION, 8 };

	(void)state;
	for (size_t bytes = 1; bytes <= sizeof(header); bytes++) {
		port_create(&bad, &rig, "bad:eth0");
		port_connect(&bad, (struct fake_options){ 0 });
		assert_int_equal(send(bad.guest->fd, &header, bytes, 0), bytes);
		rig_turn(&rig, 2);
		assert_int_equal(bad.deaths, 0);
		fake_guest_close(bad.guest);
		bad.guest = NULL;
		rig_turn(&rig, 2);
		assert_int_equal(bad.deaths, 1);
		assert_string_equal(bad.why, "bad:eth0: the guest went away in the middle of "
					     "a message");
		port_destroy(&bad);
	}
}

static void a_message_may_come_byte_by_byte(void **state)
{
	struct vhost_header header = { VHOST_GET_FEATURES, VHOST_VERSION, 0 };
	struct vhost_message reply;

	(void)state;
	port_create(&bad, &rig, "bad:eth0");
	port_connect(&bad, (struct fake_options){ 0 });
	for (size_t i = 0; i < sizeof(header); i++) {
		assert_int_equal(send(bad.guest->fd, (char *)&header + i, 1, 0), 1);
		rig_turn(&rig, 1);
	}
	assert_int_equal(fake_receive(bad.guest, &reply), 1);
	assert_int_equal(reply.header.request, VHOST_GET_FEATURES);
	port_destroy(&bad);
}

static void descriptors_of_an_unfinished_message_are_closed(void **state)
{
	unsigned fds;

	(void)state;
	fds = fds_open();
	port_create(&bad, &rig, "bad:eth0");
	port_connect(&bad, (struct fake_options){ 0 });
	g = bad.guest;
	/* The header promises 8 bytes that do not come. */
	fake_send(g, VHOST_SET_VRING_KICK, 0, NULL, 0, NULL, 0);
	port_destroy(&bad);
	port_create(&bad, &rig, "bad:eth0");
	port_connect(&bad, (struct fake_options){ 0 });
	g = bad.guest;
	{
		struct vhost_header header = { VHOST_SET_VRING_KICK, VHOST_VERSION, 8 };
		union {
			char bytes[CMSG_SPACE(4)];
			struct cmsghdr align;
		} control;
		struct iovec part = { &header, sizeof(header) };
		struct msghdr msg = { .msg_iov = &part,
				      .msg_iovlen = 1,
				      .msg_control = &control,
				      .msg_controllen = sizeof(control) };

		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4),
							 .cmsg_level = SOL_SOCKET,
							 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &g->region_fds[0], 4);
		assert_int_equal(sendmsg(g->fd, &msg, 0), sizeof(header));
	}
	rig_turn(&rig, 2);
	assert_int_equal(bad.deaths, 0);
	port_destroy(&bad);
	assert_int_equal(fds_open(), fds);
}

static void a_guest_that_floods_and_reads_nothing_is_given_up(void **state)
{
	(void)state;
	port_create(&bad, &rig, "bad:eth0");
	port_connect(&bad, (struct fake_options){ 0 });
	for (int i = 0; i < 100000 && !bad.deaths; i++) {
		fake_send(bad.guest, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0);
		if (i % 8 == 0)
			rig_turn(&rig, 1);
	}
	assert_int_equal(bad.deaths, 1);
	assert_non_null(strstr(bad.why, "does not read our replies"));
	good_ports_still_talk();
	port_destroy(&bad);
}

static void messages_beyond_a_turns_share_wait(void **state)
{
	struct vhost_message reply;

	(void)state;
	port_create(&bad, &rig, "bad:eth0");
	port_connect(&bad, (struct fake_options){ 0 });
	rig_turn(&rig, 1);
	for (int i = 0; i < 40; i++)
		fake_send(bad.guest, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0);
	rig_turn(&rig, 1);
	bad.guest->options.pump = NULL;
	for (int i = 0; i < 16; i++)
		assert_int_equal(fake_receive(bad.guest, &reply), 1);
	assert_true(recv(bad.guest->fd, &reply, 1, MSG_DONTWAIT) < 0);
	port_destroy(&bad);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(each_kind_of_rubbish_kills_its_own_port_only),
		T(a_guest_may_leave_at_every_point),
		T(a_guest_may_leave_in_the_middle_of_a_message),
		T(a_message_may_come_byte_by_byte),
		T(descriptors_of_an_unfinished_message_are_closed),
		T(a_guest_that_floods_and_reads_nothing_is_given_up),
		T(messages_beyond_a_turns_share_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
