/* SPDX-License-Identifier: MIT */
/* What a network card promises to an honest guest and to the switch. */
#include <errno.h>
#include <linux/virtio_net.h>
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
#include "vhost/vhost_user.h"

enum { RX, TX };

static struct rig rig;
static struct port a, b;

static int begin(void **state)
{
	(void)state;
	rig_begin(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	port_destroy(&a);
	port_destroy(&b);
	rig_end(&rig);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	return 0;
}

/* A fresh rig, in a test that needs several. */
static void again(void **state)
{
	end(state);
	begin(state);
}

static void fill(uint8_t *frame, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		frame[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

/* Send a frame from a's guest; it must arrive at b's as it was. */
static void pass_frame(size_t size, uint32_t part_bytes)
{
	uint8_t sent[VNET_FRAME_BYTES_MAX], got[VNET_FRAME_BYTES_MAX];
	unsigned before = a.frames;

	fill(sent, size, (unsigned)size);
	assert_true(fake_net_send(a.guest, sent, size, part_bytes));
	fake_kick_if_wanted(a.guest, TX);
	rig_turn(&rig, 2);
	assert_int_equal(a.frames, before + 1);
	assert_int_equal(fake_net_receive(b.guest, got, sizeof(got)), size);
	assert_memory_equal(sent, got, size);
}

static void two_ports(enum fake_style style, struct fake_options options)
{
	port_create(&a, &rig, "n1:eth0");
	port_create(&b, &rig, "n2:eth0");
	port_boot(&a, style, options);
	port_boot(&b, style, options);
	a.to = &b;
	b.to = &a;
}

static void a_uml_guest_comes_up_and_reads_its_configuration(void **state)
{
	struct virtio_net_config space;

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_boot(&a, FAKE_UML, (struct fake_options){ 0 });
	assert_int_equal(fake_get_config(a.guest, 0, &space, sizeof(space)), 0);
	assert_memory_equal(space.mac, ((uint8_t[]){ 2, 0, 0, 0, 0, 1 }), 6);
	assert_int_equal(space.mtu, 9000);
	assert_int_equal(space.status, VIRTIO_NET_S_LINK_UP);
	/* The part Linux asks for when it wants the MTU alone. */
	assert_int_equal(fake_get_config(a.guest, 10, &space.mtu, 2), 0);
	assert_int_equal(space.mtu, 9000);
}

static void offloads_are_not_offered(void **state)
{
	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_boot(&a, FAKE_UML, (struct fake_options){ 0 });
	assert_int_equal(a.guest->offered,
			 VHOST_FEATURE(VIRTIO_NET_F_MTU) | VHOST_FEATURE(VIRTIO_NET_F_MAC) |
				 VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |
				 VHOST_FEATURE(VIRTIO_NET_F_STATUS) |
				 VHOST_FEATURE(VIRTIO_NET_F_SPEED_DUPLEX) |
				 VHOST_FEATURE(VRING_F_INDIRECT_DESC) |
				 VHOST_FEATURE(VRING_F_EVENT_IDX) |
				 VHOST_FEATURE(VHOST_F_PROTOCOL_FEATURES) |
				 VHOST_FEATURE(VHOST_F_VERSION_1));
}

static void only_one_guest_gets_in(void **state)
{
	struct fake_options options = { .rings = 2 };
	struct fake_guest *second = NULL;

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_boot(&a, FAKE_UML, options);
	assert_int_equal(fake_guest_open(&second, a.path, &options), -ENOENT);
	assert_null(second);
}

static void a_socket_path_in_use_is_not_taken_away(void **state)
{
	struct vnet_config config = { .name = "n2:eth0", .path = a.path, .mtu_bytes = 1500 };
	static const struct vnet_ops none;
	struct vnet *vnet = NULL;
	struct why why = { .text = "" };

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	assert_int_equal(vnet_create(&vnet, rig.loop, &config, &none, NULL, &why),
			 -EADDRINUSE);
	assert_non_null(strstr(why.text, "n2:eth0: socket /tmp/"));
	port_boot(&a, FAKE_UML, (struct fake_options){ 0 });
}

static void a_path_that_is_too_long_is_an_error(void **state)
{
	char path[200];
	struct vnet_config config = { .name = "n1:eth0", .path = path, .mtu_bytes = 1500 };
	static const struct vnet_ops none;
	struct vnet *vnet = NULL;
	struct why why = { .text = "" };

	(void)state;
	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	assert_int_equal(vnet_create(&vnet, rig.loop, &config, &none, NULL, &why),
			 -ENAMETOOLONG);
	assert_non_null(strstr(why.text, "has 108 bytes; the most is 107"));
}

static void frames_pass_both_ways(void **state)
{
	static const size_t sizes[] = { 14, 60, 64, 576, 1514, 1518 };
	uint8_t sent[1514], got[1514];

	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	port_post(&a, 64, 2048);
	port_post(&b, 64, 2048);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		pass_frame(sizes[i], 0);
	fill(sent, sizeof(sent), 3);
	assert_true(fake_net_send(b.guest, sent, sizeof(sent), 0));
	fake_kick_if_wanted(b.guest, TX);
	rig_turn(&rig, 2);
	assert_int_equal(fake_net_receive(a.guest, got, sizeof(got)), sizeof(sent));
	assert_memory_equal(sent, got, sizeof(sent));
	assert_int_equal(vnet_count(a.vnet)->from_guest, ARRAY_SIZE(sizes));
	assert_int_equal(vnet_count(b.vnet)->to_guest, ARRAY_SIZE(sizes));
	assert_int_equal(vnet_count(b.vnet)->from_guest_bytes, sizeof(sent));
}

static void frames_in_pieces_are_put_together(void **state)
{
	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	port_post(&b, 64, 2048);
	pass_frame(700, 12); /* header alone, then crumbs */
	pass_frame(1514, 1000);
	pass_frame(100, 5); /* the header itself in pieces */
	pass_frame(60, 2);
}

static void indirect_tables_are_followed(void **state)
{
	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ .indirect = true });
	port_post(&b, 64, 2048);
	pass_frame(1514, 0);
	pass_frame(1514, 200);
	pass_frame(1000, 40);
}

static void an_old_driver_has_the_short_header(void **state)
{
	struct fake_options options = { .decline = VHOST_FEATURE(VHOST_F_VERSION_1) |
						   VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |
						   VHOST_FEATURE(VRING_F_EVENT_IDX) };

	(void)state;
	two_ports(FAKE_UML, options);
	assert_int_equal(fake_net_header_bytes(a.guest), 10);
	port_post(&b, 4, 2048);
	pass_frame(1514, 0);
	pass_frame(60, 10);
}

static void a_qemu_guest_with_several_regions_moves_its_memory_table(void **state)
{
	(void)state;
	two_ports(FAKE_QEMU, (struct fake_options){ .regions = 3, .ring_size = 1024 });
	port_post(&b, 1000, 2048);
	pass_frame(1514, 0);
	/* A machine that gets memory while it runs says everything again. */
	assert_int_equal(fake_set_memory(a.guest), 0);
	assert_int_equal(fake_set_memory(b.guest), 0);
	for (int i = 0; i < 900; i++)
		pass_frame(1000 + (size_t)i % 500, i % 3 ? 0 : 700);
}

static void a_ring_of_the_largest_size_works(void **state)
{
	(void)state;
	two_ports(FAKE_QEMU, (struct fake_options){ .ring_size = 32768, .slot_bytes = 256 });
	port_post(&b, 32768, 256);
	pass_frame(200, 0);
	pass_frame(1500, 250);
}

static void a_jumbo_frame_fills_many_small_buffers(void **state)
{
	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	port_post(&b, 256, 256);
	pass_frame(9014, 1000);
	port_post(&b, 36, 256);
	pass_frame(9014, 1000);
}

static void a_jumbo_frame_fills_buffers_of_many_parts(void **state)
{
	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	/* Parts of 7 bytes: the header, and its count, lie across them. */
	for (int i = 0; i < 28; i++)
		assert_true(fake_post(b.guest, RX, 9, 7) >= 0);
	fake_kick(b.guest, RX);
	pass_frame(1500, 0);
	pass_frame(200, 0);
}

static void a_frame_larger_than_a_plain_buffer_is_dropped_and_counted(void **state)
{
	struct fake_options options = { .decline = VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF) };
	uint8_t frame[9000] = { 0 };

	(void)state;
	two_ports(FAKE_UML, options);
	port_post(&b, 4, 2048);
	assert_int_equal(vnet_send(b.vnet, frame, sizeof(frame)), 0);
	assert_int_equal(vnet_count(b.vnet)->too_large, 1);
	assert_int_equal(vnet_count(b.vnet)->to_guest, 0);
	for (int i = 0; i < 4; i++) /* no buffer was lost */
		pass_frame(1514, 0);
	assert_int_equal(b.deaths, 0);
}

