/* SPDX-License-Identifier: MIT */
/* rule_name.h - rules' names as small numbers, for notes
 *
 * A note travels with a frame and may outlive the rule that made it, so it cannot
 * borrow the rule's name, and has no room for it.  Each name that is new gets the next
 * number, for the life of the process; the number is nothing to rely on elsewhere.
 *
 * Errors:    when there are RULE_NAMES_MAX, or memory is short, a new name gets the
 *            number of "?".
 * Ownership: the texts stay.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_RULE_NAME_H
#define NL_LINKFAULT_RULE_NAME_H

#include <stdint.h>

enum { RULE_NAMES_MAX = 4096 };

/* 0 for "", the link's own. */
uint16_t rule_name_number(const char *name);
const char *rule_name_text(uint16_t number);

#endif
