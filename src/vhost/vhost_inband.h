/* SPDX-License-Identifier: MIT */
/* vhost_inband.h - kicks and signals as messages, so that each has its place in time
 *
 * In real time a kick is a write to an eventfd and a signal one to a pipe: nobody
 * knows when the other side looks.  With VHOST_PROTOCOL_INBAND both are requests
 * with a reply, and who sent one waits.  Used with a guest of virtual time
 * (clock/vtime.h) only; that calendar is spoken with over a socket of its own.
 *
 * What Linux does (User-Mode Linux with time-travel=ext:, arch/um), and we with it:
 *
 *	guest's kernel					netlab
 *
 *	START on the calendar's socket		 -->
 *	probes: connect, negotiate, rings	 -->	answered at once; SET_VRING_ENABLE
 *						 <--	when all that it led to is done
 *   a kick
 *	UPDATE, if its time has moved		 -->
 *						 <--	ACK
 *	VRING_KICK, need_reply, and then waits	 -->	the device serves the ring
 *	for both sockets, with a lock held	 <--	VRING_CALL to it and to others
 *(below)
 *						 <--	FREE_UNTIL, if somebody is to run
 *sooner ACK					 -->
 *						 <--	the reply to VRING_KICK
 *   a signal
 *	(waits: for RUN, or for a reply)	 <--	VRING_CALL on the slave channel
 *	SIGIO: reads all that is there; for each
 *	GET					 -->
 *						 <--	ACK with the time
 *	REQUEST to run at that time		 -->
 *						 <--	ACK
 *	the reply on the slave channel		 -->	nothing is held any more
 *						 <--	RUN, when it is its turn: only now
 *							does its driver see the ring
 *
 * So an answer to a signal comes only if the calendar is served meanwhile, and a
 * guest may be signalled while we owe it the reply to its kick.  Nothing here waits:
 * messages come and go by the loop, and the calendar holds its time (vtime_hold())
 * from a signal to its answer and from a kick to its reply.  The calendar's shared
 * memory (um_timetravel.h) spares messages on the calendar's socket and changes
 * nothing of this.
 *
 * Order.  What the guest sees depends on the order of events alone:
 *   - A kick, or the start of a ring, is served when the calendar says that its time
 *     has come (others may have something to do before), and answered when no work is
 *     left that it led to; one at a time for all devices of a guest.
 *   - Signals are *due* from vhost_user_notify() on and made when the calendar says
 *     that the guest can hear.  However often a ring became due by then, it is one
 *     call (the guest looks at all of the ring).  Calls of one device go out
 *     together: a change of configuration first, then rings by rising index; devices
 *     of one guest in the order in which they became due, the next when the calls of
 *     the one before are answered.
 *   - A ring that has been stopped is not signalled any more.
 *   - Buffers are taken when a frame is sent to the guest (vnet_send()) or bytes are
 *     written (vconsole_write()), never ahead: the guest is at rest then, or waits
 *     for a reply of ours, so which buffers there are is settled too.
 *
 * Linux up to 7.3 at least has a flaw: a change of configuration that it is told of
 * before it has run for the call of a ring waits for the next signal without one
 * (vu_req_interrupt(): `else if (config_changed_irq)`).
 *
 * A guest that breaks these rules loses its port (ops->dead, broken): a kick that was
 * not negotiated, wants no reply, is out of turn or comes while one is not answered;
 * descriptors for kicks and calls; a slave channel that is not a stream socket of
 * the host, comes twice or too early; an answer to nothing, to something else, of
 * a wrong size, with descriptors, or a refusal; a slave channel or a connection that
 * is not read; a closed slave channel with a connection that goes on.  One that does
 * not answer holds time until the calendar's guard names it.
 *
 * Errors, ownership and threads as in vhost_user.h.
 */
#ifndef NL_VHOST_VHOST_INBAND_H
#define NL_VHOST_VHOST_INBAND_H

#include <stdint.h>

#include "base/why.h"
#include "vhost/vhost_message.h"
#include "vhost/vhost_user.h"

/* guest NULL: real time, and nothing below does anything or is offered. */
void vhost_inband_init(struct vhost_user *conn, struct vtime_guest *guest);
/* Legal in every state; what the guest has not answered is no longer waited for. */
void vhost_inband_close(struct vhost_user *conn);

/* Protocol features to offer beside the common ones. */
uint64_t vhost_inband_features(const struct vhost_user *conn);
/* The protocol features are negotiated. */
int vhost_inband_negotiate(struct vhost_user *conn, struct why *why);
/* Take over a slave channel. */
int vhost_inband_slave(struct vhost_user *conn, int fd, struct why *why);

/* Do this request (with a ring's state) when its time has come, and reply when all
 * that it leads to is done. */
int vhost_inband_later(struct vhost_user *conn, const struct vhost_message *message,
		       struct why *why);
/* Something is due: a ring's call_due, or config_due. */
void vhost_inband_call(struct vhost_user *conn);

#endif
