/* SPDX-License-Identifier: MIT */
/* vconsole.h - a guest's character device: virtio-console over vhost-user
 *
 * One multiport console with one port that is not a tty, named VCONSOLE_PORT_NAME:
 * the guest finds it as /dev/vport0p1 or through /sys/class/virtio-ports/.../name.
 * It carries bytes, in order, both ways, with flow control: what does not fit
 * the ring waits here up to a limit that the caller sees.
 *
 * States, errors, ownership and threads as in vnet.h.
 */
#ifndef NL_VIRTIO_VCONSOLE_H
#define NL_VIRTIO_VCONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"

#define VCONSOLE_PORT_NAME "netlab.agent"

struct vconsole;

struct vconsole_ops {
	/* A program in the guest has opened (true) or closed the port. */
	void (*open)(void *ctx, bool open);
	/* Bytes from the guest, lent.  Returns how many were taken; if fewer than
	 * size, nothing more is offered until vconsole_resume(). */
	size_t (*bytes)(void *ctx, const uint8_t *bytes, size_t size);
	/* vconsole_write() took less than it was given before; there is room now. */
	void (*writable)(void *ctx);
	void (*dead)(void *ctx, bool broken, const char *why);
};

struct vconsole_config {
	const char *name; /* for messages: "n1:agent"; copied */
	const char *path; /* of the listening socket; created, removed */
};

int vconsole_create(struct vconsole **out, struct loop *loop,
		    const struct vconsole_config *config, const struct vconsole_ops *ops,
		    void *ctx, struct why *why);
void vconsole_destroy(struct vconsole *vconsole); /* NULL does nothing */

/* Write to the guest; returns how many bytes were taken, 0 .. size. */
size_t vconsole_write(struct vconsole *vconsole, const uint8_t *bytes, size_t size);
void vconsole_resume(struct vconsole *vconsole);

#endif
