/* SPDX-License-Identifier: MIT */
#include "base/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

static bool was_short;

static void *watched(size_t size)
{
	void *memory = malloc(size);

	was_short |= !memory;
	return memory;
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(watched, free);
}

bool json_memory_was_short(void)
{
	bool answer = was_short;

	was_short = false;
	return answer;
}
