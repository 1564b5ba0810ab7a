/* SPDX-License-Identifier: MIT */
/* need.h - what a build needs of this computer: programs and room
 *
 * Errors:    -ENOENT: a program is missing; -ENOSPC; *why has the command that helps.
 *            Nothing is ever installed.
 * Threads:   any.
 */
#ifndef NL_KERNEL_NEED_H
#define NL_KERNEL_NEED_H

#include <stdint.h>

#include "base/why.h"

int need_tools(struct why *why);
/* Room on the file system of that folder or of the one that it will lie in. */
int need_room(const char *dir, uint64_t bytes, struct why *why);

#endif
