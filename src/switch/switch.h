/* SPDX-License-Identifier: MIT */
/* switch.h - the switch's core: (event, now) in, actions out
 *
 * Ports, segments, links and their directions; no socket, no clock, no thread.
 * The shell (src/lab) feeds it frames and the time; the core answers by calling
 * the sink: deliver this frame to that port, show it to that tap.
 *
 *   port ──direction a→b──────────────────────────────► port      point to point
 *   port ──direction a→b──► segment ──[pair]──direction b→a──► port       a LAN
 *
 * Each arrow is a *direction*: it has a fault spec, a key, a frame counter, a
 * queue and counters.  A *pair* is a direction that exists only when someone
 * gave the frames from one member of a segment to another a fault of their own.
 *
 * Cuts.  A partition edits one matrix: cut[from node][to node].  A frame is
 * checked when it is offered (as soon as its receiver is known) and again when
 * it is delivered, so a cut cable loses what is on it.  So does a link that is
 * down at the moment at which a frame arrives.
 *
 * Time never runs backwards: each call's now_ns is at least the last one's.
 * Delayed frames lie in a pooled buffer, ordered by (due time, order of
 * arrival), and leave in sw_advance(), or in any call with a later now_ns, each
 * at its own due time: a call that comes late changes no verdict.  A frame
 * without delay is handed to the sink within the call that brought it, from the
 * caller's own bytes.
 *
 * The floor is what every frame takes at least on each direction of a link, after
 * its line if there is one, whatever the faults say of its delay: so none that
 * `reorder` sends at once, no copy and no perfect wire is faster.  It is 0 unless
 * sw_set_floor() says more.
 *
 * A fault that is changed holds for the frames that come after.  Frames on their
 * way keep their due time, so a delay that gets shorter lets new frames overtake
 * old ones.  Frames that wait for a line go on at its new rate, or all at once if
 * there is no line any more; the one that is being sent is sent as it was begun.
 * With an unchanged spec without jitter, a direction keeps the order of its frames.
 *
 * A receiver that is full (deliver() said -EAGAIN) gets a backlog of limited
 * size at its port; what does not fit is dropped and counted.
 *
 * Memory.  What waits takes memory from one pool.  The port that a frame came
 * from is charged, and may hold at most as much as is left for everybody.
 *
 * Addresses.  A segment knows up to 256 addresses of each member; with more, the
 * member loses its own oldest.  Group addresses are flooded, those reserved for
 * bridges too: a segment is a cable, not a bridge that one could speak to.
 *
 * Saved (base/record.h, kind "switch", version 1).  What is configuration must be there
 * before a switch is loaded, and is only compared: seed, nodes, ports with their nodes,
 * segments with their members, links by the keys of their directions.  The record has the
 * state, and all specs, whoever set them (linkfault/fault_record.h):
 *
 *	now, floor, dues; the ways that are cut; for each segment its pairs
 *	for each direction (those of links in order, then pairs by segment, from, to):
 *	        spec, counters, timing, state, and for each line whether it sends and the
 *	        frames that wait for it
 *	for each port: up, tapped, counters, backlog
 *	for each segment: the addresses of each member
 *	the delay queue, by (due, order): a frame, or the line that waits (direction, rule)
 *
 * A frame has its port, size, room for notes, bytes (0: its own follow; n: the n-th that
 * several share, which follow where n is first seen), direction, number, time, trail.  What
 * the pool and its accounts hold follows from the frames.
 *
 * Errors:    set-up returns 0 or -errno with *why; traffic returns nothing:
 *            what cannot be delivered is counted with its reason.
 * Ownership: the switch owns everything it created; frames are lent.
 * Threads:   one.
 */
#ifndef NL_SWITCH_SWITCH_H
#define NL_SWITCH_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/record.h"
#include "base/why.h"
#include "linkfault/fault.h"
#include "switch/frame.h"

struct sw; /* not `switch`: the language has that word */

