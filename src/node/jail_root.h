/* SPDX-License-Identifier: MIT */
/* jail_root.h - the file system that one machine's kernel process sees
 *
 *	/etc /usr /var ...	the host's folders, read-only, no devices, no set-uid
 *	/home /root /tmp ...	empty, as is the user's own home wherever it is
 *	/dev			null zero full random urandom, a pts of its own
 *	/proc			cpuinfo and self/exe: nothing of the host's processes
 *	/netlab/work		the work folder, read-only (its sockets can be connected
 *				to all the same); the working folder
 *	/netlab/control		a small tmpfs for the kernel's control socket; writable;
 *				to the lab it is /proc/PID/root/netlab/control
 *	/netlab/memory		a tmpfs for the guest's memory; writable
 *	/netlab/NAME		what jail_spec.binds names; read-only
 *	/netlab/reboot		a script that ends with JAIL_EXIT_REBOOT
 *
 * The same paths in every run: they are on the kernel's command line, which goes
 * into its entropy.
 *
 * Errors:  0 or -errno with *why.
 * Threads: the calling process's mount namespace, which must be its own.
 */
#ifndef NL_NODE_JAIL_ROOT_H
#define NL_NODE_JAIL_ROOT_H

#include "base/why.h"
#include "node/jail.h"

#define JAIL_DIR "/netlab"

/* Build it and make it "/"; the host's is gone then.  The working folder becomes
 * /netlab/work.  *proc_fd: a /proc in which "self" is the caller, to be closed. */
int jail_root_enter(const struct jail_spec *spec, int *proc_fd, struct why *why);

#endif
