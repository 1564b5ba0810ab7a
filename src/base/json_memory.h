/* SPDX-License-Identifier: MIT */
/* json_memory.h - JSON that found no memory is not taken for whole
 *
 * jansson's ways to put a value into an object say little when there is no memory: the
 * value is not there, and an answer or an entry of the journal would lack a part that
 * nobody misses.  So its memory is asked for here, and what is made of JSON asks at
 * its end whether all of it was to be had.
 *
 * Errors:    none.
 * Ownership: jansson's.
 * Threads:   one makes JSON.
 */
#ifndef NL_BASE_JSON_MEMORY_H
#define NL_BASE_JSON_MEMORY_H

#include <stdbool.h>

/* Before the first JSON of the process. */
void json_memory_watch(void);
/* Has JSON found no memory since this was asked last? */
bool json_memory_was_short(void);

#endif
