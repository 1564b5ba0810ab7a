/* SPDX-License-Identifier: MIT */
/* Rubbish over the socket: whatever a guest says costs it its own port, with the
 * reason, and nothing else. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/rubbish.h"

/* ---- what can be sent over the socket ---- */

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

static void call_that_is_a_file(void)
{
	uint64_t index = 0;
	int fd = memfd_create("not a pipe", MFD_CLOEXEC);

	fake_send(g, VHOST_SET_VRING_CALL, 0, &index, 8, &fd, 1);
	close(fd);
}

static void slave_channel_that_is_a_file(void)
{
	int fd = memfd_create("not a pipe", MFD_CLOEXEC);

	fake_send(g, VHOST_SET_SLAVE_REQ_FD, 0, NULL, 0, &fd, 1);
	close(fd);
}

static void slave_channel_that_is_an_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	fake_send(g, VHOST_SET_SLAVE_REQ_FD, 0, NULL, 0, &fd, 1);
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
	struct vhost_region r = fine_region();

	say_table(UINT32_MAX, &r, 1, g->region_fds, 1);
}

static void table_shorter_than_it_says(void)
{
	struct vhost_region r = fine_region();
	int fds[2] = { g->region_fds[0], g->region_fds[0] };

	say_table(2, &r, 1, fds, 2);
}

static void table_without_descriptors(void)
{
	struct vhost_region r = fine_region();

	say_table(1, &r, 1, NULL, 0);
}

static void table_with_too_many_descriptors(void)
{
	struct vhost_region r = fine_region();
	int fds[2] = { g->region_fds[0], g->region_fds[0] };

	say_table(1, &r, 1, fds, 2);
}

