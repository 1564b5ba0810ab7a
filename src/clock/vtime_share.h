/* SPDX-License-Identifier: MIT */
/* vtime_share.h - the page that a guest and its calendar share
 *
 * Saves the messages that need no action: requests, the time, how far the guest may go
 * by itself.  What remains is WAIT one way and RUN the other.  Each guest has a page
 * of its own, so that none can reach another; times in it are the guest's.  The guest
 * may write whatever it likes: each value is read once and checked by the calendar.
 *
 * A guest whose kernel knows the page says so in it after START; others go on with
 * messages.
 *
 * Errors:    creation: -errno with *why.
 * Ownership: vtime_share_close() in every state; an all-zero share is closed.
 * Protocol:  Linux, include/uapi/linux/um_timetravel.h, struct um_timetravel_schedshm.
 */
#ifndef NL_CLOCK_VTIME_SHARE_H
#define NL_CLOCK_VTIME_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

enum { VTIME_SHARE_ID = 1 }; /* of the guest; the calendar is 0 */

struct vtime_share_page;

struct vtime_share {
	struct vtime_share_page *page; /* NULL: closed */
	int fd;
};

int vtime_share_open(struct vtime_share *share, struct why *why);
void vtime_share_close(struct vtime_share *share);

/* Does the guest use it? */
bool vtime_share_used(const struct vtime_share *share);
/* What the guest says. */
uint64_t vtime_share_time(const struct vtime_share *share);
bool vtime_share_request(const struct vtime_share *share, uint64_t *guest_ns);
/* What it is told. */
void vtime_share_set_time(struct vtime_share *share, uint64_t guest_ns);
void vtime_share_set_free_until(struct vtime_share *share, uint64_t guest_ns);

#endif
