/* SPDX-License-Identifier: MIT */
/* site.h - somewhere a small program can run: here, or in a machine
 *
 * For `cp`: packing and unpacking is the same program on both sides, only the way
 * to its stdin and stdout differs.  site_pipe() joins two of them:
 *
 *	source's stdout ──► at most PIPE_BYTES ──► sink's stdin
 *
 * A side that is slow holds the other up; memory stays bounded.  Two machines are
 * served over two connections, so that neither can block the other's credit.
 *
 * Errors:    0 or -errno; *why has the program's own last words where it failed.
 * Ownership: site_close() closes what site_open() opened.
 */
#ifndef NL_CLI_SITE_H
#define NL_CLI_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"

struct client;
struct pipe_job;

struct site {
	const char *word; /* as the user wrote it */
	char node[64];    /* "": here */
	const char *path;
	struct client *client; /* its own; NULL here */
};

/* "NODE:PATH" or a path here.  lab: to connect to, if needed. */
int site_open(struct site *place, const char *word, const char *lab, struct why *why);
void site_close(struct site *place);

/* The source's program writes, the sink's reads. */
int site_pipe(struct site *source, const struct pipe_job *job, struct site *sink,
	       const struct pipe_job *sink_job, struct why *why);

#endif
