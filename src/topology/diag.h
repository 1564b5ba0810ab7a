/* SPDX-License-Identifier: MIT */
/* diag.h - everything that is wrong with a topology file
 *
 * The compiler does not stop at the first error: it collects them here, each
 * with its place, its JSON path, what was found and what was expected.
 *
 *	lab.json:7:13: error: nodes.n1.memroy: unknown key; did you mean "memory"?
 *	--set nodes.n1.memory=1: error: nodes.n1.memory: a bare number has no unit: ...
 *
 * At most DIAGNOSTICS_MAX are kept; more are counted, until there are enough for
 * whatever wrote the file to be at fault rather than a slip.
 *
 * Errors:    none (see arena.h).
 * Ownership: diagnostics_free() frees what was collected.
 * Threads:   one.
 */
#ifndef NL_TOPOLOGY_DIAG_H
#define NL_TOPOLOGY_DIAG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "topology/tree.h"

enum {
	DIAGNOSTICS_MAX = 50,
	DIAGNOSTICS_ENOUGH = 1000, /* found; looking for more only takes time */
};

struct diagnostic {
	struct tree_place at; /* line 0: of the whole file */
	char *where;	      /* the file, or "--set KEY=VALUE" */
	char *path;	      /* nodes.n1.memory; "" for the document */
	char *message;
	char *suggestion; /* a key or name that was perhaps meant, or NULL */
};

/* Start with all-zero. */
struct diagnostics {
	struct diagnostic items[DIAGNOSTICS_MAX];
	size_t count; /* in items */
	size_t total; /* found */

	/* While compiling; borrowed. */
	const char *file;
	const char *const *sets;
};

void diagnostics_free(struct diagnostics *diags);

static inline bool diagnostics_enough(const struct diagnostics *diags)
{
	return diags->total >= DIAGNOSTICS_ENOUGH;
}

/* In the order of the file. */
void diagnostics_sort(struct diagnostics *diags);

/* One line each, and "and N more errors" at the end. */
void diagnostics_print(const struct diagnostics *diags, FILE *to);

/* {"errors":[{"file","line","column","path","message","suggestion"}],"total":N};
 * NULL when memory is short.  The caller's. */
json_t *diagnostics_to_json(const struct diagnostics *diags);

/* The value is wrong. */
void complain(struct diagnostics *diags, const struct tree *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The member's key is wrong; suggestion may be NULL. */
void complain_key(struct diagnostics *diags, const struct tree *member,
		  const char *suggestion, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The value is wrong, and suggestion (may be NULL) was perhaps meant. */
void complain_near(struct diagnostics *diags, const struct tree *value,
		   const char *suggestion, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* At a place of the text, below parent (may be NULL). */
void complain_place(struct diagnostics *diags, struct tree_place at,
		    const struct tree *parent, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
