/* SPDX-License-Identifier: MIT */
/* placement.h - which machine belongs to which processor
 *
 * A machine's kernel and its programs always wait for one another, so a machine is fastest
 * when all of it is on one processor; and it can use no more than one.  This says which: a
 * function of what each processor did of late and what each machine wanted, to the machines
 * that are to move.
 *
 * What a machine *wants* is the part of the time in which it ran or waited for the
 * processor.  A processor's *load* is what its machines want and what others, that are none
 * of ours, took of it.  A machine moves
 *
 *   at once   from a processor that it may no longer use
 *   for room  when that makes the higher load of the two processors clearly lower
 *   in turn   when loads cannot be evened out (three machines that want all, on two
 *             processors): those that had to wait longer than others get their time alone
 *
 * and otherwise stays where it is.
 *
 * Errors:    none.
 * Ownership: the caller's arrays.
 * Units:     parts per million of one processor's time.
 * Threads:   pure.
 */
#ifndef NL_MACHINE_PLACEMENT_H
#define NL_MACHINE_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEMENT_ALL_PPM 1000000
enum { PLACEMENT_NOWHERE = -1, PLACEMENT_CPUS_MAX = 1024 };

struct placement_cpu {
	uint32_t core;	   /* the index of the first one on the same core */
	uint32_t busy_ppm; /* with whatever: ours, others', the host's own */
};

struct placement_machine {
	bool lives;
	int at; /* index of a processor, or PLACEMENT_NOWHERE */
	uint32_t ran_ppm, waited_ppm;
	uint32_t behind_ppm; /* what it waited, of late; kept by placement_moves() */
};

struct placement {
	const struct placement_cpu *cpus;
	size_t cpu_count; /* 1 to PLACEMENT_CPUS_MAX */
	struct placement_machine *machines;
	size_t machine_count;
};

struct placement_move {
	size_t machine;
	int to;
};

/* For a machine that begins: where there are fewest, on a core with fewest, with least
 * else to do; among equals the first from `start` on. */
int placement_first(const struct placement *placement, size_t start);

/* Once for each time that was measured.  At most `most` moves, the machines' `at` is
 * changed accordingly; returns how many. */
size_t placement_moves(struct placement_move *moves, size_t most,
		       struct placement *placement);

/* Is any processor so busy that placement_moves() could find something to do? */
bool placement_is_crowded(const struct placement_cpu *cpus, size_t count);

#endif
