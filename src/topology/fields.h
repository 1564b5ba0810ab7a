/* SPDX-License-Identifier: MIT */
/* fields.h - taking values out of the tree, and saying what is wrong with them
 *
 * Each function looks at one value and returns what it is, or complains and
 * returns nothing.  A value that is NULL (the key is not there) is quietly
 * nothing.
 *
 * Errors: to diags.  Ownership: results are borrowed from the tree.
 */
#ifndef NL_TOPOLOGY_FIELDS_H
#define NL_TOPOLOGY_FIELDS_H

#include <stdbool.h>

#include "topology/diag.h"
#include "plan/ipnet.h"
#include "topology/tree.h"

/* Complain about every key that is neither in keys (NULL at the end), nor a
 * fault's word where those are allowed, nor begins with "x-". */
void field_keys(struct diagnostics *diags, const struct tree *object,
		const char *const *keys, bool with_faults);

bool field_is_note(const char *key); /* "x-..." */

const struct tree *field_object(struct diagnostics *diags, const struct tree *value);
const struct tree *field_array(struct diagnostics *diags, const struct tree *value);
const char *field_string(struct diagnostics *diags, const struct tree *value);
/* The same, not empty. */
const char *field_text(struct diagnostics *diags, const struct tree *value);
bool field_integer(struct diagnostics *diags, const struct tree *value, int64_t from,
		   int64_t to, int64_t *out);
/* A date; 0: it is not there, or wrong. */
uint64_t field_epoch(struct diagnostics *diags, const struct tree *value);
bool field_bool(struct diagnostics *diags, const struct tree *value, bool *out);

/* A quantity in a string; like: an example for who writes a bare number. */
typedef int field_parse_fn(const char *text, uint64_t *out, struct why *why);
bool field_quantity(struct diagnostics *diags, const struct tree *value,
		    field_parse_fn *parse, const char *like, uint64_t from, uint64_t to,
		    const char *range, uint64_t *out);

#endif
