/* SPDX-License-Identifier: MIT */
/* replay.h - a run's wiring once more, without machines: the switch's core, its
 * recorded settings, and frames that are given to it at their recorded times
 *
 * The switch is built from the run's plan and seed, under the names that keyed the
 * draws then; every fault, partition and port's state of the journal is set at its
 * time.  What the switch decides is a function of that and of the frames.  Only what
 * lies with the machines is not repeated: each takes every frame that comes, so none
 * is lost because a receiver was full.
 *
 *	replay_create() → replay_frame()* in order of time → replay_end() → replay_free()
 *
 * Errors:    0 or -errno with *why.
 * Ownership: the history is borrowed until replay_free().
 * Units:     lab time in nanoseconds.
 * Threads:   one.
 */
#ifndef NL_LAB_REPLAY_H
#define NL_LAB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "lab/history.h"
#include "lab/verdict.h"
#include "switch/switch.h"

struct replay;

int replay_create(struct replay **out, const struct history *history,
		  void (*tap)(void *ctx, const struct sw_tap_event *event), void *ctx,
		  struct why *why);
void replay_free(struct replay *replay); /* NULL does nothing */

/* Ports by name; they have the topology's order, as in a capture's identities. */
uint32_t replay_port_count(const struct replay *replay);
const char *replay_port_name(const struct replay *replay, uint32_t port);
int replay_find_port(const struct replay *replay, const char *name); /* or -1 */
/* The ports at the ends of a link, of a network's members, or "all": true for each. */
int replay_ports_of(const struct replay *replay, const char *link, bool *wanted,
		    struct why *why);
void replay_tap(struct replay *replay, uint32_t port, bool on);

/* A frame enters at now_ns with that number in its direction; not before the last. */
int replay_frame(struct replay *replay, uint32_t port, uint64_t number,
		 struct frame frame, uint64_t now_ns, struct why *why);
/* What is under way arrives, and what was changed later is set. */
int replay_end(struct replay *replay, struct why *why);

/* For verdict_frame(): the partition that cuts this way now. */
const char *replay_cut_name(void *replay, uint32_t from_node, uint32_t to_node);
/* The fault of a direction of a trail, as now set, in words: a JSON object, lent; NULL
 * where there is none. */
const json_t *replay_fault(const struct replay *replay, const char *direction);
uint64_t replay_fault_since_ns(const struct replay *replay, const char *direction);

#endif
