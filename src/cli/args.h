/* SPDX-License-Identifier: MIT */
/* args.h - from argv to a call
 *
 * Options may stand before and after the command and between its words, until
 * "--".  A command with raw_after takes every word behind that many as they are,
 * so `netlab exec n1 ls -l` needs no "--".
 *
 * Errors:    -EINVAL and a line that names the word, and a near miss if there is
 *            one; call->command is set if the command was recognised.
 * Ownership: argv is borrowed for the life of the call; call_free() the rest.
 */
#ifndef NL_CLI_ARGS_H
#define NL_CLI_ARGS_H

#include "base/why.h"
#include "cli/command.h"

/* argv without the program's name. */
int args_parse(struct command_call *call, int argc, char **argv, struct why *why);

#endif
