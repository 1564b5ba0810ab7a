/* SPDX-License-Identifier: MIT */
/* supplies.h - what a request needs that takes long to make, made before it is served
 *
 * Long filters are compiled in a helper process (linkfault/filter.h) while the loop goes
 * on; the request waits in its connection (control.h, prepare) and is served when its
 * filter is there.  One is made at a time.  The last few stay, so that a request that
 * needs several comes to its end.
 *
 *	supplies_filter() ──1──► helper runs ──► ready(): the request asks again ──► 0
 *
 * Errors:    supplies_filter(): the filter's own; -EINVAL also if it takes too long.
 * Threads:   the loop's.
 */
#ifndef NL_LAB_SUPPLIES_H
#define NL_LAB_SUPPLIES_H

#include "base/loop.h"
#include "base/why.h"

struct supplies;

int supplies_create(struct supplies **out, struct loop *loop, void (*ready)(void *ctx),
		    void *ctx, struct why *why);
void supplies_destroy(struct supplies *supplies); /* NULL does nothing */

/* 0: filter_compile() does not take long.  1: ready() will be called, ask again then. */
int supplies_filter(struct supplies *supplies, const char *text, struct why *why);

#endif