static void no_frame_before_up_or_after_down(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	assert_int_equal(vnet_send(a.vnet, frame, sizeof(frame)), -ENOTCONN);
	vnet_flush(a.vnet);
	port_boot(&a, FAKE_UML, (struct fake_options){ 0 });
	assert_int_equal(vnet_send(a.vnet, frame, sizeof(frame)), -EAGAIN);
	fake_guest_close(a.guest);
	a.guest = NULL;
	rig_turn(&rig, 2);
	assert_int_equal(vnet_send(a.vnet, frame, sizeof(frame)), -ENOTCONN);
	assert_int_equal(a.deaths, 1);
	assert_false(a.broken);
	assert_string_equal(a.why, "n1:eth0: the guest went away");
}

static void a_driver_that_comes_back_comes_up_again(void **state)
{
	uint8_t frame[60] = { 0 };

	for (enum fake_style style = FAKE_UML; style <= FAKE_QEMU; style++) {
		again(state);
		two_ports(style, (struct fake_options){ 0 });
		port_post(&b, 8, 2048);
		pass_frame(100, 0);
		assert_int_equal(fake_stop_rings(b.guest), 0);
		assert_int_equal(vnet_send(b.vnet, frame, sizeof(frame)), -ENOTCONN);
		assert_int_equal(fake_set_memory(b.guest), 0);
		assert_int_equal(fake_start_rings(b.guest), 0);
		rig_turn(&rig, 4);
		assert_int_equal(b.ups, 2);
		if (style == FAKE_UML)
			port_post(&b, 7, 2048);
		for (int i = 0; i < 7; i++) /* QEMU: those it had posted before */
			pass_frame(100, 0);
		assert_int_equal(b.deaths, 0);
	}
}

