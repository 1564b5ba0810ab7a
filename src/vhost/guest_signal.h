/* SPDX-License-Identifier: MIT */
/* guest_signal.h - a descriptor that a guest gave us, to be told things through
 *
 * O_NONBLOCK lies in the open file, which the guest shares with us and can clear at any
 * moment, so nothing here relies on it:
 *
 *	a Unix socket	each send asks not to wait (what User-Mode Linux calls a pipe)
 *	a pipe		is opened again: an open file of ours, that the guest cannot reach
 *	an eventfd	the kernel signals it for us, as the end of a write to nowhere:
 *			that adds to the counter as far as it goes, and never waits
 *
 * Everything else is refused before anything is written to it.
 *
 * Errors:    0 or -errno; *why says what was expected.
 * Ownership: guest_signal_take() owns the descriptor, also when it fails.
 * Threads:   the loop's.
 */
#ifndef NL_VHOST_GUEST_SIGNAL_H
#define NL_VHOST_GUEST_SIGNAL_H

#include <stdint.h>

#include "base/why.h"

enum guest_signal_kind {
	GUEST_SIGNAL_NONE,
	GUEST_SIGNAL_SOCKET,
	GUEST_SIGNAL_PIPE,
	GUEST_SIGNAL_EVENTFD,
};

struct guest_signal {
	enum guest_signal_kind kind;
	int fd;	        /* -1: none */
	int nowhere_fd; /* of an eventfd: what is written to; -1: none */
};

void guest_signal_init(struct guest_signal *signal);
/* Replaces what was there; fd -1: by nothing. */
int guest_signal_take(struct guest_signal *signal, int fd, struct why *why);
void guest_signal_close(struct guest_signal *signal);

/* Tell it once.  A guest that has yet to hear of what it was told before, or that is
 * gone, is told nothing more. */
void guest_signal_ring(const struct guest_signal *signal);

#endif
