/* SPDX-License-Identifier: MIT */
#include "partition/cut_matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static size_t words(uint32_t nodes)
{
	return ((size_t)nodes * nodes + 63) / 64;
}

int cut_matrix_init(struct cut_matrix *matrix, uint32_t nodes, struct why *why)
{
	*matrix = (struct cut_matrix){ .nodes = nodes };
	if (nodes > CUT_MATRIX_NODES_MAX)
		return why_set(why, -EINVAL,
			       "switch: %u nodes are more than the %d it serves", nodes,
			       CUT_MATRIX_NODES_MAX);
	matrix->bits = calloc(words(nodes) + 1, sizeof(*matrix->bits));
	if (!matrix->bits)
		return why_set(why, -ENOMEM, "switch: out of memory for the partitions");
	return 0;
}

void cut_matrix_destroy(struct cut_matrix *matrix)
{
	free(matrix->bits);
	*matrix = (struct cut_matrix){ 0 };
}

void cut_matrix_set(struct cut_matrix *matrix, uint32_t from, uint32_t to, bool cut)
{
	size_t bit = (size_t)from * matrix->nodes + to;
	uint64_t mask = UINT64_C(1) << bit % 64;

	ASSERT(from < matrix->nodes && to < matrix->nodes);
	if (cut == cut_matrix_get(matrix, from, to))
		return;
	matrix->bits[bit / 64] ^= mask;
	matrix->cuts += cut ? 1 : -1u;
}

void cut_matrix_clear(struct cut_matrix *matrix)
{
	memset(matrix->bits, 0, words(matrix->nodes) * sizeof(*matrix->bits));
	matrix->cuts = 0;
}
