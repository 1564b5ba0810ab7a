/* SPDX-License-Identifier: MIT */
#include "switch/pool.h"

#include <stdlib.h>

#include "base/check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_FREE_BLOCKS
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_FREE_BLOCKS
#endif
#ifdef POISON_FREE_BLOCKS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size)	  ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

struct pool_block {
	struct pool_block *next; /* in a free list */
	struct pool_account *account;
	unsigned class;
	_Alignas(max_align_t) unsigned char memory[];
};

/* With the header: what a small frame, a queue entry, a frame of half size, a full
 * frame and a jumbo frame need. */
static const size_t class_bytes[POOL_CLASSES] = { 128, 256, 512, 2048, 9472 };

static struct pool_block *block_of(void *memory)
{
	return (struct pool_block *)((char *)memory -
				     offsetof(struct pool_block, memory));
}

void pool_init(struct pool *pool, uint64_t bytes_max)
{
	*pool = (struct pool){ .bytes_max = bytes_max };
}

static size_t payload_bytes(unsigned class)
{
	return class_bytes[class] - offsetof(struct pool_block, memory);
}

static struct pool_block *pop_free(struct pool *pool, unsigned class)
{
	struct pool_block *block = pool->free[class];

	if (block) {
		pool->free[class] = block->next;
		ASAN_UNPOISON_MEMORY_REGION(block->memory, payload_bytes(class));
	}
	return block;
}

/* Give idle blocks of other classes back to the system until there is room for
 * one more of this class. */
static void make_room(struct pool *pool, unsigned class)
{
	for (unsigned c = 0; c < POOL_CLASSES; c++) {
		while (pool->bytes_held + class_bytes[class] > pool->bytes_max) {
			struct pool_block *block = pop_free(pool, c);

			if (!block)
				break;
			pool->bytes_held -= class_bytes[c];
			free(block);
		}
	}
}

void pool_destroy(struct pool *pool)
{
	ASSERT(pool->bytes_taken == 0);
	for (unsigned c = 0; c < POOL_CLASSES; c++) {
		struct pool_block *block;

		while ((block = pop_free(pool, c)))
			free(block);
	}
	*pool = (struct pool){ 0 };
}

static struct pool_block *new_block(struct pool *pool, unsigned class)
{
	struct pool_block *block;

	make_room(pool, class);
	block = aligned_alloc(_Alignof(struct pool_block), class_bytes[class]);
	if (block) {
		block->class = class;
		pool->bytes_held += class_bytes[class];
	}
	return block;
}

static unsigned class_of(size_t size)
{
	unsigned class = 0;

	while (payload_bytes(class) < size) {
		class ++;
		ASSERT(class < POOL_CLASSES);
	}
	return class;
}

static void *take(struct pool *pool, struct pool_account *account, unsigned class)
{
	struct pool_block *block;

	block = pop_free(pool, class);
	if (!block)
		block = new_block(pool, class);
	if (!block)
		return NULL;
	block->account = account;
	account->bytes += class_bytes[class];
	pool->bytes_taken += class_bytes[class];
	return block->memory;
}

void *pool_take(struct pool *pool, struct pool_account *account, size_t size)
{
	unsigned class = class_of(size);

	if (account->bytes + pool->bytes_taken + class_bytes[class] > pool->bytes_max)
		return NULL;
	return take(pool, account, class);
}

void *pool_take_again(struct pool *pool, struct pool_account *account, size_t size)
{
	unsigned class = class_of(size);

	if (pool->bytes_taken + class_bytes[class] > pool->bytes_max)
		return NULL;
	return take(pool, account, class);
}

void pool_give(struct pool *pool, void *memory)
{
	struct pool_block *block = block_of(memory);
	size_t size = class_bytes[block->class];

	ASSERT(block->account->bytes >= size && pool->bytes_taken >= size);
	block->account->bytes -= size;
	pool->bytes_taken -= size;
	block->next = pool->free[block->class];
	pool->free[block->class] = block;
	ASAN_POISON_MEMORY_REGION(block->memory, payload_bytes(block->class));
}
