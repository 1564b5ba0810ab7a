/* SPDX-License-Identifier: MIT */
/* dot.h - a plan as a drawing, in Graphviz' language
 *
 * Machines are boxes, networks ellipses; a link carries its name, the interfaces
 * at its ends and the faults of its directions.
 */
#ifndef NL_CLI_DOT_H
#define NL_CLI_DOT_H

#include <stdio.h>

#include "plan/plan.h"

/* For between two '"': names are of a few letters, but a service's or a link's may hold
 * a quote. */
void dot_quoted(FILE *out, const char *text);
void dot_print(const struct plan *plan, FILE *out);

#endif
