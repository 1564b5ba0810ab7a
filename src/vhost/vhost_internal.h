/* SPDX-License-Identifier: MIT */
/* vhost_internal.h - what vhost_user.c, vhost_request.c and vhost_ring.c share
 *
 *	vhost_user.c	the connection: listening, reading, dying
 *	vhost_request.c	one handler for each request
 *	vhost_ring.c	starting, stopping and signalling a ring
 *	vhost_remind.c	signals that a guest sleeps over (vhost_remind.h)
 *	vhost_inband.c	kicks and signals as messages, in virtual time (vhost_inband.h)
 */
#ifndef NL_VHOST_VHOST_INTERNAL_H
#define NL_VHOST_VHOST_INTERNAL_H

#include "vhost/guest_signal.h"
#include "vhost/vhost_inband.h"
#include "vhost/vhost_message.h"
#include "vhost/vhost_remind.h"
#include "vhost/vhost_user.h"

enum vhost_state { VHOST_LISTENING, VHOST_CONNECTED, VHOST_DYING, VHOST_DEAD };

/* Everything the guest has said of one ring. */
struct vhost_ring {
	struct vhost_user *conn;
	unsigned index;
	struct vring vring; /* valid while running */
	struct vring_place place;
	bool placed;  /* place has addresses */
	bool started; /* it has a kick descriptor */
	bool enabled; /* by SET_VRING_ENABLE */
	bool running;
	uint16_t next; /* while not running: the next available entry */
	int kick_fd;
	struct guest_signal call;
	struct watch *kick_watch;
	struct vhost_signal signal;
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
	struct vhost_signal config_signal;
	struct vhost_reminder reminder;

	/* in-band, in virtual time */
	struct vtime_guest *guest; /* NULL: real time */
	struct vtime_cue cue;
	struct watch *slave_watch;
	struct vhost_reader slave_reader;
	uint8_t calls[VHOST_RINGS_MAX + 1]; /* requests of ours, as they were made */
	unsigned calls_made, calls_answered;
	struct vhost_message later; /* what the guest waits for the reply to */
	bool config_due;
	bool inband;	 /* negotiated */
	bool slave_gone; /* the guest has closed the slave channel */

	struct deferred death;
	bool broken;
	struct why death_why;
};

/* Do what the message asks; its descriptors that are not taken are closed by the
 * caller.  0 or -errno: the guest is to be given up. */
int vhost_request(struct vhost_user *conn, struct vhost_message *message,
		  struct why *why);
/* The same, for one that vhost_request() has put off until its time has come. */
int vhost_request_later(struct vhost_user *conn, struct vhost_message *message,
			struct why *why);

void vhost_ring_init(struct vhost_ring *ring, struct vhost_user *conn, unsigned index);
/* Make running what should run, stop what should not. */
int vhost_ring_update(struct vhost_ring *ring, struct why *why);
/* The guest's memory has changed under a running ring. */
int vhost_ring_relocate(struct vhost_ring *ring, struct why *why);
/* Start or stop listening for kicks; fd is taken over in every case. */
int vhost_ring_set_kick(struct vhost_ring *ring, int fd, struct why *why);
/* How the guest is told; fd is taken over in every case, -1: not at all. */
int vhost_ring_set_call(struct vhost_ring *ring, int fd, struct why *why);
/* Stop it and give its descriptors back; the device is told if tell. */
void vhost_ring_reset(struct vhost_ring *ring, bool tell);

/* Signal what is in the ring, and that the configuration has changed. */
void vhost_ring_signal(struct vhost_ring *ring);
void vhost_config_signal(struct vhost_user *conn);

/* Give the guest up.  broken: see vnet_ops.dead. */
void vhost_die(struct vhost_user *conn, bool broken, const struct why *why);

#endif
