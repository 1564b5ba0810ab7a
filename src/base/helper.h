/* SPDX-License-Identifier: MIT */
/* helper.h - work that may take long, in a short-lived process of its own
 *
 * A fork runs one function, which leaves bytes as its result; then it ends.  It has a time
 * to do so, after which it is ended.  What it allocates, opens or breaks dies with it.
 *
 *	helper_start() ──► runs ──ends, or its time is over──► over ──► helper_free()
 *	                    └── helper_wait(), or a watch of helper_fd()
 *
 * Errors:    0 or -errno.  -ETIMEDOUT: its time was over; the function's own otherwise.
 * Ownership: helper_free() ends it if it still runs.  The result is lent until then.
 * Units:     milliseconds of the host's, of processor and of waiting alike.
 * Threads:   one.  The function runs in a copy of the process that has no other thread.
 */
#ifndef NL_BASE_HELPER_H
#define NL_BASE_HELPER_H

#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

struct helper;

/* Leave *size bytes, at most room, at result.  Has no descriptors but 0 to 2. */
typedef int helper_fn(void *ctx, uint8_t *result, size_t room, size_t *size,
		      struct why *why);

int helper_start(struct helper **out, helper_fn *work, void *ctx, size_t room,
		 unsigned limit_ms, struct why *why);
/* Readable once it is over. */
int helper_fd(const struct helper *helper);
/* What came of it: waits for its end if it is not over yet. */
int helper_wait(struct helper *helper, const uint8_t **bytes, size_t *size,
		struct why *why);
void helper_free(struct helper *helper); /* NULL does nothing */

#endif
