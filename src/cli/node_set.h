/* SPDX-License-Identifier: MIT */
/* node_set.h - words that mean machines: "n1", "n1,n3", "n[1-3]", "all"
 *
 * A word is a list with commas.  Each part is a machine's name, "all", or a range
 * "n[1-3,7]" (its numbers as in the topology file).  A machine that is really called
 * "all" is that machine.
 *
 * Errors:    -ENOENT or -EINVAL; the line names the part and what there is.
 * Ownership: the result is the caller's, freed with node_set_free(); names in it are
 *            copies.
 * Threads:   one; all are pure that have no client.
 */
#ifndef NL_CLI_NODE_SET_H
#define NL_CLI_NODE_SET_H

#include <jansson.h>
#include <stddef.h>

#include "base/why.h"

struct client;

struct nodes {
	char **names;
	size_t count;
};

/* Each machine once, in the order in which the words name them. */
int node_set_select(struct nodes *out, const struct nodes *all, const char *words,
		 struct why *why);
/* "n1,n2|n3" as the protocol's array of arrays; at least two sides, no machine on
 * two of them; a side "*" is those on no other side. */
int node_set_sides(json_t **out, const struct nodes *all, const char *text, struct why *why);
/* Those of the lab that the words name. */
int node_set_named(struct nodes *out, struct client *client, const char *words,
		   struct why *why);
/* Every machine of the lab, in the order of the topology. */
int node_set_of_lab(struct nodes *out, struct client *client, struct why *why);
int node_set_add(struct nodes *nodes, const char *name, struct why *why);
long node_set_find(const struct nodes *nodes, const char *name, size_t bytes); /* or -1 */
void node_set_free(struct nodes *nodes);

#endif
