/* SPDX-License-Identifier: MIT */
/* vhost_remind.h - signals that a guest sleeps over are made again
 *
 * A guest's kernel looks whether a signal has come and then sleeps.  In User-Mode Linux
 * before netlab's patch 0012 these are two steps: a signal between them waits for the
 * kernel's next timer, which may be seconds away.  Made again, it ends the sleep.
 *
 * A signal is bytes in a pipe, and the guest takes them out when it hears; when it has
 * acted, its driver says anew when it wants to be signalled (vring_wish()).  So a reminder
 * goes only to a guest that has not done both within REMIND_FIRST_NS.  It comes at most
 * REMIND_TIMES, each after twice the time: a guest that is stopped, or hostile, costs no
 * more than that.
 *
 * In real time only; in virtual time a guest answers each signal (vhost_inband.h).
 *
 * Threads:   the loop's.
 */
#ifndef NL_VHOST_VHOST_REMIND_H
#define NL_VHOST_VHOST_REMIND_H

#include <stdint.h>

#include "clock/clock.h"

enum {
	REMIND_FIRST_NS = 1500000, /* longer than a busy host needs for most signals */
	REMIND_TIMES = 6,	   /* 95 ms in all */
};

struct vhost_user;

/* The last signal of one pipe. */
struct vhost_signal {
	uint64_t due_ns;     /* when it is to be made again, if it is not heard */
	uint8_t times_left; /* 0: nothing is waited for */
	uint32_t wish;	     /* of the driver's, when it was made */
};

struct vhost_reminder {
	struct clock *clock; /* NULL: nobody is reminded */
	struct timer timer;
};

void vhost_remind_init(struct vhost_user *conn, struct clock *clock);
void vhost_remind_close(struct vhost_user *conn);
/* A signal of this connection was made. */
void vhost_remind_of(struct vhost_user *conn, struct vhost_signal *signal);

#endif
