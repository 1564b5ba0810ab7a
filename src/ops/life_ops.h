/* SPDX-License-Identifier: MIT */
/* life_ops.h - what one can do to the life of a machine in a running lab
 *
 *   stop     it is asked to power off: services get their SIGTERM, files are synced
 *   kill     its power is gone, at this instant
 *   panic    its kernel panics, as of a fault of its own; its state is `failed` then
 *   start    one whose life is over begins anew
 *   restart  stop, and start as soon as it is off
 *   reset    kill, and start
 *   pause    its kernel and all processes stand still, at one instant
 *   resume   they go on
 *
 * The same machine begins anew: its name, MAC and IP addresses, faults, partitions and
 * captures hold before and after; what it had written is gone, as its disk is memory.  The
 * far ends of its cables have no carrier meanwhile.
 *
 * Errors:    -EALREADY, -EBUSY: not from the state that it is in; *why says which.
 *            -ENOTCONN: it cannot be told to panic.
 * Threads:   the loop's.
 */
#ifndef NL_OPS_LIFE_OPS_H
#define NL_OPS_LIFE_OPS_H

#include "base/why.h"
#include "machine/machine.h"

enum life_order {
	LIFE_STOP,
	LIFE_KILL,
	LIFE_PANIC,
	LIFE_START,
	LIFE_RESTART,
	LIFE_RESET,
	LIFE_PAUSE,
	LIFE_RESUME,
	LIFE_ORDERS,
};
const char *life_order_name(enum life_order order);
enum life_order life_order_find(const char *name); /* LIFE_ORDERS: there is none */
/* Is the machine to run when the order has been carried out? */
bool life_order_starts(enum life_order order);
/* Or has it been carried out when life_order() returns? */
bool life_order_takes_time(enum life_order order);

int life_order(struct machine *machine, enum life_order order, struct why *why);

#endif
