/* SPDX-License-Identifier: MIT */
/* caps.h - giving up capabilities for good
 *
 * Errors:  0 or -errno with *why.
 * Threads: the caller's only.
 */
#ifndef NL_NODE_CAPS_H
#define NL_NODE_CAPS_H

#include <stdint.h>

#include "base/why.h"

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

/* Keep these (a mask of CAPS_BIT) of what we have, lose the rest, also from the
 * bounding set, and gain nothing by exec any more (no-new-privs). */
int caps_keep(uint64_t mask, struct why *why);

#endif
