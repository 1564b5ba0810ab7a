/* SPDX-License-Identifier: MIT */
/* read_json.h - strict JSON into a tree that knows its places
 *
 * The project's JSON library is jansson, here as well for all output.  Reading
 * a topology is the one exception: jansson keeps no position of a value, and
 * merges or refuses duplicate keys without telling where the two are, while
 * every error of a topology file has to name line and column.
 *
 * RFC 8259, without extensions: no comments, no trailing commas, no byte-order
 * mark; strings are well-formed UTF-8 without U+0000.
 *
 * Duplicate keys and values that are too long are reported and reading goes on;
 * the first value of a duplicate key is kept.  An error of syntax ends it, as
 * nothing after it could be trusted.
 *
 * Errors:    reported to diags.  NULL if there is no tree, else a tree that may
 *            have been complained about.
 * Limits:    READ_JSON_BYTES_MAX, READ_JSON_DEPTH_MAX, READ_JSON_VALUES_MAX.
 * Ownership: the tree and its strings are the arena's; text is borrowed.
 * Threads:   one.
 */
#ifndef NL_TOPOLOGY_READ_JSON_H
#define NL_TOPOLOGY_READ_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "topology/diag.h"
#include "topology/tree.h"

enum {
	READ_JSON_BYTES_MAX = 16 << 20,
	READ_JSON_DEPTH_MAX = 64,
	READ_JSON_VALUES_MAX = 1 << 20,
};

struct tree *read_json(struct arena *arena, const char *text, size_t size,
		       uint32_t source, struct diagnostics *diags);

#endif
