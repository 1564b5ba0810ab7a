/* SPDX-License-Identifier: MIT */
/* cut_matrix.h - which node's frames may not reach which node
 *
 * One bit for each ordered pair of nodes.
 *
 * Errors:    cut_matrix_init() only.
 * Ownership: the matrix owns its bits.
 * Threads:   one.
 */
#ifndef NL_PARTITION_CUT_MATRIX_H
#define NL_PARTITION_CUT_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum { CUT_MATRIX_NODES_MAX = 16384 };

struct cut_matrix {
	uint32_t nodes;
	uint32_t cuts; /* bits that are set: with none, nobody looks further */
	uint64_t *bits;
};

int cut_matrix_init(struct cut_matrix *matrix, uint32_t nodes, struct why *why);
void cut_matrix_destroy(struct cut_matrix *matrix);

void cut_matrix_set(struct cut_matrix *matrix, uint32_t from, uint32_t to, bool cut);
void cut_matrix_clear(struct cut_matrix *matrix);

static inline bool cut_matrix_get(const struct cut_matrix *matrix, uint32_t from,
				  uint32_t to)
{
	size_t bit = (size_t)from * matrix->nodes + to;

	return matrix->cuts && (matrix->bits[bit / 64] >> bit % 64 & 1);
}

#endif