static void frames_that_were_there_before_the_ring_started_are_served(void **state)
{
	uint8_t frame[60] = { 1 };

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_connect(&a, (struct fake_options){ 0 });
	assert_true(fake_net_send(a.guest, frame, sizeof(frame), 0)); /* and no kick */
	assert_int_equal(fake_handshake(a.guest, FAKE_UML), 0);
	rig_turn(&rig, 2);
	assert_int_equal(a.frames, 1);
}

static void indices_wrap(void **state)
{
	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ .ring_size = 4 });
	for (int i = 0; i < 70000; i++) {
		port_post(&b, 1, 256);
		pass_frame(60, 0);
	}
	assert_int_equal(b.frames + b.deaths + a.deaths, 0);
}

static void a_burst_is_one_batch_and_one_signal(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	port_post(&b, 200, 2048);
	fake_signals(b.guest, RX);
	for (int i = 0; i < 100; i++)
		fake_net_send(a.guest, frame, sizeof(frame), 0);
	assert_int_equal(fake_signals(b.guest, RX), 0);
	fake_kick(a.guest, TX);
	rig_turn(&rig, 2);
	assert_int_equal(a.frames, 100);
	assert_int_equal(a.batch_ends, 1);
	assert_int_equal(fake_signals(b.guest, RX), 1);
}

static void a_turn_serves_256_frames_and_the_next_the_rest(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_boot(&a, FAKE_UML, (struct fake_options){ .ring_size = 1024 });
	for (int i = 0; i < 600; i++)
		fake_net_send(a.guest, frame, sizeof(frame), 0);
	fake_kick(a.guest, TX);
	assert_int_equal(loop_turn(rig.loop, 0), 1);
	/* The kick's batch; the deferred one runs at the end of that turn. */
	assert_int_equal(a.frames, 512);
	rig_turn(&rig, 1);
	assert_int_equal(a.frames, 600);
	assert_int_equal(a.batch_ends, 3);
}

