/* SPDX-License-Identifier: MIT */
/* compile.h - from a topology file to a plan
 *
 *	text ──read_json──► tree ──sets──► tree ──nodes, wiring──► build
 *	     ──addresses──► ──routes, hosts, partitions──► plan
 *
 * Pure but for two things, which topology_compile_file() adds: reading the file,
 * and asking which of the paths in it exist.  The same text, options and answers
 * give the same plan, to the byte of its JSON.
 *
 * Errors:    everything that is wrong goes to *diags (sorted, with places), and
 *            the result is -EINVAL.  A file that cannot be read is a complaint
 *            too, and the result is its -errno.  *out is NULL then: there is no
 *            half a plan.
 * Ownership: the caller's: plan_free(), diagnostics_free().
 * Threads:   any; nothing is shared.
 */
#ifndef NL_TOPOLOGY_COMPILE_H
#define NL_TOPOLOGY_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topology/diag.h"
#include "plan/plan.h"

enum path_kind { PATH_MISSING, PATH_DIR, PATH_FILE, PATH_OTHER };

/* All-zero: nothing is overridden.  Borrowed for the call. */
struct topology_options {
	/* "nodes.n1.memory=128M": put a value into the tree before it is looked
	 * at.  Path as in error messages; the value is JSON if it reads as JSON,
	 * else a string.  Missing objects on the way are made. */
	const char *const *sets;
	size_t set_count;

	bool seed_given;  /* instead of the file's */
	uint64_t seed;	  /* at most INT64_MAX, as in the file */
	const struct plan_cost *cost; /* of all nodes, instead of the file's; NULL */
	const char *name; /* of the lab, instead of the file's; NULL: the file's */

	/* What is at this absolute path?  NULL: nobody knows; then nothing is
	 * checked, and an image is a folder if its path ends in '/'. */
	enum path_kind (*probe)(void *ctx, const char *path);
	void *probe_ctx;
};

/* file: as it is to be named in messages and in the plan; dir: absolute folder
 * that relative paths start from. */
int topology_compile_text(const char *text, size_t size, const char *file,
			  const char *dir, const struct topology_options *options,
			  struct plan **out, struct diagnostics *diags);

/* Reads at most READ_JSON_BYTES_MAX bytes of a regular file, and looks at the
 * file system unless options->probe does. */
int topology_compile_file(const char *path, const struct topology_options *options,
			  struct plan **out, struct diagnostics *diags);
/* A copy of a file that lay at `original` (absolute; it need not be there any more):
 * paths in it are relative to where that lies. */
int topology_compile_copy(const char *path, const char *original,
			  const struct topology_options *options, struct plan **out,
			  struct diagnostics *diags);

#endif
