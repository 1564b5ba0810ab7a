/* SPDX-License-Identifier: MIT */
/* link_replay.h - a run's wiring once more, without machines: the switch's core, its
 * recorded settings, and frames that are given to it at their recorded times
 *
 * The switch is built from the run's plan and seed, under the names that keyed the
 * draws then; every fault, partition and port's state of the journal is set at its
 * time.  What the switch decides is a function of that and of the frames.  Only what
 * lies with the machines is not repeated: each takes every frame that comes, so none
 * is lost because a receiver was full.
 *
 *	link_replay_create() → link_replay_frame()* in order of time → link_replay_end()
 *	→ link_replay_free()
 *
 * Errors:    0 or -errno with *why.
 * Ownership: the history is borrowed until link_replay_free().
 * Units:     lab time in nanoseconds.
 * Threads:   one.
 */
#ifndef NL_REPLAY_LINK_REPLAY_H
#define NL_REPLAY_LINK_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "run/history.h"
#include "fabric/verdict.h"
#include "switch/switch.h"

struct link_replay;

int link_replay_create(struct link_replay **out, const struct history *history,
		  void (*tap)(void *ctx, const struct sw_tap_event *event), void *ctx,
		  struct why *why);
void link_replay_free(struct link_replay *replay); /* NULL does nothing */

/* Ports by name; they have the topology's order, as in a capture's identities. */
uint32_t link_replay_port_count(const struct link_replay *replay);
const char *link_replay_port_name(const struct link_replay *replay, uint32_t port);
int link_replay_find_port(const struct link_replay *replay, const char *name); /* or -1 */
/* The ports at the ends of a link, of a network's members, or "all": true for each. */
int link_replay_ports_of(const struct link_replay *replay, const char *link, bool *wanted,
		    struct why *why);
void link_replay_tap(struct link_replay *replay, uint32_t port, bool on);

/* A frame enters at now_ns with that number in its direction; not before the last. */
int link_replay_frame(struct link_replay *replay, uint32_t port, uint64_t number,
		 struct frame frame, uint64_t now_ns, struct why *why);
/* What is under way arrives, and what was changed later is set. */
int link_replay_end(struct link_replay *replay, struct why *why);

/* For verdict_frame(): the partition that cuts this way now. */
const char *link_replay_cut_name(void *replay, uint32_t from_node, uint32_t to_node);
/* The fault of a direction of a trail, as now set, in words: a JSON object, lent; NULL
 * where there is none. */
const json_t *link_replay_fault(const struct link_replay *replay, const char *direction);
uint64_t link_replay_fault_since_ns(const struct link_replay *replay, const char *direction);

#endif
