/* SPDX-License-Identifier: MIT */
/* open_topology.h - a topology file with the options --name, --seed, --cost and --set of a
 * call
 *
 * Errors:    as topology_compile_file().  That --seed and --cost can be read is for
 *            the caller to have checked: compile_seed_check(), cost_parse().
 * Ownership: the caller's: plan_free(), diagnostics_free().
 */
#ifndef NL_CLI_OPEN_TOPOLOGY_H
#define NL_CLI_OPEN_TOPOLOGY_H

#include "cli/command.h"
#include "topology/compile.h"

int compile_file(const struct command_call *call, const char *file, struct plan **out,
		 struct diagnostics *diags);

/* What --set said, in order: the caller frees the array. */
const char **compile_sets(const struct command_call *call, size_t *count);

/* -EINVAL if there is a --seed and it is no number. */
int compile_seed_check(const struct command_call *call, struct why *why);

#endif
