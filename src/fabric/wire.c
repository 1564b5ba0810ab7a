/* SPDX-License-Identifier: MIT */
#include "fabric/wire.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "fabric/wire_internal.h"

/* Memory for frames on their way, of the whole lab. */
#define POOL_BYTES_MAX (UINT64_C(256) << 20)

enum { FLUSHES_PER_TURN = 32 };

static const char *const state_names[] = {
	[PORT_ABSENT] = "absent",
	[PORT_WAITING] = "waiting",
	[PORT_UP] = "up",
	[PORT_DEAD] = "dead",
};
_Static_assert(ARRAY_SIZE(state_names) == PORT_STATES, "a name for each state");

const char *port_state_name(enum port_state state)
{
	ASSERT((unsigned)state < PORT_STATES);
	return state_names[state];
}

/* ---- frames ------------------------------------------------------------ */

/* Telling a machine wakes it, which takes longer than a frame.  One to all machines of a
 * large network leads to many such calls, so in a turn there is an end of them.  In virtual
 * time nobody waits for it. */
static void flush_some(struct wire *wire)
{
	uint32_t some = wire->flush_count;

	if (!wire->vtime && some > FLUSHES_PER_TURN)
		some = FLUSHES_PER_TURN;
	for (; some; some--) {
		struct wire_port *port = &wire->ports[wire->flush[wire->flush_first]];

		wire->flush_first = (wire->flush_first + 1) % wire->port_count;
		wire->flush_count--;
		port->to_flush = false;
		if (port->vnet)
			vnet_flush(port->vnet);
	}
	if (wire->flush_count)
		loop_defer(wire->loop, &wire->flush_rest);
}

/* They are with their machines now: how late is that? */
static void note_lateness(struct wire *wire)
{
	uint32_t count;
	const uint64_t *dues = sw_take_dues(wire->sw, &count);
	uint64_t now_ns = count ? clock_now_ns(wire->clock) : 0;

	for (uint32_t i = 0; i < count; i++)
		histogram_add(&wire->late, now_ns - dues[i]);
}

static void settle(struct wire *wire, bool resumed)
{
	uint64_t due_ns = sw_next_due_ns(wire->sw);

	flush_some(wire);
	/* Of the rest when it has been told, or a part of it. */
	if (!wire->flush_count || resumed)
		note_lateness(wire);
	if (due_ns == UINT64_MAX)
		timer_cancel(wire->clock, &wire->due);
	else if (!wire->due.set || wire->due.due_ns != due_ns)
		timer_set(wire->clock, &wire->due, due_ns);
}

void wire_settle(struct wire *wire)
{
	settle(wire, false);
}

static void flush_rest(void *ctx)
{
	settle(ctx, true);
}

static void on_due(void *ctx, uint64_t now_ns)
{
	struct wire *wire = ctx;

	sw_advance(wire->sw, now_ns);
	wire_settle(wire);
}

static int deliver(void *ctx, uint32_t index, struct frame frame)
{
	struct wire *wire = ctx;
	struct wire_port *port = &wire->ports[index];
	int err = port->vnet ? vnet_send(port->vnet, frame.bytes, frame.size) : -ENOTCONN;

	wire->handed++;
	if (!err)
		digest_frame(wire->digest, DIGEST_RECEIVED, index,
			     clock_now_ns(wire->clock), frame.bytes, frame.size);
	if (!err && !port->to_flush) {
		port->to_flush = true;
		wire->flush[(wire->flush_first + wire->flush_count++) %
			    wire->port_count] = index;
	}
	return err;
}

static void tap(void *ctx, const struct sw_tap_event *event)
{
	struct wire *wire = ctx;

	wire->ops->tap(wire->ctx, event);
}

static const struct sw_sink sink = { .deliver = deliver, .tap = tap };

/* ---- cards ------------------------------------------------------------- */

static uint32_t port_index(const struct wire_port *port)
{
	return (uint32_t)(port - port->wire->ports);
}

static void set_state(struct wire_port *port, enum port_state state, const char *why)
{
	struct wire *wire = port->wire;

	if (port->state == state)
		return;
	port->state = state;
	sw_port_up(wire->sw, port_index(port), state == PORT_UP);
	wire->ops->port(wire->ctx, port_index(port), state, why);
}

static void on_up(void *ctx)
{
	struct wire_port *port = ctx;

	set_state(port, PORT_UP, NULL);
	wire_tell_carrier(port, true);
}

