/* SPDX-License-Identifier: MIT */
/* explain.h - what was decided about one frame, gathered from a replay
 *
 * The run's frames are judged anew (replay/recheck.h) while every draw is watched; those
 * that were made for the frame, and each sight of it, are kept.
 *
 *	explain_frame() ──► steps: a direction, the fault that held, the draws, the notes
 *	                    sights: when and where it was seen, and what was said then
 *
 * Errors:    0 or -errno with *why.
 * Ownership: a JSON object, the caller's.
 * Threads:   one: it watches all draws of the process.
 */
#ifndef NL_CLI_EXPLAIN_H
#define NL_CLI_EXPLAIN_H

#include <jansson.h>
#include <stdint.h>

#include "base/why.h"
#include "run/history.h"

/* Frame `number` of the capture's file. */
int explain_frame(json_t **out, const struct history *history, const char *link,
		  const char *capture, uint64_t number, struct why *why);

/* Frame `number` of a direction, without a capture: what holds for it, what it draws. */
int explain_number(json_t **out, const struct history *history, const char *direction,
		   uint64_t number, struct why *why);

#endif
