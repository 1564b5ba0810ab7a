/* SPDX-License-Identifier: MIT */
/* vnet_rig.h - a vnet on a test bench: its loop, its fake guest, what it said
 *
 * A rig has a private directory for sockets and counts the process's descriptors:
 * rig_end() fails the test if the device or the guest has kept one.
 */
#ifndef TESTS_LIB_VNET_RIG_H
#define TESTS_LIB_VNET_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "lib/fake_guest.h"
#include "device/vnet.h"

struct rig {
	char dir[64];
	struct loop *loop;
	struct clock *clock; /* by which guests are reminded; the test's, or NULL */
	unsigned fds_before;
};

/* A port: device and guest.  The counters are what ops were called. */
struct port {
	struct rig *rig;
	char path[96];
	struct vnet *vnet;
	struct fake_guest *guest;
	unsigned ups, frames, batch_ends, writables, deaths;
	bool broken;
	char why[1024];
	uint8_t frame[VNET_FRAME_BYTES_MAX]; /* the last one */
	uint32_t frame_size;
	struct port *to; /* frames are sent there, if set; else only counted */
	unsigned handed; /* what is said of each: to so many machines it was handed */
	void (*on_frame)(struct port *port);
	void (*on_writable)(struct port *port);
	bool destroy_in_dead;
	/* In virtual time: what else is to be done while its guest waits. */
	void (*more_pump)(struct port *port);
	void *more_ctx;
};

void rig_begin(struct rig *rig);
void rig_end(struct rig *rig);
void rig_turn(struct rig *rig, unsigned turns); /* none waits */

void port_create(struct port *port, struct rig *rig, const char *name);
/* ... of a guest in virtual time; NULL: real time. */
void port_create_in(struct port *port, struct rig *rig, const char *name,
		    struct vtime_guest *guest);
/* A guest that has connected; rings 2 unless options say otherwise. */
void port_connect(struct port *port, struct fake_options options);
/* ... and is up, in the style given. */
void port_boot(struct port *port, enum fake_style style, struct fake_options options);
void port_destroy(struct port *port);

/* Post n receive buffers of this many bytes. */
void port_post(struct port *port, unsigned n, uint32_t bytes);

unsigned fds_open(void);

#endif
