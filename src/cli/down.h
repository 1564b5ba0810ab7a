/* SPDX-License-Identifier: MIT */
/* down.h - a lab comes to its end, willing or not
 *
 * A lab that is alive is asked; one that is silent for some seconds is killed, by
 * its pid and start time; what a dead one left is cleared.
 *
 * Errors: 0 or -errno with *why; says on stdout what it did.
 */
#ifndef NL_CLI_DOWN_H
#define NL_CLI_DOWN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/why.h"
#include "cli/progress.h"
#include "run/state.h"

int down_lab(const struct state_info *lab, bool graceful, struct why *why);

/* A lab that goes by itself: see that it does, and clear what it leaves. */
void down_await(const char *name);

/* A `progress` event into a state; what it does not name stays. */
void down_progress(struct progress_state *state, const json_t *line);

#endif
