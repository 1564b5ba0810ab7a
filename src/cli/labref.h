/* SPDX-License-Identifier: MIT */
/* labref.h - which lab a command means
 *
 * -l LAB or NETLAB_LAB names it; else it is the one that lives.  None or several:
 * an error that lists what there is.
 *
 * Errors:    -ENOENT none, -EEXIST several, -EHOSTDOWN it is dead; *why says what to
 *            do.
 * Ownership: the caller's struct.
 */
#ifndef NL_CLI_LABREF_H
#define NL_CLI_LABREF_H

#include "base/why.h"
#include "run/state.h"

struct client;

/* wanted NULL: the only one.  alive: a dead one is no answer. */
int labref_find(struct state_info *out, const char *wanted, bool alive, struct why *why);
/* Connect to it and say hello: its protocol must be ours. */
int labref_connect(const char *name, struct client **out, struct why *why);
/* What such an error says, for whoever names the lab himself. */
const char *labref_without_name(const char *text, const char *name);

/* ---- pure, for tests ---- */
int labref_choose(const struct state_info *labs, size_t count, const char *wanted,
		  bool alive, size_t *chosen, struct why *why);

#endif
