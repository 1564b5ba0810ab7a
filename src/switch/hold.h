/* SPDX-License-Identifier: MIT */
/* hold.h - keeping a frame beyond the call that brought it
 *
 * The first hold of a frame copies its bytes into a buffer; every other hold of
 * the same frame (a flood) shares that.
 */
#ifndef NL_SWITCH_HOLD_H
#define NL_SWITCH_HOLD_H

#include "switch/core.h"

/* Keep the frame in transit, with room for so many notes more; NULL: the pool has no
 * room for it. */
struct hold *hold_take(struct sw *sw, const struct transit *transit, unsigned more_notes);
/* One that waited when its switch was saved: its bytes are those of another one, or (buffer
 * NULL) its own, to be filled.  NULL: no room. */
struct hold *hold_again(struct sw *sw, struct port *from, uint32_t size, unsigned room,
			struct buffer *buffer);
/* See that nobody else has its bytes; false: the pool has no room for a copy. */
bool hold_own_bytes(struct sw *sw, struct hold *hold);
void hold_give(struct sw *sw, struct hold *hold);

/* The frame that is dealt with now: lent, or (hold) kept.  Nothing is copied in
 * vain, and nothing is freed while it is dealt with.  sw.trail is its trail, and
 * has room for more. */
void hold_begin_lent(struct sw *sw);
struct transit hold_begin(struct sw *sw, const struct hold *hold);
void hold_end(struct sw *sw);

/* From here on the frame in transit is a copy that may be changed: returns its bytes,
 * or NULL.  hold_edit_end() with what that left in *before. */
uint8_t *hold_edit_begin(struct sw *sw, struct transit *transit, struct buffer **before);
void hold_edit_end(struct sw *sw, struct buffer *before);

void hold_list_append(struct hold_list *list, struct hold *hold);
void hold_list_prepend(struct hold_list *list, struct hold *hold);
/* The one behind `before`, which is there. */
struct hold *hold_list_remove_after(struct hold_list *list, struct hold *before);
struct hold *hold_list_pop(struct hold_list *list); /* NULL: it is empty */

#endif
