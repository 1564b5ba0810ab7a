/* SPDX-License-Identifier: MIT */
/* clearing.h - all faults of a lab go back to what its topology file says
 *
 * A network of a hundred machines has ten thousand pairs, each of which may have faults, and
 * to clear one takes some microseconds.  So in real time some are cleared a turn of the loop,
 * all in all those that there were when it was asked for, and the request is answered at the
 * end, with what came after it on its connection.  It is done to the end also if the client
 * goes away.
 *
 * Errors:    0 or -errno with *why.  What fails on the way is told in the answer.
 * Ownership: the lab's, by clearings_drop() when it ends.
 * Threads:   the loop's.
 */
#ifndef NL_LAB_CLEARING_H
#define NL_LAB_CLEARING_H

#include "control/control.h"
#include "lab/lab_internal.h"

int clearing_begin(struct lab *lab, struct call *call, struct why *why);
void clearings_drop(struct lab *lab);

#endif
