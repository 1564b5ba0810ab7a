/* SPDX-License-Identifier: MIT */
/* origin.h - what a run in virtual time began with, so that it can begin again
 *
 *	RUN/origin.json		the options of `up`, and the files that machines could
 *				see, with their hashes (digest_hash())
 *	RUN/topology.json	the topology file as it was
 *
 * Listed are the kernels, netlab's own parts, images that are files, and what lies in the
 * topology's folder, which machines see as /lab, but for run directories: at most
 * ORIGIN_FILES_MAX files of ORIGIN_BYTES_MAX together; "all":false if there is more.  Of the
 * host's root, where machines have that, only the files that change when packages are
 * installed, or users made: whatever else was changed there, the first difference of a
 * replay tells.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: origin_free().
 * Threads:   any.
 */
#ifndef NL_RUN_ORIGIN_H
#define NL_RUN_ORIGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "run/rundir.h"
#include "plan/plan.h"

enum { ORIGIN_FILES_MAX = 1000 };
#define ORIGIN_BYTES_MAX (UINT64_C(64) << 20)

struct origin_config {
	const struct plan *plan;
	const char *name;   /* as machines know the lab */
	const char *kernel; /* of all machines; NULL: what they ask for */
	uint64_t seed, epoch_s;
	uint32_t boot_timeout_s, guard_s;
	const char *const *sets; /* of the compiler */
	const char *cost;	 /* of all nodes, as the compiler was told; NULL */
	size_t set_count;
	const char *const *parts; /* files beside those of the folder */
	size_t part_count;
	const char *topology; /* where it can be read */
};

int origin_write(const struct rundir *run, const struct origin_config *config,
		 struct why *why);

struct origin {
	json_t *json;				     /* all strings are in it */
	const char *name, *kernel, *topology, *cost; /* kernel, cost: NULL: none */
	uint64_t seed, epoch_s;
	uint32_t boot_timeout_s, guard_s;
	const char **sets;
	size_t set_count;
	bool all; /* every file is listed */
};

int origin_read(struct origin *out, const char *run_dir, struct why *why);
void origin_free(struct origin *origin);
/* Files that are not what they were; the topology is not asked for, it is kept.  Calls
 * changed() for each, and returns how many there are. */
size_t origin_check(const struct origin *origin,
		    void (*changed)(void *ctx, const char *path, const char *what),
		    void *ctx);

#endif
