/* SPDX-License-Identifier: MIT */
/* balance.h - gives each machine its processor, and another one when it is crowded
 *
 *   balance_place() ─► the machine starts there ─► balance_add() ─► ... ─► balance_remove()
 *
 * Twice a second it looks how busy the processors are.  Only if one is crowded it counts
 * what machines ran and waited, and asks placement.h who is to move.  Counting and moving go
 * through /proc, a few processes a turn of the loop, and take a hundredth of its time at
 * most: a large lab is looked at less often.
 *
 * It uses the processors that this process may use (a cpuset, taskset): when those change,
 * machines follow.  The lab's own process is left where the host's scheduler wants it.
 *
 * In real time only: in virtual time processors make no difference to what is seen.
 *
 * Errors:    where processors cannot be told or chosen, machines run wherever the host has
 *            them, and that is all: slower, and nothing else.
 * Ownership: balance_destroy().
 * Threads:   the loop's.
 */
#ifndef NL_MACHINE_BALANCE_H
#define NL_MACHINE_BALANCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/clock.h"

enum { BALANCE_ANYWHERE = -1 };

struct balance;

int balance_create(struct balance **out, struct loop *loop, struct clock *clock,
		   size_t machine_count, struct why *why);
void balance_destroy(struct balance *balance); /* NULL does nothing */

/* All of these do nothing (and know nothing) with NULL for a balance.
 *
 * The number of the processor for a machine that is about to start, or
 * BALANCE_ANYWHERE. */
int balance_place(struct balance *balance, size_t machine);
/* It has been started there; first: the first process of its jail. */
void balance_add(struct balance *balance, size_t machine, pid_t first);
void balance_remove(struct balance *balance, size_t machine);
int balance_cpu(const struct balance *balance, size_t machine);

#endif
