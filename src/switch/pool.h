/* SPDX-License-Identifier: MIT */
/* pool.h - memory for frames that wait, with one limit for all and a fair share each
 *
 * Blocks come in a few size classes.  A block that is given back stays in its
 * class's free list, so a lab in its stride allocates nothing; what the pool holds
 * in all, free lists included, never exceeds bytes_max.
 *
 * Each block is charged to an account (the port where the frame came from).  An
 * account may hold at most as much as is left for everybody: one alone gets half
 * of the pool, n that are all greedy get 1/(n+1) each, and who holds little finds
 * room even then.  So a guest that fills a slow link starves itself only.
 *
 * Errors:    pool_take() returns NULL when the share or the memory is used up.
 * Ownership: a block belongs to its taker until pool_give().
 * Threads:   one.
 */
#ifndef NL_SWITCH_POOL_H
#define NL_SWITCH_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_CLASSES = 5 };

struct pool_account {
	uint64_t bytes; /* of the blocks it holds */
};

struct pool_block;

struct pool {
	uint64_t bytes_max;
	uint64_t bytes_held;  /* blocks in use and in free lists */
	uint64_t bytes_taken; /* blocks in use */
	struct pool_block *free[POOL_CLASSES];
};

void pool_init(struct pool *pool, uint64_t bytes_max);
void pool_destroy(struct pool *pool); /* every block has been given back */

void *pool_take(struct pool *pool, struct pool_account *account, size_t size);
/* As it was taken once: its account may have more than its share by now. */
void *pool_take_again(struct pool *pool, struct pool_account *account, size_t size);
void pool_give(struct pool *pool, void *memory);

#endif