static unsigned on_frame(void *ctx, const uint8_t *bytes, uint32_t size)
{
	struct wire_port *port = ctx;
	struct wire *wire = port->wire;
	unsigned handed = wire->handed;

	/* The time is read for each frame: a batch may last longer than the
	 * lateness that a delay is allowed. */
	uint64_t now_ns = clock_now_ns(wire->clock);

	digest_frame(wire->digest, DIGEST_SENT, port_index(port), now_ns, bytes, size);
	sw_port_frame(wire->sw, port_index(port), (struct frame){ bytes, size }, now_ns);
	return wire->handed - handed;
}

static void on_batch_end(void *ctx)
{
	struct wire_port *port = ctx;

	wire_settle(port->wire);
}

static void on_writable(void *ctx)
{
	struct wire_port *port = ctx;

	sw_port_writable(port->wire->sw, port_index(port),
			 clock_now_ns(port->wire->clock));
	wire_settle(port->wire);
}

/* May come from within deliver(): the switch must not be changed here. */
static void on_dead(void *ctx, bool broken, const char *why)
{
	struct wire_port *port = ctx;

	port->broken = broken;
	why_set(&port->why, 0, "%s", why && *why ? why : "the guest went away");
	loop_defer(port->wire->loop, &port->wire->reap);
}

static void reap_dead(void *ctx)
{
	struct wire *wire = ctx;

	for (uint32_t i = 0; i < wire->port_count; i++) {
		struct wire_port *port = &wire->ports[i];

		if (!*port->why.text || !port->vnet)
			continue;
		vnet_destroy(steal_ptr(&port->vnet));
		set_state(port, PORT_DEAD, port->broken ? port->why.text : NULL);
	}
	wire_settle(wire);
}

static const struct vnet_ops vnet_ops = {
	.up = on_up,
	.frame = on_frame,
	.batch_end = on_batch_end,
	.writable = on_writable,
	.dead = on_dead,
};

int wire_node_open(struct wire *wire, uint32_t node, const char *work_dir,
		   struct why *why)
{
	const struct plan_node *plan = &wire->plan->nodes[node];
	char path[PATH_MAX];

	for (uint32_t i = 0; i < plan->interface_count; i++) {
		struct wire_port *port = &wire->ports[wire->first_port[node] + i];
		struct vnet_config config = { .name = port->name,
					      .path = path,
					      .mtu_bytes =
						      plan->interfaces[i].mtu_bytes };
		int err;

		ASSERT(!port->vnet);
		snprintf(path, sizeof(path), "%s/net%u", work_dir, i);
		memcpy(config.mac, plan->interfaces[i].mac, sizeof(config.mac));
		if (wire->vtime)
			config.guest = vtime_guest(wire->vtime, node);
		else
			config.clock = wire->clock;
		err = vnet_create(&port->vnet, wire->loop, &config, &vnet_ops, port, why);
		if (err) {
			wire_node_close(wire, node);
			return why_wrap(why, err, "%s", port->name);
		}
		port->broken = false;
		*port->why.text = 0;
		set_state(port, PORT_WAITING, NULL);
		wire_tell_carrier(port, true);
	}
	return 0;
}

void wire_node_close(struct wire *wire, uint32_t node)
{
	const struct plan_node *plan = &wire->plan->nodes[node];

	for (uint32_t i = 0; i < plan->interface_count; i++) {
		struct wire_port *port = &wire->ports[wire->first_port[node] + i];

		vnet_destroy(steal_ptr(&port->vnet));
		set_state(port, PORT_ABSENT, NULL);
	}
}

/* ---- building ---------------------------------------------------------- */

static int add_ports(struct wire *wire, struct why *why)
{
	const struct plan *plan = wire->plan;
	uint32_t index = 0;
	int err = 0;

	for (uint32_t n = 0; n < plan->node_count; n++) {
		wire->first_port[n] = index;
		for (uint32_t i = 0; !err && i < plan->nodes[n].interface_count; i++) {
			struct wire_port *port = &wire->ports[index];
			uint32_t given;

			port->wire = wire;
			port->at = (struct plan_endpoint){ .node = n, .interface = i };
			snprintf(port->name, sizeof(port->name), "%s:%s",
				 plan->nodes[n].name, plan->nodes[n].interfaces[i].name);
			err = sw_add_port(wire->sw, port->name, n, &given, why);
			ASSERT(err || given == index);
			index++;
		}
	}
	return err;
}

static int add_links(struct wire *wire, struct why *why)
{
	const struct plan *plan = wire->plan;
	uint32_t given;
	int err = 0;

	for (uint32_t s = 0; !err && s < plan->segment_count; s++) {
		err = sw_add_segment(wire->sw, plan->segments[s].name,
				     plan->segments[s].ageing_ns, &given, why);
		ASSERT(err || given == s);
	}
	for (uint32_t l = 0; !err && l < plan->link_count; l++) {
		const struct plan_link *link = &plan->links[l];
		uint32_t a = wire_port(wire, link->a);

		if (link->b_kind == LINK_TO_SEGMENT)
			err = sw_link_segment(wire->sw, link->name, a, link->segment,
					      &given, why);
		else
			err = sw_link_ports(wire->sw, link->name, a,
					    wire_port(wire, link->b), &given, why);
		ASSERT(err || given == l);
		for (int dir = 0; !err && dir < DIRS; dir++)
			err = sw_fault_set(wire->sw, l, dir, link->fault[dir], 0, why);
	}
	return err;
}