/* Each to a hundred machines. */
static void a_turn_serves_fewer_frames_that_lead_to_many(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_boot(&a, FAKE_UML, (struct fake_options){ .ring_size = 1024 });
	a.handed = 100;
	for (int i = 0; i < 10; i++)
		fake_net_send(a.guest, frame, sizeof(frame), 0);
	fake_kick(a.guest, TX);
	assert_int_equal(loop_turn(rig.loop, 0), 1);
	assert_int_equal(a.frames, 4); /* the kick's batch and the deferred one */
	rig_turn(&rig, 1);
	assert_int_equal(a.frames, 6);
	rig_turn(&rig, 2);
	assert_int_equal(a.frames, 10);
}

static void refill(struct port *port)
{
	fake_net_send(port->guest, port->frame, port->frame_size, 0);
}

static void a_flooding_guest_does_not_starve_another(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	a.to = b.to = NULL;
	a.on_frame = refill; /* its ring never runs dry */
	for (int i = 0; i < 10; i++)
		fake_net_send(a.guest, frame, sizeof(frame), 0);
	fake_kick(a.guest, TX);
	rig_turn(&rig, 3);
	fake_net_send(b.guest, frame, sizeof(frame), 0);
	fake_kick(b.guest, TX);
	for (int i = 0; i < 50; i++) {
		fake_kick(a.guest, TX);
		fake_send(a.guest, VHOST_SET_OWNER, 0, NULL, 0, NULL, 0);
	}
	rig_turn(&rig, 1);
	assert_int_equal(b.frames, 1);
	assert_true(a.frames >= 256 && a.frames <= 5 * 512);
	a.on_frame = NULL;
}

static void no_signal_where_the_flag_forbids_it(void **state)
{
	struct fake_options options = { .decline = VHOST_FEATURE(VRING_F_EVENT_IDX) };

	(void)state;
	two_ports(FAKE_UML, options);
	port_post(&b, 8, 2048);
	pass_frame(60, 0);
	assert_int_equal(fake_signals(b.guest, RX), 1);
	assert_int_equal(fake_signals(a.guest, TX), 1);
	*fake_avail_flags(b.guest, RX) = 1;
	*fake_avail_flags(a.guest, TX) = 1;
	pass_frame(60, 0);
	pass_frame(60, 0);
	assert_int_equal(fake_signals(b.guest, RX), 0);
	assert_int_equal(fake_signals(a.guest, TX), 0);
	*fake_avail_flags(b.guest, RX) = 0;
	pass_frame(60, 0);
	assert_int_equal(fake_signals(b.guest, RX), 1);
}

static void a_signal_comes_at_the_event_index_and_not_before(void **state)
{
	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	port_post(&b, 32, 2048);
	pass_frame(60, 0); /* the first one always signals */
	assert_int_equal(fake_signals(b.guest, RX), 1);
	*fake_used_event(b.guest, RX) = 4; /* when the fifth is used */
	pass_frame(60, 0);
	pass_frame(60, 0);
	pass_frame(60, 0);
	assert_int_equal(fake_signals(b.guest, RX), 0);
	pass_frame(60, 0);
	assert_int_equal(fake_signals(b.guest, RX), 1);
	pass_frame(60, 0);
	assert_int_equal(fake_signals(b.guest, RX), 0);
}

static void fill_up(struct port *port, unsigned buffers, unsigned bytes)
{
	uint8_t frame[2048];

	for (unsigned i = 0; i < buffers; i++) {
		fill(frame, bytes, i);
		assert_int_equal(vnet_send(port->vnet, frame, bytes), 0);
	}
	assert_int_equal(vnet_send(port->vnet, frame, bytes), -EAGAIN);
}

