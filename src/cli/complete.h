/* SPDX-License-Identifier: MIT */
/* complete.h - what the word under the cursor can become
 *
 * The scripts of `netlab completion` call `netlab __complete SHELL BREAKS LINE` with
 * the line up to the cursor; the answer is a line per candidate, "WORD<tab>what it
 * is", or one of
 *
 *	:files		names of files here
 *	:folders	names of folders here
 *
 * BREAKS are the characters at which the shell (bash) takes words apart by itself:
 * candidates then begin after the last of them in the word.
 *
 * All of it comes from the table of commands, from asking the lab, briefly, and from
 * the store of kernels; no lab, no candidates, never an error.
 *
 * Ownership: complete_line()'s sink borrows its strings for the call.
 */
#ifndef NL_CLI_COMPLETE_H
#define NL_CLI_COMPLETE_H

#include <stddef.h>

#include "cli/node_set.h"

enum { COMPLETE_WORDS_MAX = 128 };

/* What the lab knows; all empty if there is none. */
struct complete_facts {
	struct nodes labs, nodes, links, ports, services, partitions;
};

struct complete_sink {
	void (*offer)(void *ctx, const char *word, const char *brief);
	void *ctx;
};

/* Asks for facts only if they are needed: *lab is -l's value or NULL, *node the
 * machine whose services are wanted or NULL. */
typedef void complete_ask(struct complete_facts *facts, const char *lab,
			  const char *node);

void complete_line(const char *line, const char *breaks, complete_ask *ask,
		   const struct complete_sink *sink);

#endif
