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
 * is closed, the guest's memory is unmapped, and ops->dead has told why.  A driver
 * that is unloaded and loaded again takes its card down and up: vnet_send() says
 * -ENOTCONN in between, and ops->up is called once more.
 *
 * What is offered: mergeable receive buffers, MAC, MTU, link status, indirect
 * descriptors, event indices.  What is not: checksum and segmentation offloads,
 * because then the switch would see 64 kB giants with no checksums instead of the
 * frames of the wire, and loss, rate and corruption would act on the wrong thing.
 * The virtio header of a sent frame is therefore skipped unread.
 *
 * One copy.  A frame that lies in one piece in the sender's memory is lent as it
 * lies there, and vnet_send() copies it into the receiver's: ring to ring.  So
 * until that copy the sender can still change it.  Its size is fixed, and any
 * bytes are a legal frame, so that harms nobody who reads each byte once or
 * bears that it changes; who must see it stand still copies it first.  Frames in
 * pieces are gathered in a buffer of ours.  Lent memory must not be given to
 * system calls unless EFAULT is expected (guest_map.h).
 *
 * A buffer in the guest's kernel image (guest_memory.h) cannot be read from
 * outside, but an honest guest may send one: that frame is dropped and counted
 * (vnet_count.hidden).  Every other address that is not memory breaks the
 * protocol, and so does a receive buffer in the image.
 *
 * Work: at most 256 frames per turn of the loop, then other guests have theirs.
 *
 * Errors:    0 or -errno.  Nothing that a guest does is an error of a call.
 * Ownership: frames are lent for the length of the call, both ways.
 * Threads:   every call and callback from the loop's thread.
 */
#ifndef NL_DEVICE_VNET_H
#define NL_DEVICE_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/vtime.h"

enum {
	VNET_MTU_BYTES_MIN = 68, /* what IPv4 needs, and Linux's own limit */
	VNET_MTU_BYTES_MAX = 65535,
	VNET_FRAME_BYTES_MAX = 14 + 4 + 65535,
};

struct vnet;

struct vnet_ops {
	/* The guest has set up its rings; frames move from now on.  Not called from
	 * within a call of yours. */
	void (*up)(void *ctx);
	/* The guest sent a frame.  Lent; called in batches.  size may be anything
	 * from 0 to VNET_FRAME_BYTES_MAX.  Returns how often a frame was handed to a
	 * machine in it, of which a batch has an end.  Do not destroy the vnet in this call. */
	unsigned (*frame)(void *ctx, const uint8_t *bytes, uint32_t size);
	/* A batch of frame() calls is over: flush what they caused. */
	void (*batch_end)(void *ctx);
	/* vnet_send() said -EAGAIN before, and the guest has made room since; perhaps
	 * not enough, then it says so again.  Call vnet_flush() after sending. */
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
	struct vtime_guest *guest; /* in virtual time; NULL: real time */
	struct clock *clock; /* whose guest is reminded (vhost_remind.h); NULL: none is */
};

int vnet_create(struct vnet **out, struct loop *loop, const struct vnet_config *config,
		const struct vnet_ops *ops, void *ctx, struct why *why);
void vnet_destroy(struct vnet *vnet); /* NULL does nothing */

/* Put one frame into the guest's receive ring.  0; -EAGAIN: the ring has no
 * room (writable() will follow); -ENOTCONN: the guest is not UP.  The guest sees
 * it, and is told, by vnet_flush(), so that a batch costs one notification.  A
 * frame that the guest's empty ring could not hold is dropped and counted
 * (vnet_count.too_large), with 0. */
int vnet_send(struct vnet *vnet, const uint8_t *bytes, uint32_t size);
void vnet_flush(struct vnet *vnet);

/* The state of the cable, as the guest's kernel sees it (VIRTIO_NET_F_STATUS).
 * Up at first; may be set in every state. */
void vnet_set_carrier(struct vnet *vnet, bool up);

struct vnet_count {
	uint64_t from_guest, from_guest_bytes; /* given to ops->frame */
	uint64_t to_guest, to_guest_bytes;     /* taken by vnet_send() */
	uint64_t hidden;    /* sent from where we cannot read; see above */
	uint64_t too_large; /* for the guest's receive buffers */
};

const struct vnet_count *vnet_count(const struct vnet *vnet);

#endif