static void a_full_ring_becomes_writable(void **state)
{
	struct fake_options plain = { .decline = VHOST_FEATURE(VRING_F_EVENT_IDX) };
	struct fake_options options[] = { { 0 }, plain };
	uint8_t want[100], got[100];

	for (size_t k = 0; k < ARRAY_SIZE(options); k++) {
		again(state);
		port_create(&b, &rig, "n2:eth0");
		port_boot(&b, FAKE_UML, options[k]);
		port_post(&b, 256, 2048);
		rig_turn(&rig, 2); /* its kick is old news */
		fill_up(&b, 256, 100);
		rig_turn(&rig, 2);
		assert_int_equal(b.writables, 0);
		/* What it has was published, or it could make no room. */
		for (unsigned i = 0; i < 256; i++) {
			fill(want, 100, i);
			assert_int_equal(fake_net_receive(b.guest, got, 100), 100);
			assert_memory_equal(want, got, 100);
		}
		assert_int_equal(fake_signals(b.guest, RX), 1);
		port_post(&b, 1, 2048);
		rig_turn(&rig, 2);
		assert_int_equal(b.writables, 1);
		assert_int_equal(vnet_send(b.vnet, want, 100), 0);
		assert_int_equal(vnet_send(b.vnet, want, 100), -EAGAIN);
		vnet_flush(b.vnet);
		port_post(&b, 1, 2048);
		rig_turn(&rig, 2);
		assert_int_equal(b.writables, 2);
	}
}

static void a_jumbo_frame_waits_until_enough_buffers_are_there(void **state)
{
	uint8_t frame[9014], got[9014];

	(void)state;
	fill(frame, sizeof(frame), 9);
	port_create(&b, &rig, "n2:eth0");
	port_boot(&b, FAKE_UML, (struct fake_options){ 0 });
	port_post(&b, 4, 2048);
	assert_int_equal(vnet_send(b.vnet, frame, sizeof(frame)), -EAGAIN);
	port_post(&b, 1, 2048);
	rig_turn(&rig, 2);
	assert_int_equal(b.writables, 1);
	assert_int_equal(vnet_send(b.vnet, frame, sizeof(frame)), 0);
	vnet_flush(b.vnet);
	assert_int_equal(fake_net_receive(b.guest, got, sizeof(got)), sizeof(frame));
	assert_memory_equal(frame, got, sizeof(frame));
}

static void the_guest_is_told_when_the_cable_is_pulled(void **state)
{
	struct virtio_net_config space;
	struct vhost_header header;

	for (enum fake_style style = FAKE_UML; style <= FAKE_QEMU; style++) {
		again(state);
		port_create(&a, &rig, "n1:eth0");
		port_boot(&a, style, (struct fake_options){ 0 });
		vnet_set_carrier(a.vnet, true); /* as it was: no news */
		assert_int_equal(fake_slave_message(a.guest, &header), 0);
		vnet_set_carrier(a.vnet, false);
		assert_int_equal(fake_slave_message(a.guest, &header), 1);
		assert_int_equal(header.request, VHOST_SLAVE_CONFIG_CHANGE);
		assert_int_equal(header.flags, VHOST_VERSION);
		assert_int_equal(header.size, 0);
		fake_get_config(a.guest, 0, &space, sizeof(space));
		assert_int_equal(space.status, 0);
		vnet_set_carrier(a.vnet, true);
		assert_int_equal(fake_slave_message(a.guest, &header), 1);
		fake_get_config(a.guest, 0, &space, sizeof(space));
		assert_int_equal(space.status, VIRTIO_NET_S_LINK_UP);
	}
}

static void a_guest_that_never_listens_does_not_stop_us(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	/* More than both pipes hold: 64 kB each. */
	for (int i = 0; i < 20000; i++)
		vnet_set_carrier(b.vnet, i & 1);
	for (int i = 0; i < 20000; i++) {
		port_post(&b, 1, 256);
		*fake_used_event(b.guest, RX) = b.guest->ring[RX].used_seen;
		assert_int_equal(vnet_send(b.vnet, frame, sizeof(frame)), 0);
		vnet_flush(b.vnet);
		assert_true(fake_get(b.guest, RX, NULL, 0, NULL) >= 0);
	}
	assert_int_equal(b.deaths, 0);
}

