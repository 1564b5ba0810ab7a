/* SPDX-License-Identifier: MIT */
/* vconsole.h - a guest's character device: virtio-console over vhost-user
 *
 * One multiport console with one port that is not a tty, port 1 (by custom, port
 * 0 is the one that may be a tty; here it is never added), named
 * VCONSOLE_PORT_NAME.  The guest's device is /dev/vportNp1, where N counts all
 * virtio devices of the guest: look for the name in
 * /sys/class/virtio-ports/vport*p1/name.
 *
 * It carries bytes, in order, both ways, with flow control in both directions.
 * Nothing is stored here: what a guest sent and nobody took stays in its ring, and
 * vconsole_write() takes what the guest has room for, which is nothing while no
 * program in the guest has the port open (its kernel would throw it away).
 *
 * A program that closes the port ends a stream: bytes of it that were not taken
 * yet follow even after open(false); bytes that the guest had not read are lost.
 *
 * Work: at most 256 KiB per turn of the loop.
 *
 * States, errors, ownership and threads as in vnet.h.
 */
#ifndef NL_DEVICE_VCONSOLE_H
#define NL_DEVICE_VCONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/vtime.h"

#define VCONSOLE_PORT_NAME "netlab.agent"

struct vconsole;

struct vconsole_ops {
	/* A program in the guest has opened (true) or closed the port. */
	void (*open)(void *ctx, bool open);
	/* Bytes from the guest, lent.  Returns how many were taken; if fewer than
	 * size, nothing more is offered until vconsole_resume(). */
	size_t (*bytes)(void *ctx, const uint8_t *bytes, size_t size);
	/* vconsole_write() took less than it was given before; there is room now.
	 * The port may be closed again by then. */
	void (*writable)(void *ctx);
	/* As vnet_ops.dead: the last call; vconsole_destroy() is allowed in it, and
	 * in no other. */
	void (*dead)(void *ctx, bool broken, const char *why);
};

struct vconsole_config {
	const char *name; /* for messages: "n1:agent"; copied */
	const char *path; /* of the listening socket; created, removed */
	struct vtime_guest *guest; /* in virtual time; NULL: real time */
	struct clock *clock; /* whose guest is reminded (vhost_remind.h); NULL: none is */
};

int vconsole_create(struct vconsole **out, struct loop *loop,
		    const struct vconsole_config *config, const struct vconsole_ops *ops,
		    void *ctx, struct why *why);
void vconsole_destroy(struct vconsole *vconsole); /* NULL does nothing */

/* Write to the guest; returns how many bytes were taken, 0 .. size. */
size_t vconsole_write(struct vconsole *vconsole, const uint8_t *bytes, size_t size);
/* Offer bytes again, from the loop's turn, after ops->bytes took too few. */
void vconsole_resume(struct vconsole *vconsole);

#endif
