/* SPDX-License-Identifier: MIT */
/* core.h - what the switch is made of; for the files of this folder only
 *
 * Ports, directions and segments are allocated one by one, so pointers to them
 * stay valid while more are added.
 */
#ifndef NL_SWITCH_CORE_H
#define NL_SWITCH_CORE_H

#include "partition/cut_matrix.h"
#include "switch/delay_queue.h"
#include "switch/frame.h"
#include "switch/mac_table.h"
#include "switch/pair_map.h"
#include "switch/pool.h"
#include "switch/switch.h"

/* A frame on its way, and where it is. */
struct transit {
	struct frame frame;
	struct port *from;
	struct direction *direction; /* the last it was offered to; NULL: none yet */
	uint64_t frame_no;	     /* there */
	uint64_t at_ns;		     /* when it is here: never before it was due */
	/* Its bytes as they came, until its port's tap has seen it; then NULL. */
	const uint8_t *entering;
	struct fault_trail *trail; /* what was decided so far: sw.trail, or its hold's */
};

/* A copy of a frame's bytes, shared by all who wait with it. */
struct buffer {
	uint32_t holds;
	uint8_t bytes[];
};

/* What lies in the delay queue: the first member of what it points to. */
enum waiter_kind { WAITER_HOLD, WAITER_LINE };

/* A frame that waits: for a line, on its way, or in a port's backlog. */
struct hold {
	enum waiter_kind kind;
	uint8_t order;	   /* of the verdict: once it has left the line */
	uint64_t delay_ns; /* the same */
	struct hold *next; /* on a line, or in the backlog */
	struct buffer *buffer;
	struct transit transit;
	struct fault_trail trail; /* last: only as long as it has to be */
};

struct hold_list {
	struct hold *first, *last;
};

/* Those that wait for a line. */
struct line_queue {
	enum waiter_kind kind;
	uint8_t rule;	/* of the direction's spec */
	bool scheduled; /* it lies in the delay queue */
	bool sending;	/* for the end of the front's sending; else for a gate */
	struct direction *direction;
	struct hold_list frames;
};

enum direction_to { TO_PORT, TO_SEGMENT, TO_MEMBER };

struct direction {
	enum direction_to to;
	bool perfect;		 /* the spec, in one bit */
	struct port *port;	 /* the receiver; NULL: known only behind the segment */
	struct segment *segment; /* TO_SEGMENT */
	struct direction *next;	 /* TO_MEMBER: from the segment to the member */
	struct sw_count count;
	struct fault_spec *spec;   /* NULL: perfect */
	struct fault_state *state; /* NULL: it is perfect */
	struct line_queue **lines; /* by rule; NULL in it: the rule has none */
	uint64_t key;
	struct sw_timing *timing; /* NULL: nothing has waited yet */
	uint64_t skipped; /* numbers that no frame of ours had: sw_skip_to() */
	char *name;
};

struct link {
	struct direction dir[DIRS];
};

struct port {
	uint32_t index, node;
	bool up, tapped;
	struct direction *out_of; /* the direction from here; NULL: not linked */
	struct segment *segment;  /* or NULL */
	uint32_t member;	  /* of the segment */
	struct sw_count in, out;
	struct hold_list backlog; /* out.queued frames */
	uint64_t backlog_bytes;
	struct pool_account account;
	char *name;
};

struct member {
	struct port *port;
	struct direction *direction; /* from the segment to the port */
};

struct segment {
	char *name;
	struct mac_table macs;
	struct member *members;
	uint32_t member_count;
	struct pair_map pairs;
	uint32_t pairs_in_force;
};

struct sw {
	struct sw_config config;
	struct port **ports;
	struct link **links;
	struct segment **segments;
	uint32_t port_count, link_count, segment_count;
	struct cut_matrix cuts;
	struct delay_queue queue;
	struct pool pool;
	uint64_t now_ns;
	uint64_t floor_ns;
	bool busy;		  /* a frame is being dealt with */
	struct buffer *buffer;	  /* that frame's, if its bytes lie in one */
	struct fault_trail trail; /* that frame's */
	uint64_t dues[SW_DUES_MAX];
	uint32_t due_count;
};

static inline void count_offered(struct sw_count *count, uint32_t size)
{
	count->frames++;
	count->bytes += size;
}

static inline void count_passed(struct sw_count *count, uint32_t size)
{
	count->passed++;
	count->passed_bytes += size;
}

#endif
