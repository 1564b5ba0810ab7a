/* SPDX-License-Identifier: MIT */
/* modules.h - load kernel modules with what they need, as modules.dep says
 *
 * The agent loads what itself needs; the rest is loaded when it is asked for, by the
 * kernel's own call of modprobe.
 *
 * A module that modules.dep does not list is taken to be built in.
 *
 * Errors:    0 or -errno; *why names the file.
 * Ownership: modules_open() fills the table; modules_close() empties it.
 * Threads:   one.
 */
#ifndef NL_INIT_MODULES_H
#define NL_INIT_MODULES_H

#include <stddef.h>

#include "base/why.h"

enum {
	MODULES_DEP_BYTES_MAX = 8 << 20,
	MODULES_DEPS_MAX = 64, /* of one module */
};

struct modules {
	int dir_fd; /* of the folder with modules.dep: it serves even when its path
		     * is out of sight */
	char *dep;  /* its text; NULL: everything is built in */
};

/* dir: "" for a kernel without modules; else the folder with modules.dep, or the
 * one above it, which has one per kernel release. */
int modules_open(struct modules *out, const char *dir, struct why *why);
void modules_close(struct modules *modules);

int modules_load(const struct modules *modules, const char *name, struct why *why);
/* With "KEY=VALUE …" for it, and none for those that it needs. */
int modules_load_with(const struct modules *modules, const char *name,
		      const char *options, struct why *why);

/* Device nodes below dev for modules that are loaded when somebody opens one: what
 * modules.devname lists, and is not there yet. */
int modules_make_nodes(const struct modules *modules, const char *dev, struct why *why);

/* The line of a module in modules.dep's text: where it begins, and its length.
 * NULL if there is none.  '-' and '_' in names are the same. */
const char *modules_find(const char *dep, const char *name, size_t *size);

#endif