static void region_of_no_bytes(void)
{
	struct vhost_region r = fine_region();

	r.size = 0;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void region_that_wraps(void)
{
	struct vhost_region r = fine_region();

	r.physical = UINT64_MAX - 4095;
	r.size = 8192;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void region_whose_offset_wraps(void)
{
	struct vhost_region r = fine_region();

	r.offset = UINT64_MAX - 4095;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void region_larger_than_its_file(void)
{
	struct vhost_region r = fine_region();

	r.size = g->region_bytes + 4096;
	say_table(1, &r, 1, g->region_fds, 1);
}

static void regions_that_overlap(void)
{
	struct vhost_region r[2] = { fine_region(), fine_region() };
	int fds[2] = { g->region_fds[0], g->region_fds[0] };

	r[1].physical += 2048;
	r[1].virtual += 1 << 20;
	say_table(2, r, 2, fds, 2);
}

static void region_that_is_a_pipe(void)
{
	struct vhost_region r = fine_region();
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	say_table(1, &r, 1, fds, 1);
	close(fds[0]);
	close(fds[1]);
}

static void region_that_cannot_be_written(void)
{
	struct vhost_region r = fine_region();
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

static const struct rubbish rubbish[] = {
	RUBBISH(unknown_request, AT_ONCE, "bad:eth0: request 99 is unknown"),
	RUBBISH(request_zero, AT_ONCE, "request 0 is unknown"),
	RUBBISH(request_of_a_feature_not_offered, AT_ONCE,
		"request 6 is unknown or belongs"),
	RUBBISH(request_huge, AT_ONCE, "request 4294967295 is unknown"),
	RUBBISH(wrong_version, AT_ONCE, "request 3 has flags 0x3, not a request's"),
	RUBBISH(reply_as_request, AT_ONCE, "request 3 has flags 0x5, not a request's"),
	RUBBISH(payload_of_4_gigabytes, AT_ONCE,
		"request 2 has 4294967295 bytes; the most is 268"),
	RUBBISH(payload_too_short, AT_ONCE, "SET_FEATURES with 4 bytes; expected 8 to 8"),
	RUBBISH(payload_too_long, AT_ONCE,
		"SET_VRING_NUM with 16 bytes; expected 8 to 8"),
	RUBBISH(descriptors_with_a_request_that_takes_none, AT_ONCE,
		"SET_FEATURES with 1 descriptors; expected 0 to 0"),
	RUBBISH(more_descriptors_than_a_message_has, AT_ONCE,
		"a message with more than 8 desc"),
	RUBBISH(sixteen_descriptors, AT_ONCE, "a message with more than 8 descriptors"),
	RUBBISH(two_kick_descriptors, AT_ONCE, "SET_VRING_KICK with 2 descriptors"),
	RUBBISH(no_kick_descriptor, AT_ONCE,
		"SET_VRING_KICK: receive ring: 0 descriptors; expec"),
	RUBBISH(kick_by_polling, AT_ONCE,
		"receive ring: no kick descriptor, but polling is not"),
	RUBBISH(no_descriptor_and_one_after_all, AT_ONCE, "1 descriptors; expected none"),
	RUBBISH(kick_that_cannot_be_watched, AT_ONCE,
		"SET_VRING_KICK: receive ring: its kick desc"),
	RUBBISH(call_that_is_a_file, AT_ONCE,
		"SET_VRING_CALL: receive ring: its descriptor is no pipe, no Unix"),
	RUBBISH(slave_channel_that_is_a_file, AT_ONCE,
		"SET_SLAVE_REQ_FD: its descriptor is no pipe, no Unix socket"),
	RUBBISH(slave_channel_that_is_an_eventfd, AT_ONCE,
		"SET_SLAVE_REQ_FD: an eventfd, which carries no messages"),
	RUBBISH(slave_channel_without_descriptor, AT_ONCE,
		"SET_SLAVE_REQ_FD with 0 descriptors"),
	RUBBISH(ring_index_out_of_range, AT_ONCE,
		"SET_VRING_NUM: ring 2, but the device has 2"),
	RUBBISH(ring_index_huge, AT_ONCE,
		"SET_VRING_ENABLE: ring 4294967295, but the device has"),
	RUBBISH(ring_index_in_call_out_of_range, AT_ONCE,
		"SET_VRING_CALL: ring 200, but the dev"),
	RUBBISH(ring_index_with_unknown_bits, AT_ONCE,
		"SET_VRING_CALL: 0x1000 is not a ring's"),
	RUBBISH(ring_size_zero, AT_ONCE,
		"receive ring: its size 0 is not a power of two"),
	RUBBISH(ring_size_no_power_of_two, AT_ONCE,
		"receive ring: its size 255 is not a power"),
	RUBBISH(ring_size_too_large, AT_ONCE,
		"its size 65536 is not a power of two from 1 to 32768"),
	RUBBISH(ring_base_too_large, AT_ONCE,
		"receive ring: index 65536 does not fit 16 bits"),
	RUBBISH(enable_is_neither, AT_ONCE, "receive ring: enable is 2, neither 0 nor 1"),
	RUBBISH(features_not_offered, AT_ONCE,
		"SET_FEATURES: feature bits 0x1 were not offered"),
	RUBBISH(protocol_features_not_offered, AT_ONCE,
		"protocol feature bits 0x1 were not offer"),
	RUBBISH(configuration_beyond_its_end, AT_ONCE,
		"GET_CONFIG: 7 bytes at offset 250"),
	RUBBISH(configuration_offset_that_wraps, AT_ONCE, "2 bytes at offset 4294967295"),
	RUBBISH(configuration_size_that_lies, AT_ONCE,
		"200 bytes at offset 0 in a message of 16"),
	RUBBISH(logging_that_was_not_offered, AT_ONCE,
		"receive ring: logging was not offered"),
	RUBBISH(start_without_size_and_place, NEGOTIATED,
		   "SET_VRING_ENABLE: receive ring: started before it had a size"),
	RUBBISH(table_of_no_regions, AT_ONCE, "SET_MEM_TABLE: 0 regions in 8 bytes"),
	RUBBISH(table_of_nine_regions, AT_ONCE,
		"9 regions in 264 bytes with 0 descriptors"),
	RUBBISH(table_of_four_billion_regions, AT_ONCE, "4294967295 regions in 40 bytes"),
	RUBBISH(table_shorter_than_it_says, AT_ONCE,
		"2 regions in 40 bytes with 2 descriptors"),
	RUBBISH(table_without_descriptors, AT_ONCE,
		"1 regions in 40 bytes with 0 descriptors"),
	RUBBISH(table_with_too_many_descriptors, AT_ONCE,
		"1 regions in 40 bytes with 2 descript"),
	RUBBISH(region_of_no_bytes, AT_ONCE,
		"memory region 0 (address 0x1000, 0 bytes) is empty"),
	RUBBISH(region_that_wraps, AT_ONCE,
		"memory region 0 (address 0xfffffffffffff000, 8192"),
	RUBBISH(region_whose_offset_wraps, AT_ONCE,
		"too few for a region of 4096 bytes at offset"),
	RUBBISH(region_larger_than_its_file, AT_ONCE,
		"memory region 0: its memory file has"),
	RUBBISH(regions_that_overlap, AT_ONCE, "memory regions 0 and 1 overlap"),
	RUBBISH(region_that_is_a_pipe, AT_ONCE,
		"memory region 0: its memory is not a regular file"),
	RUBBISH(region_that_cannot_be_written, AT_ONCE,
		"memory region 0: mapping 4096 bytes"),
	RUBBISH(ring_outside_memory, NEGOTIATED,
		"receive ring: its descriptor table (address 0x1000, "
					"4096 bytes) lies outside the machine's memory"),
	RUBBISH(ring_whose_end_is_outside, NEGOTIATED, "its descriptor table (address"),
	RUBBISH(used_ring_whose_end_is_outside, NEGOTIATED, "its used ring (address"),
	RUBBISH(ring_at_the_end_of_addresses, NEGOTIATED,
		"its descriptor table (address 0xffff"),
	RUBBISH(ring_not_aligned, NEGOTIATED, "is not aligned to 16"),
	RUBBISH(available_ring_at_an_odd_address, NEGOTIATED, "its available ring"),
	RUBBISH(ring_in_physical_addresses, NEGOTIATED,
		"lies outside the machine's memory"),
};

static void each_kind_of_rubbish_kills_its_own_port_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++)
		rubbish_check(&rubbish[i]);
}

static void a_guest_may_leave_at_every_point(void **state)
{
	(void)state;
	for (enum fake_style style = FAKE_UML; style <= FAKE_QEMU; style++) {
		for (int step = 0;; step++) {
			unsigned fds = fds_open();
			bool whole;

			bad_connect((struct fake_options){ 0 });
			bad.guest->messages_left = step;
			whole = fake_handshake(bad.guest, style) == 0;
			fake_guest_close(bad.guest);
			bad.guest = NULL;
			turns(4);
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
		bad_connect((struct fake_options){ 0 });
		assert_int_equal(send(bad.guest->fd, &header, bytes, 0), bytes);
		turns(2);
		assert_int_equal(bad.deaths, 0);
		fake_guest_close(bad.guest);
		bad.guest = NULL;
		turns(2);
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
	bad_connect((struct fake_options){ 0 });
	for (size_t i = 0; i < sizeof(header); i++) {
		assert_int_equal(send(bad.guest->fd, (char *)&header + i, 1, 0), 1);
		turns(1);
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
	bad_connect((struct fake_options){ 0 });
	/* The header promises 8 bytes that do not come. */
	fake_send(g, VHOST_SET_VRING_KICK, 0, NULL, 0, NULL, 0);
	port_destroy(&bad);
	bad_connect((struct fake_options){ 0 });
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
	turns(2);
	assert_int_equal(bad.deaths, 0);
	port_destroy(&bad);
	assert_int_equal(fds_open(), fds);
}

static void a_guest_that_floods_and_reads_nothing_is_given_up(void **state)
{
	(void)state;
	bad_connect((struct fake_options){ 0 });
	for (int i = 0; i < 100000 && !bad.deaths; i++) {
		fake_send(bad.guest, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0);
		if (i % 8 == 0)
			turns(1);
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
	bad_connect((struct fake_options){ 0 });
	turns(1);
	for (int i = 0; i < 40; i++)
		fake_send(bad.guest, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0);
	turns(1);
	bad.guest->options.pump = NULL;
	for (int i = 0; i < 16; i++)
		assert_int_equal(fake_receive(bad.guest, &reply), 1);
	assert_true(recv(bad.guest->fd, &reply, 1, MSG_DONTWAIT) < 0);
	port_destroy(&bad);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rubbish_begin, rubbish_end)
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
