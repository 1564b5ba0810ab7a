/* SPDX-License-Identifier: MIT */
/* terminal.h - the user's terminal in raw mode, and back on every way out
 *
 * terminal_raw() also arranges that exit(), a crash and terminal_restore() put
 * things back as they were.  Only SIGKILL can prevent that.
 *
 * signals_open() turns signals into reads of a descriptor, so a poll() loop sees
 * SIGINT, SIGTERM, SIGHUP and SIGWINCH in turn and unwinds in order.
 *
 * Errors: 0 or -errno.  Threads: one.
 */
#ifndef NL_CLI_TERMINAL_H
#define NL_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/why.h"

/* fd is a terminal. */
int terminal_raw(int fd, struct why *why);
void terminal_restore(void);
/* The program on the other side was cut off: leave its alternate screen if it is in that,
 * show the cursor, end colours, mouse and paste modes. */
void terminal_reset_modes(bool other_screen);
/* Of stdout, else stdin; 24 x 80 if neither is a terminal. */
void terminal_size(unsigned *rows, unsigned *cols);

/* A descriptor that gives the numbers of these signals (a 0 ends the list) and
 * blocks them from now on.  One at a time in the program. */
int signals_open(const int *list, struct why *why);
/* The next one, 0 if none waits. */
int signals_next(int fd);
/* In a child, before exec: as if nothing had been blocked. */
void signals_unblock(void);
void signals_close(int fd);

#endif
