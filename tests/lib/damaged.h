/* SPDX-License-Identifier: MIT */
/* damaged.h - a record that is cut short or changed is refused, and crashes nobody */
#ifndef NL_TESTS_DAMAGED_H
#define NL_TESTS_DAMAGED_H

#include "base/record.h"

/* Loads into something fresh, looks that what came of it can be used, and throws that
 * away. */
typedef int damaged_load(void *ctx, struct record *record, struct why *why);

/* The one record in bytes, cut at each byte and changed in each: refused, with a reason.
 * Then changed and given a right checksum, as nobody would by accident: refused with a
 * reason, or loaded.  Returns how many of these were refused. */
unsigned damaged_is_refused(const uint8_t *bytes, size_t size, damaged_load *load,
			    void *ctx);

#endif
