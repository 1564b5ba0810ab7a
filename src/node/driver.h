/* SPDX-License-Identifier: MIT */
/* driver.h - what a kind of machine has to offer (node.h is for users)
 *
 * A driver turns a plan into a running jail; watching and ending it is the same
 * for all kinds.  A new kind is a file and a line in the table of node.c.
 */
#ifndef NL_NODE_DRIVER_H
#define NL_NODE_DRIVER_H

#include "base/why.h"
#include "node/jail.h"
#include "node/node.h"

struct node_driver {
	const char *kind; /* as in the topology file */
	int (*start)(struct jail *out, const struct node_start *start, struct why *why);
	/* In words: how did it end? */
	void (*describe)(int wait_status, char *how, size_t how_bytes);
};

extern const struct node_driver uml_driver;

#endif
