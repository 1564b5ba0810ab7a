/* SPDX-License-Identifier: MIT */
#include "cli/gate.h"

#include <string.h>

enum {
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
	BLOCK_BYTES_MIN = 12,
	BLOCK_BYTES_MAX = 64 << 20,
};

bool gate_full(const struct gate *g)
{
	return g->limit && g->frames >= g->limit;
}

/* The header is whole: what is this block? */
static size_t begin_block(struct gate *g, uint8_t *out)
{
	uint32_t type, bytes;

	memcpy(&type, g->header, sizeof(type));
	memcpy(&bytes, g->header + sizeof(type), sizeof(bytes));
	g->header_have = 0;
	if (bytes < BLOCK_BYTES_MIN || bytes > BLOCK_BYTES_MAX || bytes % 4) {
		g->blind = true;
		memcpy(out, g->header, GATE_HEADER_BYTES);
		return GATE_HEADER_BYTES;
	}
	g->left = bytes - GATE_HEADER_BYTES;
	g->drop = false;
	if (type == BLOCK_ENHANCED || type == BLOCK_SIMPLE) {
		g->drop = gate_full(g);
		g->frames += !g->drop;
	}
	if (g->drop)
		return 0;
	memcpy(out, g->header, GATE_HEADER_BYTES);
	return GATE_HEADER_BYTES;
}

size_t gate_pass(struct gate *g, const uint8_t *in, size_t size, uint8_t *out)
{
	size_t used = 0, n;

	while (size) {
		if (g->blind || g->left) {
			n = g->blind || size < g->left ? size : g->left;
			if (!g->drop || g->blind) {
				memcpy(out + used, in, n);
				used += n;
			}
			if (!g->blind)
				g->left -= (uint32_t)n;
		} else {
			n = GATE_HEADER_BYTES - g->header_have;
			if (n > size)
				n = size;
			memcpy(g->header + g->header_have, in, n);
			g->header_have += n;
			if (g->header_have == GATE_HEADER_BYTES)
				used += begin_block(g, out + used);
		}
		in += n;
		size -= n;
	}
	return used;
}
