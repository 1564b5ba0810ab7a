/* SPDX-License-Identifier: MIT */
/* gate.h - lets a pcapng stream pass until it holds so many frames
 *
 * Blocks that are no packets always pass, so the interface statistics at the end
 * come through.  Works on pieces of any size.  A stream that is no pcapng of this
 * machine's byte order passes whole, uncounted.
 *
 * Errors: none.  Ownership: nothing is kept.  Pure.
 */
#ifndef NL_CLI_GATE_H
#define NL_CLI_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATE_HEADER_BYTES = 8 };

struct gate {
	uint64_t limit;  /* 0: none */
	uint64_t frames; /* that passed */
	bool blind;      /* this is no pcapng */
	bool drop;       /* the block that is on its way */
	uint32_t left;   /* bytes of it */
	uint8_t header[GATE_HEADER_BYTES];
	size_t header_have;
};

/* out has room for size + GATE_HEADER_BYTES.  Returns the bytes in it. */
size_t gate_pass(struct gate *gate, const uint8_t *in, size_t size, uint8_t *out);
bool gate_full(const struct gate *gate);

#endif
