/* SPDX-License-Identifier: MIT */
/* wire.h - the plan's cables, laid: network cards, switch, and the time between
 *
 *	guest ═vnet═ port ── switch ── port ═vnet═ guest
 *	                        │
 *	                      timer: sw_next_due_ns()
 *
 * Builds the switch from the plan (ports, segments and links have the plan's
 * order, so plan indices are switch indices), makes a network card for each
 * interface of a machine that starts, and moves frames between the two.  A batch
 * from one guest costs one notification at each receiver.
 *
 * Cable and carrier: a guest sees its carrier go down when the direction that
 * leads *to* it is down, as with light in a fibre; with the word `carrier` also when it
 * is down for a time (flap, states).
 *
 * A card whose guest breaks the virtio protocol, or goes away, is dead: its port
 * is down, others go on.
 *
 * Errors:    0 or -errno with *why; traffic has none (counters of the switch).
 * Ownership: wire_create() gives the wire; it owns switch and cards.
 * Threads:   the loop's.
 */
#ifndef NL_FABRIC_WIRE_H
#define NL_FABRIC_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/clock.h"
#include "clock/vtime.h"
#include "run/digest.h"
#include "fabric/fault_target.h"
#include "switch/switch.h"
#include "plan/plan.h"

struct wire;

enum port_state {
	PORT_ABSENT,  /* its machine does not run */
	PORT_WAITING, /* card made, guest's driver not there yet */
	PORT_UP,
	PORT_DEAD, /* until the machine is started again */
	PORT_STATES,
};
const char *port_state_name(enum port_state state);

struct wire_ops {
	/* A port has changed.  why is NULL but for a card that was broken. */
	void (*port)(void *ctx, uint32_t port, enum port_state state, const char *why);
	void (*tap)(void *ctx, const struct sw_tap_event *event);
};

int wire_create(struct wire **out, const struct plan *plan, uint64_t seed,
		struct loop *loop, struct clock *clock, const struct wire_ops *ops,
		void *ctx, struct why *why);
void wire_destroy(struct wire *wire); /* NULL does nothing */

/* In virtual time a frame takes at least this long on each link (sw_set_floor()): the
 * guests' work takes none, and over a wire that took none, either, two of them could talk
 * for ever at one instant. */
#define WIRE_VIRTUAL_FLOOR_NS UINT64_C(1000)
/* What is looked ahead at most, in a lab of slow links or of none. */
#define WIRE_LOOKAHEAD_NS_MAX UINT64_C(10000000)
/* Cards made and frames sent from now on take part in virtual time. */
void wire_set_virtual(struct wire *wire, struct vtime *vtime, struct digest *digest);
/* What a frame takes at least on each link; 0 in real time. */
uint64_t wire_floor_ns(const struct wire *wire);

/* Make the cards of a node; their sockets are work_dir/net0, net1, … */
int wire_node_open(struct wire *wire, uint32_t node, const char *work_dir,
		   struct why *why);
void wire_node_close(struct wire *wire, uint32_t node);
/* Whether its machine sees carriers at all.  From the start on it does. */
void wire_node_show_carriers(struct wire *wire, uint32_t node, bool show);
/* Its machine has ended, or begins again: without power it puts no carrier on its cables,
 * so the machines at their far ends have none.  (On a network that end is the network.) */
void wire_node_off(struct wire *wire, uint32_t node, bool off);

uint32_t wire_port_count(const struct wire *wire);
uint32_t wire_port(const struct wire *wire, struct plan_endpoint at);
struct plan_endpoint wire_endpoint(const struct wire *wire, uint32_t port);
enum port_state wire_port_state(const struct wire *wire, uint32_t port);
const char *wire_port_name(const struct wire *wire, uint32_t port); /* "n1:eth0" */
const struct sw_count *wire_port_count_in(const struct wire *wire, uint32_t port);
const struct sw_count *wire_port_count_out(const struct wire *wire, uint32_t port);
void wire_port_tap(struct wire *wire, uint32_t port, bool on);
/* Of all frames that waited: nanoseconds from when they were due until their machine
 * was told. */
const struct histogram *wire_lateness(const struct wire *wire);
/* Frames that were lost for want of memory for those that wait. */
uint64_t wire_pool_lost(const struct wire *wire);

/* Can this direction have this fault?  A pair on a network has no cable, and so no
 * carrier. */
int wire_fault_check(const struct fault_at *at, const struct fault_spec *spec,
		     struct why *why);
/* Is there room for so many pairs more that have a fault? */
int wire_fault_room(const struct wire *wire, size_t pairs, struct why *why);

/* Faults of a direction or pair; NULL is a perfect wire.  The spec gets one more
 * reference; the one that is got is lent. */
int wire_fault_set(struct wire *wire, const struct fault_at *at, struct fault_spec *spec,
		   struct why *why);
struct fault_spec *wire_fault_get(const struct wire *wire, const struct fault_at *at);
/* NULL: there is no fault. */
const struct fault_state *wire_fault_state(const struct wire *wire,
					   const struct fault_at *at);
const struct sw_count *wire_fault_count(const struct wire *wire,
					const struct fault_at *at);
const struct sw_timing *wire_fault_timing(const struct wire *wire,
					  const struct fault_at *at); /* or NULL */
/* The name that keys the draws: "backup n1->n2", "lan n1:eth0->n2:eth0". */
void wire_fault_name(const struct wire *wire, const struct fault_at *at,
		     char name[FAULT_NAME_BYTES_MAX]);
/* The pairs that have a fault of their own now. */
const struct fault_at *wire_pairs(const struct wire *wire, size_t *count);

/* Partitions: fabric/cuts.h says what is cut.  First bring the wiring up to now: what was
 * due before a change arrives as things were before it. */
void wire_catch_up(struct wire *wire);
/* The switch's time: of its last call, so of the last change. */
uint64_t wire_switch_ns(const struct wire *wire);
void wire_cut(struct wire *wire, uint32_t from_node, uint32_t to_node, bool cut);
bool wire_is_cut(const struct wire *wire, uint32_t from_node, uint32_t to_node);

#endif
