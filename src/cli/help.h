/* SPDX-License-Identifier: MIT */
/* help.h - the table of commands for people: usage, help, man page
 *
 * help_man() prints the COMMANDS section of netlab(1) in mdoc; what docs/netlab.1
 * holds between its two marks must be that, which a test compares.
 */
#ifndef NL_CLI_HELP_H
#define NL_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* All commands, a line each. */
void help_usage(FILE *out);
/* One command; or NULL and the first word of a family, or NULL for all.  Returns
 * an exit status. */
int help_print(const struct command *command, const char *family);
void help_man(FILE *out);

#endif
