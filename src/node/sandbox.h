/* SPDX-License-Identifier: MIT */
/* sandbox.h - the walls around a lab
 *
 *   netlab up ──sandbox_fork_lab()──► lab process          jail.h
 *   (host)                            own user, mount, ──node_start()──► machine
 *                                     pid, net, ipc, uts
 *
 * The lab process that sandbox_fork_lab() makes
 *   - is process 1 of its pid namespace: when it ends, however, everything that
 *     it started ends;
 *   - has an empty network namespace: there is no interface but a lo that is down;
 *   - sees the host's files, all of them read-only and without devices, except
 *     the folders in `writable`, and a tmpfs of its own at `private_dir`;
 *   - has /dev with null, zero, full, random, urandom, tty, a ptmx and pts of its
 *     own, and nothing else;
 *   - cannot take any of these restrictions off again: they are locked;
 *   - still sees the host's /proc, so ids from base/proc.h mean the same inside and
 *     outside;
 *   - can never gain privileges (no-new-privs) and keeps only those capabilities,
 *     over its own namespaces, that building the machines' confinement needs.
 *
 * Ids.  An ordinary user's id is mapped to itself and machines run as that user.
 * For root, root and SANDBOX_GUEST_ID are mapped, and the owners of the folders on
 * the way to the paths in `reach` and `writable` (so that a project in somebody's
 * closed home can be read); machines run as SANDBOX_GUEST_ID, never as root.
 *
 * Errors:    0 or -errno.  Where the host forbids user namespaces *why names the
 *            setting and the command that changes it.  Nothing is ever weakened to
 *            make it work.
 * Ownership: everything is borrowed for the call.
 * Threads:   forks: call it from a program with one thread.
 */
#ifndef NL_NODE_SANDBOX_H
#define NL_NODE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"

enum { SANDBOX_GUEST_ID = 65534 }; /* "nobody", wherever there is a passwd */

/* All paths are absolute and exist. */
struct sandbox_lab {
	const char *const *writable; /* folders */
	size_t writable_count;
	const char *const *reach; /* what else has to be opened in there, NULLs are
				   * skipped: topology, kernels, images */
	size_t reach_count;
	const char *private_dir; /* a tmpfs for work folders comes here; NULL: none */
	uint64_t private_bytes;  /* its size; 0: half of the memory */
};

/* fork(), into the sandbox.  Returns twice: in the lab process with *pid 0, in
 * the caller with the lab's pid there and, if pidfd is not NULL, a descriptor of
 * it.  On an error it returns once, in the caller, and nothing is left.
 *
 * The child has the caller's descriptors, session and working folder: it is for
 * the lab to close, leave and change them. */
int sandbox_fork_lab(const struct sandbox_lab *config, pid_t *pid, int *pidfd,
		     struct why *why);

/* As whom machines run, when started by this process. */
int sandbox_guest_ids(uid_t *uid, gid_t *gid, struct why *why);

#endif