static int build(struct wire *wire, uint64_t seed, struct why *why)
{
	const struct plan *plan = wire->plan;
	struct sw_config config = {
		.seed = seed,
		.node_count = (uint32_t)plan->node_count,
		.pool_bytes_max = POOL_BYTES_MAX,
		.sink = &sink,
		.ctx = wire,
	};
	int err;

	for (size_t n = 0; n < plan->node_count; n++)
		wire->port_count += (uint32_t)plan->nodes[n].interface_count;
	wire->ports = calloc(wire->port_count + 1, sizeof(*wire->ports));
	wire->flush = calloc(wire->port_count + 1, sizeof(*wire->flush));
	wire->first_port = calloc(plan->node_count + 1, sizeof(*wire->first_port));
	if (!wire->ports || !wire->flush || !wire->first_port)
		return why_set(why, -ENOMEM, "wiring: out of memory");
	err = sw_create(&wire->sw, &config, why);
	if (!err)
		err = add_ports(wire, why);
	if (!err)
		err = add_links(wire, why);
	return err;
}

int wire_create(struct wire **out, const struct plan *plan, uint64_t seed,
		struct loop *loop, struct clock *clock, const struct wire_ops *ops,
		void *ctx, struct why *why)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	int err;

	if (!wire)
		return why_set(why, -ENOMEM, "wiring: out of memory");
	wire->plan = plan;
	wire->loop = loop;
	wire->clock = clock;
	wire->ops = ops;
	wire->ctx = ctx;
	wire->due = (struct timer){ .fire = on_due, .ctx = wire };
	wire->carrier = (struct timer){ .fire = wire_carrier_due, .ctx = wire };
	wire->reap = (struct deferred){ .run = reap_dead, .ctx = wire };
	wire->flush_rest = (struct deferred){ .run = flush_rest, .ctx = wire };
	err = build(wire, seed, why);
	if (err) {
		wire_destroy(wire);
		return err;
	}
	wire_watch_carriers(wire);
	*out = wire;
	return 0;
}

void wire_destroy(struct wire *wire)
{
	if (!wire)
		return;
	for (uint32_t i = 0; wire->ports && i < wire->port_count; i++)
		vnet_destroy(wire->ports[i].vnet);
	timer_cancel(wire->clock, &wire->due);
	timer_cancel(wire->clock, &wire->carrier);
	deferred_cancel(&wire->reap);
	deferred_cancel(&wire->flush_rest);
	sw_destroy(wire->sw);
	free(wire->ports);
	free(wire->flush);
	free(wire->first_port);
	free(wire->pairs);
	free(wire);
}

void wire_set_virtual(struct wire *wire, struct vtime *vtime, struct digest *digest)
{
	wire->vtime = vtime;
	wire->digest = digest;
	sw_set_floor(wire->sw, wire_floor_ns(wire));
	wire_update_lookahead(wire);
	wire_watch_carriers(wire);
}

uint64_t wire_floor_ns(const struct wire *wire)
{
	return wire->vtime ? WIRE_VIRTUAL_FLOOR_NS : 0;
}

/* ---- looking ----------------------------------------------------------- */

uint32_t wire_port_count(const struct wire *wire)
{
	return wire->port_count;
}

uint32_t wire_port(const struct wire *wire, struct plan_endpoint at)
{
	return wire->first_port[at.node] + at.interface;
}

struct plan_endpoint wire_endpoint(const struct wire *wire, uint32_t port)
{
	return wire->ports[port].at;
}

enum port_state wire_port_state(const struct wire *wire, uint32_t port)
{
	return wire->ports[port].state;
}

const char *wire_port_name(const struct wire *wire, uint32_t port)
{
	return wire->ports[port].name;
}

const struct sw_count *wire_port_count_in(const struct wire *wire, uint32_t port)
{
	return sw_port_count_in(wire->sw, port);
}

const struct sw_count *wire_port_count_out(const struct wire *wire, uint32_t port)
{
	return sw_port_count_out(wire->sw, port);
}

const struct histogram *wire_lateness(const struct wire *wire)
{
	return &wire->late;
}

void wire_port_tap(struct wire *wire, uint32_t port, bool on)
{
	sw_port_tap(wire->sw, port, on);
}
