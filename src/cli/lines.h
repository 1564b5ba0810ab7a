/* SPDX-License-Identifier: MIT */
/* lines.h - whole lines out of a stream of pieces, each with a name in front
 *
 * So that what several machines say at once can be read.  A line longer than
 * LINES_BYTES_MAX is broken.
 *
 * Errors: those of the stream (ui.h).  Ownership: lines_end() gives out what is left and frees.
 */
#ifndef NL_CLI_LINES_H
#define NL_CLI_LINES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { LINES_BYTES_MAX = 64 << 10 };

struct lines {
	FILE *out;
	const char *prefix; /* borrowed; NULL or "": none */
	char *text;
	size_t have, room;
};

void lines_put(struct lines *lines, const uint8_t *bytes, size_t size);
void lines_end(struct lines *lines);

#endif
