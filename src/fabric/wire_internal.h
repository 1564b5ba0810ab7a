/* SPDX-License-Identifier: MIT */
/* wire_internal.h - what the files of the wiring share
 *
 * For wire.c (ports, cards, frames), wire_carrier.c and wire_fault.c (faults,
 * partitions); others use wire.h.
 */
#ifndef NL_FABRIC_WIRE_INTERNAL_H
#define NL_FABRIC_WIRE_INTERNAL_H

#include "fabric/wire.h"
#include "device/vnet.h"

struct wire_port {
	struct wire *wire;
	struct vnet *vnet;
	struct plan_endpoint at;
	enum port_state state;
	bool carrier;			 /* as last told to the card */
	bool dark;			 /* none is shown, whatever the cable says */
	bool off;			 /* its machine has ended: no power, no carrier */
	uint64_t carrier_change_ns;	 /* when it has to be looked at again */
	struct fault_rule_state watched; /* for that: of the direction that leads here */
	bool broken;			 /* the card died by the guest's fault */
	bool to_flush;			 /* has frames that the guest was not told of */
	struct why why;			 /* of the card's death */
	char name[PLAN_NAME_BYTES_MAX + PLAN_IFNAME_BYTES_MAX];
};

struct wire {
	const struct plan *plan;
	struct loop *loop;
	struct clock *clock;
	struct vtime *vtime; /* NULL: real time */
	struct digest *digest;
	struct sw *sw;
	const struct wire_ops *ops;
	void *ctx;
	struct timer due;
	struct timer carrier; /* the next change of a carrier by itself */
	struct deferred reap; /* cards that died in this turn */
	struct wire_port *ports;
	uint32_t port_count;
	uint32_t *first_port; /* by node */
	uint32_t *flush;      /* ports that have to be flushed: a ring of port_count */
	uint32_t flush_first, flush_count;
	struct deferred flush_rest;
	unsigned handed; /* to a machine, or in vain: so often, counted round */
	struct histogram
		late; /* of frames that waited: from due to told to the machine */
	struct fault_at *pairs;
	size_t pair_count;
};

/* After everything that may have moved a frame: tell the receivers, and wake when
 * the next frame is due. */
void wire_settle(struct wire *wire);
/* In virtual time: faults have changed, and with them how late the earliest is that one
 * machine can do to another. */
void wire_update_lookahead(struct wire *wire);
/* Tell the card if its cable has a carrier, if that has changed or always. */
void wire_tell_carrier(struct wire_port *port, bool always);
/* The faults of the direction that leads to the port have changed (or of any): tell it,
 * now and whenever it changes by itself. */
void wire_watch_carrier(struct wire_port *port);
void wire_watch_carriers(struct wire *wire);
void wire_carrier_due(void *ctx, uint64_t now_ns); /* wire->carrier */

#endif
