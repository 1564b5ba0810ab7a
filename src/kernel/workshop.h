/* SPDX-License-Identifier: MIT */
/* workshop.h - the folder in which kernels are built
 *
 * One build at a time: a lock, which says who holds it.  A log of the build under way,
 * and a folder for each kernel in the making.
 *
 * Errors:    0 or -errno with *why; -ECANCELED: interrupted while waiting for the lock.
 * Ownership: the lock is a descriptor, given up by closing it.
 * Threads:   one.
 */
#ifndef NL_KERNEL_WORKSHOP_H
#define NL_KERNEL_WORKSHOP_H

#include "base/why.h"
#include "kernel/steps.h"

/* A descriptor: waits for others, and says for whom. */
int workshop_lock(const char *dir, struct steps *steps, struct why *why);
int workshop_open_log(const char *dir, struct steps *steps, struct why *why);
/* A folder below it, if it is there. */
int workshop_remove(const char *dir, const char *name, struct why *why);
/* A kernel is there; what is left of makings, also of earlier ones, is only in the way.
 * The lock and the log stay. */
int workshop_remove_all(const char *dir, struct why *why);

#endif
