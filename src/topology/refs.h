/* SPDX-License-Identifier: MIT */
/* refs.h - from "n1", "n[1-3]" or "n" to nodes
 *
 * A reference is the name of a node, a range of names, or a key of "nodes" with
 * a "count", which stands for all nodes that it makes.
 *
 * Errors:    to diags: what is no reference, and the first node that is missing.
 * Ownership: the arena's.
 */
#ifndef NL_TOPOLOGY_REFS_H
#define NL_TOPOLOGY_REFS_H

#include "topology/stages.h"

struct refs {
	uint32_t *nodes;
	size_t count;
};

/* The first size bytes of text, which stands in value. */
bool refs_resolve(struct build *b, const struct tree *value, const char *text,
		  size_t size, struct refs *out);

/* An array of references, as one list; a node that is in it twice is an error.
 * false if anything was wrong. */
bool refs_resolve_list(struct build *b, const struct tree *array, struct refs *out);

#endif
