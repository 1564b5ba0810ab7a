/* SPDX-License-Identifier: MIT */
/* vhost_user.h - one device of one guest, served over one vhost-user connection
 *
 * We listen; the guest's kernel (User-Mode Linux) or its machine (QEMU) connects,
 * says where its memory and its rings are, and from then on kicks and is
 * signalled.  This module speaks the protocol and keeps the rings; the devices
 * (vnet.h, vconsole.h) say what the rings mean.
 *
 *   LISTENING --connected--> CONNECTED --broken, or guest went away--> DYING
 *        the socket's path is removed,          nothing is served any more   |
 *        no second connection                                   (next turn)  |
 *                                          DEAD <--ops->dead()---------------+
 *
 * DYING lasts until the end of the loop's turn, so ops->dead() is never called
 * from within a call of the owner's, and memory lent to someone stays mapped.
 *
 * A ring is *running* between ops->running(ring, true) and (ring, false): the
 * guest has placed, started and enabled it.  A driver that is unloaded and loaded
 * again stops its rings and starts them anew; that is no error.
 *
 * Descriptors from the guest.  Kick descriptors are watched for edges and never
 * read: nothing that the guest does to them can make us wait.  What we write to
 * (call, slave channel) is of a kind that the guest cannot make block, or refused:
 * guest_signal.h.  SIGPIPE is ignored in the process from the first connection on.
 *
 * In virtual time (config.guest is set) notifications are in-band
 * (vhost_inband.h): a kick is a message that the guest waits on until all that it led
 * to is done, and a signal is a request of ours that the guest answers, made when its
 * calendar says that it can hear.  A guest that cannot do that is given up.  One that
 * merely goes away is not reported by ops->dead(): its process ends at a time that the
 * host decides, and whoever waits for that destroys the connection.
 *
 * Work per turn is bounded: MESSAGES_PER_EVENT messages here; rings are the
 * devices' concern.
 *
 * Errors:    0 or -errno for calls; what a guest does wrong ends in ops->dead().
 * Ownership: descriptors that the guest sent belong to this module.
 * Threads:   every call and callback from the loop's thread.
 */
#ifndef NL_VHOST_VHOST_USER_H
#define NL_VHOST_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/vtime.h"
#include "vhost/vring.h"

enum { VHOST_RINGS_MAX = 8 };

/* Device features all devices offer or may negotiate. */
#define VHOST_FEATURE(bit)	(UINT64_C(1) << (bit))
#define VHOST_F_VERSION_1	32
#define VHOST_FEATURES_COMMON                                                            \
	(VHOST_FEATURE(VRING_F_INDIRECT_DESC) | VHOST_FEATURE(VRING_F_EVENT_IDX) |       \
	 VHOST_FEATURE(VHOST_F_VERSION_1))

struct vhost_user;

struct vhost_user_ops {
	/* Write the device's configuration space, from offset 0, into size bytes,
	 * which are zero.  What is longer than the space stays zero. */
	void (*config)(void *ctx, uint8_t *bytes, uint32_t size);
	void (*running)(void *ctx, unsigned ring, bool running);
	/* The driver kicked the ring, or may have before it ran. */
	void (*kick)(void *ctx, unsigned ring);
	/* As vnet_ops.dead; the last call. */
	void (*dead)(void *ctx, bool broken, const char *why);
};

struct vhost_user_config {
	const char *name;	       /* of the port, for messages; copied */
	const char *path;	       /* of the socket, at most 107 bytes */
	uint64_t features;	       /* offered, beside PROTOCOL_FEATURES */
	unsigned ring_count;	       /* at most VHOST_RINGS_MAX */
	const char *const *ring_names; /* "transmit ring"; static */
	struct vtime_guest *guest;     /* in virtual time; NULL: real time */
	struct clock *clock; /* whose guest is reminded (vhost_remind.h); NULL: none is */
};

int vhost_user_create(struct vhost_user **out, struct loop *loop,
		      const struct vhost_user_config *config,
		      const struct vhost_user_ops *ops, void *ctx, struct why *why);
void vhost_user_destroy(struct vhost_user *conn); /* NULL does nothing */

/* A running ring, or NULL. */
struct vring *vhost_user_ring(struct vhost_user *conn, unsigned ring);
/* What the driver has accepted of what was offered. */
uint64_t vhost_user_features(const struct vhost_user *conn);

/* Publish what was put into the ring; signal the driver if it wants that. */
void vhost_user_notify(struct vhost_user *conn, unsigned ring);
/* The configuration space has changed: tell the driver if it can hear. */
void vhost_user_config_changed(struct vhost_user *conn);

/* The guest broke the protocol of the device; why names what it did.  ring is
 * the one that it did it in, or -1. */
void vhost_user_break(struct vhost_user *conn, int ring, const char *why);
/* Call after having touched guest memory: false, and broken, if some of it was
 * no longer there. */
bool vhost_user_memory_ok(struct vhost_user *conn);

#endif
