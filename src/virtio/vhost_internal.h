/* SPDX-License-Identifier: MIT */
/* vhost_internal.h - what vhost_user.c, vhost_request.c and vhost_ring.c share
 *
 *	vhost_user.c	the connection: listening, reading, dying
 *	vhost_request.c	one handler for each request
 *	vhost_ring.c	starting, stopping and signalling a ring
 *	vhost_inband.c	kicks and signals as messages, in virtual time
 */
#ifndef NL_VIRTIO_VHOST_INTERNAL_H
#define NL_VIRTIO_VHOST_INTERNAL_H

#include "virtio/vhost_message.h"
#include "virtio/vhost_user.h"

enum vhost_state { VHOST_LISTENING, VHOST_CONNECTED, VHOST_DYING, VHOST_DEAD };

/* Everything the guest has said of one ring. */
struct vhost_ring {
	struct vhost_user *conn;
	unsigned index;
	struct vring vring; /* valid while running */
	struct vring_place place;
	bool placed;	    /* place has addresses */
	bool started;	    /* it has a kick descriptor */
	bool enabled;	    /* by SET_VRING_ENABLE */
	bool running;
	uint16_t next; /* while not running: the next available entry */
	int kick_fd, call_fd;
	struct watch *kick_watch;
	bool call_due; /* in-band: the guest is to be signalled */
};

struct vhost_user {
	struct loop *loop;
	const struct vhost_user_ops *ops;
	void *ctx;
	enum vhost_state state;
	char name[64];
	char path[108]; /* "" when removed */

	int listen_fd, fd, slave_fd;
	struct watch *watch; /* of listen_fd, then of fd */
	struct vhost_reader reader;

	uint64_t offered, features, protocol_features;
	struct guest_memory memory;
	struct vhost_ring rings[VHOST_RINGS_MAX];
	unsigned ring_count;
	const char *const *ring_names;

	/* in-band, in virtual time */
	struct vtime_guest *guest; /* NULL: real time */
	struct vtime_cue cue;
	struct watch *slave_watch;
	struct vhost_reader slave_reader;
	unsigned calls_open; /* made and not answered */
	unsigned kicked;     /* the ring of the kick that is under way */
	bool config_due;
	bool inband; /* negotiated */

	struct deferred death;
	bool broken;
	struct why death_why;
};

/* Do what the message asks; its descriptors that are not taken are closed by the
 * caller.  0 or -errno: the guest is to be given up. */
int vhost_request(struct vhost_user *conn, struct vhost_message *message,
		  struct why *why);

void vhost_ring_init(struct vhost_ring *ring, struct vhost_user *conn, unsigned index);
/* Make running what should run, stop what should not. */
int vhost_ring_update(struct vhost_ring *ring, struct why *why);
/* The guest's memory has changed under a running ring. */
int vhost_ring_relocate(struct vhost_ring *ring, struct why *why);
/* Start or stop listening for kicks; fd is taken over in every case. */
int vhost_ring_set_kick(struct vhost_ring *ring, int fd, struct why *why);
void vhost_ring_set_call(struct vhost_ring *ring, int fd); /* takes fd over; -1: none */
/* Stop it and give its descriptors back; the device is told if tell. */
void vhost_ring_reset(struct vhost_ring *ring, bool tell);

/* A descriptor to write to that does not block: fd itself or one in its stead. */
int vhost_unblock(int fd);

/* vhost_inband.c, in virtual time only. */
uint64_t vhost_inband_features(const struct vhost_user *conn);
/* The protocol features are negotiated. */
int vhost_inband_negotiate(struct vhost_user *conn, struct why *why);
int vhost_inband_slave(struct vhost_user *conn, struct why *why); /* slave_fd is there */
int vhost_inband_kick(struct vhost_user *conn, struct vhost_ring *ring,
		      struct why *why);
/* Calls are due. */
void vhost_inband_call(struct vhost_user *conn);
void vhost_inband_init(struct vhost_user *conn, struct vtime_guest *guest);
void vhost_inband_close(struct vhost_user *conn);

/* Give the guest up.  broken: see vnet_ops.dead. */
void vhost_die(struct vhost_user *conn, bool broken, const struct why *why);

#endif
