/* SPDX-License-Identifier: MIT */
/* environ.h - a program's environment: defaults, then the plan's, then its own
 *
 * Errors:    0 or -errno.  A name is not empty and has no '='.
 * Ownership: environ_free() frees all of it; strings given are copied.
 * Threads:   none are shared.
 */
#ifndef NL_INIT_ENVIRON_H
#define NL_INIT_ENVIRON_H

#include <stddef.h>

#include "base/why.h"

struct environ_list {
	char **vars; /* NAME=value; NULL at the end, or NULL itself when empty */
	size_t count;
};

/* Replaces a variable of that name. */
int environ_set(struct environ_list *list, const char *name, const char *value,
		struct why *why);
/* One that is whole already, "NAME=value", and not in the list. */
int environ_add(struct environ_list *list, const char *var, struct why *why);
int environ_copy(struct environ_list *to, const struct environ_list *from,
		 struct why *why);
/* What every program on the machine gets: PATH, HOME, USER, ... */
int environ_defaults(struct environ_list *list, const char *hostname, struct why *why);
void environ_free(struct environ_list *list);

#endif
