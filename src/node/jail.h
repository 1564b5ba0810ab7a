/* SPDX-License-Identifier: MIT */
/* jail.h - one program in a machine's confinement
 *
 *   lab process (sandbox.h)
 *    └─ first process of the jail: pid 1 of its own pid namespace, own mount, net,
 *       │  ipc, uts and user namespaces, no capability, no-new-privs, seccomp filter
 *       │  (filter.h), not dumpable; reaps, hands SIGUSR2 on to the program, and
 *       │  reports how that ended
 *       └─ the program; when it ends the jail ends
 *
 * The namespaces but the user namespace belong to the lab's user namespace: even a
 * program that gained every capability of its own could change none of them.
 *
 *   jail_start() ─► being set up ─► jail_started() says 0: the program is executed
 *                          └──────► ... or says why not: it ends
 *
 * Setting up takes tens of milliseconds, and nobody has to wait for it.
 *
 * Errors:    0 or -errno; *why names the step.
 * Ownership: jail_start() gives three descriptors; the spec is borrowed.
 * Threads:   forks: call it from a process with one thread.
 */
#ifndef NL_NODE_JAIL_H
#define NL_NODE_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"

enum { JAIL_EXIT_REBOOT = 77 }; /* of the program at /netlab/reboot */

struct jail_bind {
	const char *source; /* a file or folder, as the lab sees it; NULL: skip */
	const char *name;   /* below /netlab */
};

struct jail_spec {
	const struct jail_bind *binds;
	size_t bind_count;
	const char *work_dir;
	const char *memory_dir; /* NULL: a tmpfs of memory_bytes, for this jail only */
	uint64_t memory_bytes;
	const char *home; /* the user's home: hidden wherever it is; NULL: none */
	const char *hostname;
	uid_t uid; /* as whom: sandbox_guest_ids() */
	gid_t gid;
	const char *exec; /* path inside */
	char *const *argv;
	char *const *envp;
	int cpu; /* the processor that all of it begins on; -1: any */
	int stdio_fd; /* becomes stdin, stdout and stderr */
};

struct jail {
	int pidfd;     /* of the first process; readable when all is over */
	int status_fd; /* gives the program's wait status, as an int */
	int report_fd; /* readable when jail_started() has something to say; or -1 */
};

int jail_start(struct jail *out, const struct jail_spec *spec, struct why *why);
/* -EAGAIN: not yet.  Says its word once; later calls return 0. */
int jail_started(struct jail *jail, struct why *why);
/* It has been said, and nobody watches report_fd any more. */
void jail_report_close(struct jail *jail);
/* Wait for that word, where there is no loop.  Not 0: it has been closed. */
int jail_await_start(struct jail *jail, struct why *why);
void jail_kill(const struct jail *jail); /* everything in it */
/* Send SIGUSR2 to the program. */
void jail_ask(const struct jail *jail);

/* Once pidfd is readable (waits if it is not): reap it.  *status is the program's
 * wait status; -ECHILD: the first process was killed before it could say. */
int jail_reap(struct jail *jail, int *status);
void jail_close(struct jail *jail); /* kills and reaps what is still there */

#endif
