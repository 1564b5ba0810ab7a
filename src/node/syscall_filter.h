/* SPDX-License-Identifier: MIT */
/* syscall_filter.h - which system calls a machine's kernel process may make
 *
 * An allow-list: what User-Mode Linux needs on x86-64, from 6.1 to 7.3, traced by
 * ptrace or by seccomp.  Everything else fails with EPERM (clone3 and its like with
 * ENOSYS, so that the C library falls back).  Sockets are Unix sockets; clone makes
 * no namespaces; ioctl is for terminals.
 *
 * The filter does not see what programs inside the machine call: those calls are
 * taken over by the machine's kernel before the host looks at them.  With
 * seccomp=on, the kernel's own filter in its stub processes says TRAP, which counts
 * more than our EPERM.
 *
 * Errors:  0 or -errno with *why.
 * Threads: the caller's only, and its children.
 */
#ifndef NL_NODE_SYSCALL_FILTER_H
#define NL_NODE_SYSCALL_FILTER_H

#include "base/why.h"

/* For the rest of this process's life.  Needs no-new-privs. */
int syscall_filter_enter(struct why *why);

#endif
