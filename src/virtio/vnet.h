/* SPDX-License-Identifier: MIT */
/* vnet.h - a guest's network card: virtio-net over a vhost-user socket
 *
 * netlab listens, the guest's kernel (or QEMU) connects once.
 *
 *   (none) --vnet_create()--> WAITING --rings set up--> UP
 *                                |                       |
 *                                +--- protocol broken ---+--> DEAD
 *                                +--- guest went away ---+
 *
 * vnet_destroy() is legal in every state.  DEAD is final: the listening socket
 * is closed, the guest's memory is unmapped, and ops->dead has told why.
 *
 * Errors:    0 or -errno.  Nothing that a guest does is an error of a call.
 * Ownership: frames are lent for the length of the call, both ways.
 * Threads:   every call and callback from the loop's thread.
 */
#ifndef NL_VIRTIO_VNET_H
#define NL_VIRTIO_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"

struct vnet;

struct vnet_ops {
	/* The guest has set up its rings; frames move from now on. */
	void (*up)(void *ctx);
	/* The guest sent a frame.  Lent; called in batches. */
	void (*frame)(void *ctx, const uint8_t *bytes, uint32_t size);
	/* A batch of frame() calls is over: flush what they caused. */
	void (*batch_end)(void *ctx);
	/* vnet_send() said -EAGAIN before, and the guest has made room since. */
	void (*writable)(void *ctx);
	/* No more frames, ever.  broken: the guest broke the protocol (reason in
	 * why); else it merely went away.  The vnet may be destroyed in this call. */
	void (*dead)(void *ctx, bool broken, const char *why);
};

struct vnet_config {
	const char *name; /* for messages: "n1:eth0"; copied */
	const char *path; /* of the listening socket, at most 107 bytes; created, removed */
	uint8_t mac[6];
	uint32_t mtu_bytes;
};

int vnet_create(struct vnet **out, struct loop *loop, const struct vnet_config *config,
		const struct vnet_ops *ops, void *ctx, struct why *why);
void vnet_destroy(struct vnet *vnet); /* NULL does nothing */

/* Put one frame into the guest's receive ring.  0; -EAGAIN: the ring has no
 * room (writable() will follow); -ENOTCONN: the guest is not UP.  The guest is
 * told by vnet_flush(), so that a batch costs one notification. */
int vnet_send(struct vnet *vnet, const uint8_t *bytes, uint32_t size);
void vnet_flush(struct vnet *vnet);

/* The state of the cable, as the guest's kernel sees it (VIRTIO_NET_F_STATUS). */
void vnet_set_carrier(struct vnet *vnet, bool up);

#endif
