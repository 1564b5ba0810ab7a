/* SPDX-License-Identifier: MIT */
/* cpus.h - the processors that this process may use, and what they did
 *
 * Which ones: sched_getaffinity(), so what a cpuset, taskset or a container leaves.  What
 * they did comes from /proc/stat, where time is in ticks: two looks less than some hundred
 * milliseconds apart say little.
 *
 * Errors:    0 or -errno; -ENOTSUP: more processors than we count.
 * Ownership: plain values.
 * Units:     nanoseconds since the host began.
 * Threads:   any.
 */
#ifndef NL_BASE_CPUS_H
#define NL_BASE_CPUS_H

#include <stdint.h>
#include <stddef.h>

enum { CPUS_MAX = 1024 };

struct cpus {
	size_t count;
	struct {
		int number;	  /* the host's */
		uint32_t core;	  /* the index here of the first one on the same core */
		uint64_t busy_ns; /* not idle, for whomever */
	} at[CPUS_MAX];
};

/* The numbers, in order, and their cores; busy_ns is 0. */
int cpus_find(struct cpus *out);
/* Are these still the ones that may be used? */
int cpus_same(const struct cpus *cpus);
/* The number of the n-th that may be used, counted from 0 and around; -1: not known. */
int cpus_nth(uint32_t n);
/* Fill in busy_ns.  A processor that /proc/stat does not have keeps what it had. */
int cpus_look(struct cpus *cpus);

#endif
