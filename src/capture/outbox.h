/* SPDX-License-Identifier: MIT */
/* outbox.h - bytes on their way to a descriptor that may be slow
 *
 * What is added waits here, up to limit bytes, until the descriptor takes it.  The
 * bytes lie in one piece: they are moved to the front at most once for each limit
 * bytes added, so adding costs the same whatever is waiting.
 *
 * Errors:    outbox_send(): 0 all is gone; -EAGAIN the descriptor takes no more now;
 *            else it never will.
 * Ownership: the outbox owns its memory; the descriptor is lent to outbox_send().
 * Threads:   one.
 */
#ifndef NL_CAPTURE_OUTBOX_H
#define NL_CAPTURE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "capture/quiet_write.h"

struct outbox {
	uint8_t *bytes;
	size_t room;	    /* twice what may wait */
	size_t first, last; /* what waits is [first, last) */
	size_t sent, left;  /* of the block that is on its way, bytes; 0: none is */
};

int outbox_init(struct outbox *outbox, size_t limit);
void outbox_free(struct outbox *outbox);

static inline size_t outbox_waiting(const struct outbox *outbox)
{
	return outbox->last - outbox->first;
}

/* Where to write size bytes; outbox_added() when that is done.  The caller has
 * seen that they fit: outbox_waiting() + size <= limit. */
uint8_t *outbox_add(struct outbox *outbox, size_t size);
void outbox_added(struct outbox *outbox, const uint8_t *end);

/* What is added are pcapng blocks, whole ones.  When a regular file takes no more, the part
 * of a block that it took is taken back. */
int outbox_send(struct outbox *outbox, int fd, enum quiet_kind kind);

#endif
