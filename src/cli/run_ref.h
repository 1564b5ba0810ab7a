/* SPDX-License-Identifier: MIT */
/* run_ref.h - which run a command means: a run directory, or a lab
 *
 * A word with a / in it, or that is a folder with a plan.json, is a run directory;
 * else it is the name of a lab, alive or dead, whose run it is.  NULL: the only lab.
 *
 * Errors:    -ENOENT and the like; *why says what to do.
 * Ownership: the caller's array.
 */
#ifndef NL_CLI_RUN_REF_H
#define NL_CLI_RUN_REF_H

#include <limits.h>

#include "base/why.h"

int run_ref_find(char path[PATH_MAX], const char *wanted, struct why *why);

#endif
