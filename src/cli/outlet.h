/* SPDX-License-Identifier: MIT */
/* outlet.h - one of the user's streams, written to without waiting in write()
 *
 * A terminal or a pipe may be read by nobody for a long time, and whoever writes to it must
 * still hear signals and keys.  O_NONBLOCK is the open file's, which others share: so a
 * terminal or pipe is opened anew for us.  One that cannot be opened anew is given no more
 * at once than it takes for sure when it says that it can be written to.
 *
 *	outlet_open() ──► poll() of its fd, POLLOUT ──► outlet_put() ──► … ──► outlet_close()
 *
 * Errors:    those of write().
 * Ownership: the caller's descriptor is lent; it stays open longer than the outlet.
 * Threads:   one.
 */
#ifndef NL_CLI_OUTLET_H
#define NL_CLI_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct outlet {
	int fd;
	bool is_socket;
	bool is_own;
	size_t at_once; /* bytes */
};

void outlet_open(struct outlet *outlet, int fd);
/* How many bytes were taken, 0: none now; -errno. */
ssize_t outlet_put(const struct outlet *outlet, const uint8_t *bytes, size_t size);
void outlet_close(struct outlet *outlet);

/* Could something short be written to that descriptor now? */
bool outlet_has_room(int fd);

#endif
