/* SPDX-License-Identifier: MIT */
/* What the machines see of their cables. */
#include "fabric/wire_internal.h"
#include "linkfault/fault.h"

/* The direction that leads to this port. */
static uint32_t direction_to(const struct wire_port *port, int *dir)
{
	const struct wire *wire = port->wire;
	uint32_t link =
		wire->plan->nodes[port->at.node].interfaces[port->at.interface].link;
	const struct plan_endpoint *a = &wire->plan->links[link].a;
	bool is_a = a->node == port->at.node && a->interface == port->at.interface;

	*dir = is_a ? DIR_BA : DIR_AB;
	return link;
}

/* At the other end of its cable; NULL: a network. */
static struct wire_port *far_end(const struct wire_port *port)
{
	const struct wire *wire = port->wire;
	int dir;
	const struct plan_link *link = &wire->plan->links[direction_to(port, &dir)];
	const struct plan_endpoint *far = dir == DIR_BA ? &link->b : &link->a;

	if (link->b_kind != LINK_TO_INTERFACE)
		return NULL;
	return &wire->ports[wire->first_port[far->node] + far->interface];
}

/* Has it a carrier?  Until port->carrier_change_ns. */
static bool has_carrier(struct wire_port *port, uint64_t now_ns)
{
	const struct wire_port *far = far_end(port);
	int dir;
	uint32_t link = direction_to(port, &dir);
	bool carrier = fault_has_carrier(sw_fault_get(port->wire->sw, link, dir),
					 &port->watched, now_ns,
					 &port->carrier_change_ns);

	return carrier && !(far && far->off);
}

static void wait_for_change(struct wire *wire)
{
	uint64_t due_ns = UINT64_MAX;

	for (uint32_t i = 0; i < wire->port_count; i++)
		if (wire->ports[i].carrier_change_ns < due_ns)
			due_ns = wire->ports[i].carrier_change_ns;
	if (due_ns == UINT64_MAX)
		timer_cancel(wire->clock, &wire->carrier);
	else
		timer_set(wire->clock, &wire->carrier, due_ns);
}

void wire_tell_carrier(struct wire_port *port, bool always)
{
	bool carrier = has_carrier(port, clock_now_ns(port->wire->clock)) && !port->dark;

	if (port->vnet && (always || carrier != port->carrier))
		vnet_set_carrier(port->vnet, carrier);
	port->carrier = carrier;
}

void wire_node_show_carriers(struct wire *wire, uint32_t node, bool show)
{
	for (uint32_t i = 0; i < wire->plan->nodes[node].interface_count; i++) {
		struct wire_port *port = &wire->ports[wire->first_port[node] + i];

		port->dark = !show;
		wire_tell_carrier(port, false);
	}
}

void wire_node_off(struct wire *wire, uint32_t node, bool off)
{
	for (uint32_t i = 0; i < wire->plan->nodes[node].interface_count; i++) {
		struct wire_port *port = &wire->ports[wire->first_port[node] + i];
		struct wire_port *far = far_end(port);

		port->off = off;
		if (far)
			wire_watch_carrier(far);
	}
}

void wire_watch_carrier(struct wire_port *port)
{
	const struct wire *wire = port->wire;
	const struct fault_state *state;
	int dir;
	uint32_t link = direction_to(port, &dir);

	/* A copy: frames that are due may lag behind the clock, and their link's time
	 * may not be ahead of them. */
	state = sw_fault_state(wire->sw, link, dir);
	if (state)
		port->watched = state->rule[0];
	wire_tell_carrier(port, false);
	wait_for_change(port->wire);
}

void wire_watch_carriers(struct wire *wire)
{
	for (uint32_t i = 0; i < wire->port_count; i++)
		wire_watch_carrier(&wire->ports[i]);
}

void wire_carrier_due(void *ctx, uint64_t now_ns)
{
	struct wire *wire = ctx;

	for (uint32_t i = 0; i < wire->port_count; i++)
		if (wire->ports[i].carrier_change_ns <= now_ns)
			wire_tell_carrier(&wire->ports[i], false);
	wait_for_change(wire);
}
