/* SPDX-License-Identifier: MIT */
/* supplies.h - what a request needs that takes long to make, made before it is served
 *
 * Long filters are compiled in a helper process (linkfault/filter.h) while the loop goes
 * on, and files that a fault names are read there; the request waits in its connection
 * (control.h, prepare) and is served when what it needs is there.  One thing is made at a
 * time.  The last few filters stay, so that a request that needs several comes to its end.
 * What was read of files is there until ready() returns: who asks again reads them again.
 *
 *	supplies_*() ──1──► helper runs ──► ready(): the request asks again ──► 0
 *
 * Errors:    the filter's or the file's own; -EINVAL also if it takes too long.
 * Threads:   the loop's.
 */
#ifndef NL_LAB_SUPPLIES_H
#define NL_LAB_SUPPLIES_H

#include "base/loop.h"
#include "base/why.h"
#include "faultwords/fault_words.h"

struct supplies;

int supplies_create(struct supplies **out, struct loop *loop, void (*ready)(void *ctx),
		    void *ctx, struct why *why);
void supplies_destroy(struct supplies *supplies); /* NULL does nothing */

/* 0: filter_compile() does not take long.  1: ready() will be called, ask again then. */
int supplies_filter(struct supplies *supplies, const char *text, struct why *why);
/* The same of fault_words_from_json() with these words, and context->files, where the files
 * are kept. */
int supplies_files(struct supplies *supplies, const struct fault_context *context,
		   const json_t *words, struct why *why);

#endif
