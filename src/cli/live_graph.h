/* SPDX-License-Identifier: MIT */
/* live_graph.h - a lab that runs as a drawing, in Graphviz' language
 *
 * As dot.h draws a plan: machines are boxes, networks ellipses, a link carries its name
 * and the faults of its directions.  Here they are those in force at this moment; a
 * machine's colour is its state, a link that is down is dotted, and who is cut off from
 * whom is an arrow of its own.
 *
 * Ownership: the answer to `inspect` is lent.
 * Threads:   any.
 */
#ifndef NL_CLI_LIVE_GRAPH_H
#define NL_CLI_LIVE_GRAPH_H

#include <jansson.h>
#include <stdio.h>

void live_graph_print(const json_t *lab, FILE *out);

#endif