/* What became of a frame.  Names: sw_fate_name().  The order is stable. */
enum sw_fate {
	SW_PASS,	   /* delivered */
	SW_DROP_CUT,	   /* a partition separates sender and receiver */
	SW_DROP_DOWN,	   /* the link is down */
	SW_DROP_LOSS,	   /* lost by chance, as the fault spec says */
	SW_DROP_LIMIT,	   /* the rate's queue was full */
	SW_DROP_POOL,	   /* the switch's memory for delayed frames was full */
	SW_DROP_FULL,	   /* the receiver took no more, and its backlog was full */
	SW_DROP_NO_PORT,   /* the receiver's port is not up */
	SW_DROP_BAD_FRAME, /* shorter than a header or longer than the limit */
	SW_DROP_AQM,	   /* by RED or CoDel: the queue was too long, or too slow */
	SW_DROP_FCS,	   /* damaged; a receiver's hardware would have dropped it */
	SW_DROP_MTU,	   /* too large for the link, and nobody is told */
	SW_FATES,
};

/* A frame is counted at each place it comes to: port in, direction, pair, direction,
 * port out.  What one place passed, the next was offered, and at each
 *	offered + copies = passed + dropped + queued */
struct sw_count {
	uint64_t frames, bytes;	       /* offered */
	uint64_t passed, passed_bytes; /* left at the far end */
	uint64_t dropped[SW_FATES];    /* by reason; [SW_PASS] stays 0 */
	uint64_t queued;	       /* waiting or under way now */
	uint64_t copies;	       /* made of what was offered: duplicates, replays */
	uint64_t edited;	       /* corrupted or marked */
};

/* What a tap sees.  A frame is seen where it enters (inbound: from the guest, with
 * the bytes that it came with, and the fate it met there if it was dropped at once)
 * and where it leaves (outbound: to the guest, with the bytes that the guest gets); a
 * frame that is dropped on the way is seen with its reason at the port where it
 * entered, at the time of the drop. */
struct sw_tap_event {
	uint32_t port;
	uint32_t from; /* the port at which it entered; port itself if inbound */
	bool inbound;	       /* from the guest into the switch */
	enum sw_fate fate;     /* SW_PASS, or why it was dropped */
	bool late;	       /* dropped when it had entered already: under way */
	const char *direction; /* where it was dropped, or the last it came through:
				* "backup n1->n2"; NULL for SW_PASS and before any */
	uint64_t frame_no;     /* its number in that direction, from 0 */
	uint64_t now_ns;
	struct frame frame;
	/* What was decided so far: the directions that it came through, with its
	 * number in each, and a note for each decision.  Lent. */
	const struct fault_trail *trail;
};

/* How frames that waited in a direction came through it, since its fault was set. */
struct sw_timing {
	uint64_t since_ns;
	struct sw_count before; /* the counters as they were then */
	uint64_t frames;	/* that waited and came */
	uint64_t wait_ns;	/* sum of their times in the direction, as they really were */
	struct histogram late;	/* by how much after they were due */
	uint64_t busy_bytes;	/* of frames that stood in a queue behind others, and */
	uint64_t busy_ns;	/* sum of times from the one before each of these */
	uint64_t last_ns;	/* when the last one came */
};

/* A sink may call sw_port_up() and sw_port_tap(), and nothing else here. */
struct sw_sink {
	/* 0: taken.  -EAGAIN: full, call sw_port_writable() when it is not.
	 * -ENOTCONN: the port is not up. */
	int (*deliver)(void *ctx, uint32_t port, struct frame frame);
	/* Called only for ports with sw_port_tap(…, true).  May be NULL. */
	void (*tap)(void *ctx, const struct sw_tap_event *event);
};

/* What waits at a port that is full. */
enum { SW_BACKLOG_FRAMES_MAX = 16384, SW_BACKLOG_BYTES_MAX = 2 << 20 };

struct sw_config {
	uint64_t seed;
	uint32_t node_count;	 /* for the cut matrix */
	uint64_t pool_bytes_max; /* memory for delayed and backlogged frames */
	const struct sw_sink *sink;
	void *ctx;
};

int sw_create(struct sw **out, const struct sw_config *config, struct why *why);
void sw_destroy(struct sw *sw); /* NULL does nothing */

/* Building.  Indices are dense and in order of creation, from 0.  Names are
 * copied; they key the draws, so they must be unique and not depend on the run.
 * A port's name is "NODE:INTERFACE"; it is one end of one link. */
int sw_add_port(struct sw *sw, const char *name, uint32_t node, uint32_t *port,
		struct why *why);
int sw_add_segment(struct sw *sw, const char *name, uint64_t ageing_ns, uint32_t *segment,
		   struct why *why);
/* Directions get the names "NAME a->b" and "NAME b->a", where a and b are node
 * names (or the segment's), or the ports' if a node is linked to itself. */
