/* SPDX-License-Identifier: MIT */
#include "lib/vnet_rig.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

unsigned fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void rig_begin(struct rig *rig)
{
	struct why why = { .text = "" };

	memset(rig, 0, sizeof(*rig));
	rig->fds_before = fds_open();
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/netlab-test-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	assert_int_equal(loop_create(&rig->loop, &why), 0);
}

void rig_end(struct rig *rig)
{
	loop_destroy(rig->loop);
	assert_int_equal(rmdir(rig->dir), 0); /* the sockets are gone */
	assert_int_equal(fds_open(), rig->fds_before);
}

void rig_turn(struct rig *rig, unsigned turns)
{
	while (turns--)
		assert_true(loop_turn(rig->loop, 0) >= 0);
}

static void on_up(void *ctx)
{
	struct port *port = ctx;

	port->ups++;
}

static unsigned on_frame(void *ctx, const uint8_t *bytes, uint32_t size)
{
	struct port *port = ctx;

	port->frames++;
	memcpy(port->frame, bytes, size);
	port->frame_size = size;
	if (port->to)
		vnet_send(port->to->vnet, bytes, size);
	if (port->on_frame)
		port->on_frame(port);
	return port->handed;
}

static void on_batch_end(void *ctx)
{
	struct port *port = ctx;

	port->batch_ends++;
	if (port->to)
		vnet_flush(port->to->vnet);
}

static void on_writable(void *ctx)
{
	struct port *port = ctx;

	port->writables++;
	if (port->on_writable)
		port->on_writable(port);
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	struct port *port = ctx;

	port->deaths++;
	port->broken = broken;
	snprintf(port->why, sizeof(port->why), "%s", why);
	if (port->destroy_in_dead) {
		vnet_destroy(port->vnet);
		port->vnet = NULL;
	}
}

static const struct vnet_ops ops = {
	.up = on_up,
	.frame = on_frame,
	.batch_end = on_batch_end,
	.writable = on_writable,
	.dead = on_dead,
};

void port_create(struct port *port, struct rig *rig, const char *name)
{
	port_create_in(port, rig, name, NULL);
}

void port_create_in(struct port *port, struct rig *rig, const char *name,
		    struct vtime_guest *guest)
{
	struct vnet_config config = {
		.guest = guest,
		.clock = rig->clock,
		.name = name,
		.path = port->path,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu_bytes = 9000,
	};
	struct why why = { .text = "" };

	memset(port, 0, sizeof(*port));
	port->rig = rig;
	snprintf(port->path, sizeof(port->path), "%s/%s", rig->dir, name);
	if (vnet_create(&port->vnet, rig->loop, &config, &ops, port, &why))
		fail_msg("%s", why.text);
}

static void pump(void *ctx)
{
	struct port *port = ctx;

	rig_turn(port->rig, 1);
	if (port->more_pump)
		port->more_pump(port);
}

void port_connect(struct port *port, struct fake_options options)
{
	if (!options.rings)
		options.rings = 2;
	options.pump = pump;
	options.pump_ctx = port;
	assert_int_equal(fake_guest_open(&port->guest, port->path, &options), 0);
}

void port_boot(struct port *port, enum fake_style style, struct fake_options options)
{
	port_connect(port, options);
	assert_int_equal(fake_handshake(port->guest, style), 0);
	rig_turn(port->rig, 2);
	assert_int_equal(port->ups, 1);
	assert_int_equal(port->deaths, 0);
}

void port_destroy(struct port *port)
{
	vnet_destroy(port->vnet);
	fake_guest_close(port->guest);
	port->vnet = NULL;
	port->guest = NULL;
}

void port_post(struct port *port, unsigned n, uint32_t bytes)
{
	while (n--)
		assert_true(fake_post(port->guest, 0, 1, bytes) >= 0);
	fake_kick_if_wanted(port->guest, 0);
}
