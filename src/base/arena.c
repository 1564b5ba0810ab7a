/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { ARENA_BLOCK_BYTES = 64 << 10, ARENA_ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	char bytes[] __attribute__((aligned(ARENA_ALIGN)));
};

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	*arena = (struct arena){ 0 };
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	/* Never nothing: not even an empty array is a null pointer. */
	size_t need = (bytes + !bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	void *out;

	if (need > arena->left) {
		size_t room = need > ARENA_BLOCK_BYTES ? need : ARENA_BLOCK_BYTES;
		struct arena_block *block = calloc(1, sizeof(*block) + room);

		ASSERT(block);
		block->next = arena->blocks;
		arena->blocks = block;
		arena->at = block->bytes;
		arena->left = room;
	}
	out = arena->at;
	arena->at += need;
	arena->left -= need;
	return out;
}

char *arena_strndup(struct arena *arena, const char *text, size_t bytes)
{
	char *copy = arena_alloc(arena, bytes + 1);

	memcpy(copy, text, bytes);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int size;

	va_start(ap, fmt);
	va_copy(again, ap);
	size = vsnprintf(NULL, 0, fmt, ap);
	ASSERT(size >= 0);
	text = arena_alloc(arena, (size_t)size + 1);
	vsnprintf(text, (size_t)size + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void *array_grow(void *array, size_t count, size_t item_bytes)
{
	/* Full exactly when the count is a power of two (or nothing yet). */
	if (count & (count - 1))
		return array;
	array = reallocarray(array, count ? 2 * count : 1, item_bytes);
	ASSERT(array);
	return array;
}

void *heap_zeroed(size_t count, size_t bytes)
{
	void *out = calloc(count ? count : 1, bytes);

	ASSERT(out);
	return out;
}

char *heap_strdup(const char *text)
{
	char *copy = strdup(text);

	ASSERT(copy);
	return copy;
}

char *heap_printf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int size;

	va_start(ap, fmt);
	size = vasprintf(&text, fmt, ap);
	va_end(ap);
	ASSERT(size >= 0);
	return text;
}