static void the_cable_can_be_out_before_the_guest_is_there(void **state)
{
	struct virtio_net_config space;

	(void)state;
	port_create(&a, &rig, "n1:eth0");
	vnet_set_carrier(a.vnet, false);
	port_boot(&a, FAKE_UML, (struct fake_options){ 0 });
	fake_get_config(a.guest, 0, &space, sizeof(space));
	assert_int_equal(space.status, 0);
}

/* fake memory begins at 0x2000000; what is below is the kernel image. */
static void a_frame_in_the_kernel_image_is_dropped_and_counted(void **state)
{
	struct fake_desc hidden = { 0x100000, 100, 0, 0 };
	struct fake_desc header = { 0, 12, FAKE_NEXT, 9 };

	(void)state;
	two_ports(FAKE_UML, (struct fake_options){ 0 });
	port_post(&b, 4, 2048);
	fake_desc_set(a.guest, TX, 9, hidden);
	fake_avail_push(a.guest, TX, 9);
	header.address = fake_physical(a.guest, fake_slot(a.guest, TX, 8));
	fake_desc_set(a.guest, TX, 8, header);
	fake_avail_push(a.guest, TX, 8);
	fake_kick(a.guest, TX);
	rig_turn(&rig, 2);
	assert_int_equal(a.frames, 0);
	assert_int_equal(vnet_count(a.vnet)->hidden, 2);
	assert_int_equal(a.deaths, 0);
	a.guest->ring[TX].used_seen += 2; /* both came back */
	pass_frame(60, 0);
}

static void a_port_can_be_destroyed_in_its_death(void **state)
{
	(void)state;
	port_create(&a, &rig, "n1:eth0");
	port_boot(&a, FAKE_UML, (struct fake_options){ 0 });
	a.destroy_in_dead = true;
	fake_send(a.guest, 77, 0, NULL, 0, NULL, 0);
	rig_turn(&rig, 2);
	assert_int_equal(a.deaths, 1);
	assert_null(a.vnet);
}

static void a_port_can_be_destroyed_at_every_step_of_the_handshake(void **state)
{
	for (int step = 0; step < 25; step++) {
		again(state);
		port_create(&a, &rig, "n1:eth0");
		port_connect(&a, (struct fake_options){ 0 });
		a.guest->messages_left = step;
		fake_handshake(a.guest, FAKE_UML);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_uml_guest_comes_up_and_reads_its_configuration),
		T(offloads_are_not_offered),
		T(only_one_guest_gets_in),
		T(a_socket_path_in_use_is_not_taken_away),
		T(a_path_that_is_too_long_is_an_error),
		T(frames_pass_both_ways),
		T(frames_in_pieces_are_put_together),
		T(indirect_tables_are_followed),
		T(an_old_driver_has_the_short_header),
		T(a_qemu_guest_with_several_regions_moves_its_memory_table),
		T(a_ring_of_the_largest_size_works),
		T(a_jumbo_frame_fills_many_small_buffers),
		T(a_jumbo_frame_fills_buffers_of_many_parts),
		T(a_frame_larger_than_a_plain_buffer_is_dropped_and_counted),
		T(no_frame_before_up_or_after_down),
		T(a_driver_that_comes_back_comes_up_again),
		T(frames_that_were_there_before_the_ring_started_are_served),
		T(indices_wrap),
		T(a_burst_is_one_batch_and_one_signal),
		T(a_turn_serves_256_frames_and_the_next_the_rest),
		T(a_turn_serves_fewer_frames_that_lead_to_many),
		T(a_flooding_guest_does_not_starve_another),
		T(no_signal_where_the_flag_forbids_it),
		T(a_signal_comes_at_the_event_index_and_not_before),
		T(a_full_ring_becomes_writable),
		T(a_jumbo_frame_waits_until_enough_buffers_are_there),
		T(the_guest_is_told_when_the_cable_is_pulled),
		T(a_guest_that_never_listens_does_not_stop_us),
		T(the_cable_can_be_out_before_the_guest_is_there),
		T(a_frame_in_the_kernel_image_is_dropped_and_counted),
		T(a_port_can_be_destroyed_in_its_death),
		T(a_port_can_be_destroyed_at_every_step_of_the_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
