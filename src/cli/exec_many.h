/* SPDX-License-Identifier: MIT */
/* exec_many.h - one command in several machines at one time
 *
 * Each line that one of them prints comes with the machine's name before it; with json all
 * is kept, at most 16 MiB of each stream, and printed as one array at the end.  None of
 * them has a standard input.
 *
 * Errors:    told on standard error, each with its machine.  STATUS_DONE only if every one
 *            ended well.
 * Ownership: what, the request's "argv" and the like, is taken over.
 * Threads:   one.
 */
#ifndef NL_CLI_EXEC_MANY_H
#define NL_CLI_EXEC_MANY_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/node_set.h"

int exec_many(const struct nodes *nodes, struct client *client, json_t *what, bool json);

#endif
