/* SPDX-License-Identifier: MIT */
/* arena.h - memory that one compilation uses and gives back at once
 *
 * The tree of the file, the tables of names and all intermediate records live
 * in an arena; nothing in it is freed alone.
 *
 * Errors:    none.  What a file can ask for is bounded by the limits of the
 *            reader and of the plan; when even that cannot be had, the process
 *            ends, as a lab could not run in what is left.
 * Ownership: arena_free() frees everything that came from it.
 * Threads:   one.
 */
#ifndef NL_BASE_ARENA_H
#define NL_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

/* All-zero is an empty arena. */
struct arena {
	struct arena_block *blocks;
	size_t left; /* bytes free in the newest block */
	char *at;
};

void arena_free(struct arena *arena);

/* Zeroed and aligned for anything. */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_strndup(struct arena *arena, const char *text, size_t bytes);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for one more item in a heap array that grows by doubling; returns the
 * array.  For arrays that end up in the plan. */
void *array_grow(void *array, size_t count, size_t item_bytes);

/* calloc, malloc'ed copy and printf that do not return without memory. */
void *heap_zeroed(size_t count, size_t bytes);
char *heap_strdup(const char *text);
char *heap_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