int sw_link_ports(struct sw *sw, const char *name, uint32_t a, uint32_t b, uint32_t *link,
		  struct why *why);
int sw_link_segment(struct sw *sw, const char *name, uint32_t port, uint32_t segment,
		    uint32_t *link, struct why *why);

/* Faults.  dir is DIR_AB (0) or DIR_BA (1) of linkfault/spec.h.  The spec, or NULL
 * for a perfect wire, has passed fault_spec_check(); it gets one more reference.
 * -ENOMEM: all is as it was. */
int sw_fault_set(struct sw *sw, uint32_t link, int dir, struct fault_spec *spec,
		 uint64_t now_ns, struct why *why);
struct fault_spec *sw_fault_get(const struct sw *sw, uint32_t link, int dir);
/* What the direction remembers; NULL: it has no fault. */
const struct fault_state *sw_fault_state(const struct sw *sw, uint32_t link, int dir);
/* The pair from -> to on a segment; a perfect spec removes it.  -EINVAL: one of
 * the ports is no member of the segment, or they are the same. */
int sw_pair_set(struct sw *sw, uint32_t segment, uint32_t from_port, uint32_t to_port,
		struct fault_spec *spec, uint64_t now_ns, struct why *why);
struct fault_spec *sw_pair_get(const struct sw *sw, uint32_t segment, uint32_t from_port,
			       uint32_t to_port); /* NULL: none */

const struct fault_state *sw_pair_state(const struct sw *sw, uint32_t segment,
					uint32_t from_port, uint32_t to_port);

/* Partitions. */
void sw_cut(struct sw *sw, uint32_t from_node, uint32_t to_node, bool cut);
bool sw_is_cut(const struct sw *sw, uint32_t from_node, uint32_t to_node);
void sw_heal(struct sw *sw); /* nothing is cut any more */

/* Traffic.  sw_port_up(): the guest is there or not.  What waits for a guest that
 * goes is dropped, at the time of the last call that told it. */
void sw_port_up(struct sw *sw, uint32_t port, bool up);
void sw_port_frame(struct sw *sw, uint32_t port, struct frame frame, uint64_t now_ns);
void sw_port_writable(struct sw *sw, uint32_t port, uint64_t now_ns);
void sw_port_tap(struct sw *sw, uint32_t port, bool on);

/* Before the first frame. */
void sw_set_floor(struct sw *sw, uint64_t floor_ns);

/* When sw_advance() has to be called next; UINT64_MAX: nothing waits. */
uint64_t sw_next_due_ns(const struct sw *sw);
void sw_advance(struct sw *sw, uint64_t now_ns);

/* The next frame from this port gets that number in the direction that leads away
 * from it: those in between were not seen.  For replaying what was recorded with
 * gaps; not below what it has. */
void sw_skip_to(struct sw *sw, uint32_t port, uint64_t frame_no);

/* Looking. */
uint64_t sw_now_ns(const struct sw *sw); /* of the last call that told it */
const char *sw_link_direction_name(const struct sw *sw, uint32_t link, int dir);
uint64_t sw_pool_bytes(const struct sw *sw); /* of the pool, in use now */
const struct sw_count *sw_link_count(const struct sw *sw, uint32_t link, int dir);
const struct sw_count *sw_pair_count(const struct sw *sw, uint32_t segment,
				     uint32_t from_port, uint32_t to_port); /* or NULL */
/* At the port: frames from the guest (in) and to it (out). */
const struct sw_count *sw_port_count_in(const struct sw *sw, uint32_t port);
const struct sw_count *sw_port_count_out(const struct sw *sw, uint32_t port);
const char *sw_fate_name(enum sw_fate fate);
/* NULL: nothing waited, or there is no such pair. */
const struct sw_timing *sw_link_timing(const struct sw *sw, uint32_t link, int dir);
const struct sw_timing *sw_pair_timing(const struct sw *sw, uint32_t segment,
				       uint32_t from_port, uint32_t to_port);

/* When those that came since the last call were due, the first SW_DUES_MAX of them. */
enum { SW_DUES_MAX = 1024 };
const uint64_t *sw_take_dues(struct sw *sw, uint32_t *count);

/* Between calls.  A switch is loaded before anything has come to it; faults that it was
 * given are replaced.  After an error it can only be destroyed. */
int sw_save(const struct sw *sw, struct record *record, struct why *why);
int sw_load(struct sw *sw, struct record *record, struct why *why);

#endif
