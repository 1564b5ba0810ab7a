/* SPDX-License-Identifier: MIT */
/* hold.h - keeping a frame beyond the call that brought it
 *
 * The first hold of a frame copies its bytes into a buffer; every other hold of
 * the same frame (a flood) shares that.
 */
#ifndef NL_SWITCH_HOLD_H
#define NL_SWITCH_HOLD_H

#include "switch/core.h"

/* Keep the frame in transit; NULL: the pool has no room for it. */
struct hold *hold_take(struct sw *sw, const struct transit *transit);
void hold_give(struct sw *sw, struct hold *hold);

/* The frame that is dealt with now: lent, or (hold) kept.  Nothing is copied in
 * vain, and nothing is freed while it is dealt with.  sw.trail is its trail, and
 * has room for more. */
void hold_begin_lent(struct sw *sw);
struct transit hold_begin(struct sw *sw, const struct hold *hold);
void hold_end(struct sw *sw);

void hold_list_append(struct hold_list *list, struct hold *hold);
void hold_list_prepend(struct hold_list *list, struct hold *hold);
struct hold *hold_list_pop(struct hold_list *list); /* NULL: it is empty */

#endif
