/* SPDX-License-Identifier: MIT */
/* kernel.h - a User-Mode Linux kernel on this host, and what it can do
 *
 * It is read, and never executed: whoever opens somebody else's topology has not agreed
 * to run the programs that it names, and outside a machine's jail nothing of them runs.
 * Among the texts in the file are its release, its configuration and the boot parameters
 * that it knows, and with them what it can do beyond booting.  What a file says of itself
 * may be a lie; that costs the machine, and nobody else.  Some milliseconds.
 *
 * Errors:    0 or -errno; *why names the kernel, and what to do.
 * Ownership: plain values.
 * Threads:   any.
 */
#ifndef NL_KERNEL_KERNEL_H
#define NL_KERNEL_KERNEL_H

#include <limits.h>
#include <stdbool.h>

#include "base/why.h"

enum kernel_can {
	KERNEL_SECCOMP = 1 << 0,       /* system calls without ptrace */
	KERNEL_TIME_TRAVEL = 1 << 1,   /* virtual time, driven from outside */
	KERNEL_SEED = 1 << 2,	       /* entropy from a seed that is given */
	KERNEL_TSC = 1 << 3,	       /* rdtsc answered with the machine's time */
	KERNEL_CPUID = 1 << 4,	       /* a fixed processor for the programs */
	KERNEL_HOSTFS_OWNER = 1 << 5,  /* the host root's files are root's */
	KERNEL_HOSTFS_STABLE = 1 << 6, /* inode numbers, times: the same in each run */
	KERNEL_HOST = 1 << 7,	       /* the host's name is hidden */
	KERNEL_WHERE = 1 << 8,	       /* says what it is doing, when asked by a signal */
	KERNEL_COST = 1 << 9,	       /* work takes virtual time, if it is to */
	KERNEL_MODULES = 1 << 10,      /* loads modules */
	KERNEL_BUILTIN = 1 << 11,      /* needs none to be a machine of a lab */
	KERNEL_RISE = 1 << 12,	       /* loops that wait take virtual time */
	KERNEL_CANS = 13,
};

struct kernel {
	char path[PATH_MAX];
	char modules[PATH_MAX]; /* its folder of modules; "" if there is none */
	char release[64];	/* "6.1.176" */
	bool dynamic;		/* linked dynamically: a library can be preloaded */
	unsigned can;		/* of enum kernel_can */
};

/* path is one of a file.  Symbolic links are followed. */
int kernel_look(struct kernel *out, const char *path, struct why *why);

/* One word for a bit of enum kernel_can: "seccomp", "time-travel", … */
const char *kernel_can_word(unsigned number);
/* And what one has of it, in a few words. */
const char *kernel_can_text(unsigned number);

/* Below, equal, above: "6.9" before "6.16", "7.3.4" before "7.3.10".  Numbers are
 * compared as numbers, what is between them as text. */
int kernel_compare_releases(const char *a, const char *b);
/* Is it that release or a later one? */
bool kernel_at_least(const char *release, unsigned major, unsigned minor);

#endif
