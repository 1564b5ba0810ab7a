/* SPDX-License-Identifier: MIT */
/* sets.h - `--set nodes.n1.memory=128M`
 *
 * Puts values into the tree of a topology before it is compiled.  The path is
 * written as in error messages: words with dots between, [3] for the item of an
 * array, ["a.b"] for a key that is more than a word; brackets that hold neither
 * belong to the word, so nodes.n[1-3].memory works.  The value is JSON if it
 * reads as JSON, else a string.
 *
 * Errors:    to diags, with the override as place.
 * Ownership: new values are the arena's; the texts are borrowed.
 */
#ifndef NL_TOPOLOGY_SETS_H
#define NL_TOPOLOGY_SETS_H

#include "topology/diag.h"
#include "topology/tree.h"

/* Apply diags->sets[index]. */
void sets_apply(struct arena *arena, struct tree *root, size_t index,
		struct diagnostics *diags);

#endif
