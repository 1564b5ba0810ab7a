/* SPDX-License-Identifier: MIT */
/* lookup.h - where a program may be: what execvp() would try, made beforehand
 *
 * Errors:    0 or -errno with *why.
 * Ownership: lookup_free() frees; argv's strings stay the caller's.
 * Threads:   pure.
 */
#ifndef NL_AGENT_LOOKUP_H
#define NL_AGENT_LOOKUP_H

#include "base/why.h"

struct lookup {
	char **paths;	    /* to try in this order; NULL at the end */
	char **script_argv; /* sh, PATH (to be filled in), argv[1], ...: for a script
			     * that does not name its interpreter */
};

int lookup_program(struct lookup *out, char *const *argv, char *const *envp,
		   struct why *why);
void lookup_free(struct lookup *lookup); /* all zeros: does nothing */

/* The value of a variable, or NULL. */
const char *lookup_env(char *const *envp, const char *name);

#endif
