/* SPDX-License-Identifier: MIT */
#include "switch/switch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "switch/core.h"
#include "switch/direction.h"
#include "switch/hold.h"
#include "switch/line_queue.h"
#include "switch/port.h"
#include "switch/segment.h"
#include "switch/timing.h"

int sw_create(struct sw **out, const struct sw_config *config, struct why *why)
{
	struct sw *sw = calloc(1, sizeof(*sw));
	int err;

	ASSERT(config->sink && config->sink->deliver);
	if (!sw)
		return why_set(why, -ENOMEM, "switch: out of memory");
	sw->config = *config;
	pool_init(&sw->pool, config->pool_bytes_max);
	err = cut_matrix_init(&sw->cuts, config->node_count, why);
	if (err) {
		free(sw);
		return err;
	}
	*out = sw;
	return 0;
}

void sw_destroy(struct sw *sw)
{
	struct hold *hold;

	if (!sw)
		return;
	ASSERT(!sw->busy);
	while (sw->queue.count) {
		void *item = delay_queue_pop(&sw->queue).item;

		/* A line's frames go with their direction. */
		if (*(enum waiter_kind *)item == WAITER_HOLD)
			hold_give(sw, item);
	}
	for (uint32_t i = 0; i < sw->port_count; i++) {
		while ((hold = hold_list_pop(&sw->ports[i]->backlog)))
			hold_give(sw, hold);
	}
	for (uint32_t i = 0; i < sw->segment_count; i++) {
		segment_destroy(sw, sw->segments[i]);
		free(sw->segments[i]);
	}
	for (uint32_t i = 0; i < sw->link_count; i++) {
		direction_destroy(sw, &sw->links[i]->dir[DIR_AB]);
		direction_destroy(sw, &sw->links[i]->dir[DIR_BA]);
		free(sw->links[i]);
	}
	pool_destroy(&sw->pool);
	for (uint32_t i = 0; i < sw->port_count; i++) {
		free(sw->ports[i]->name);
		free(sw->ports[i]);
	}
	free(sw->segments);
	free(sw->links);
	free(sw->ports);
	delay_queue_destroy(&sw->queue);
	cut_matrix_destroy(&sw->cuts);
	free(sw);
}

/* Room for one more pointer behind count, which is then the caller's to raise. */
static int grow(void *array, uint32_t count)
{
	void **old;
	void *grown;

	memcpy(&old, array, sizeof(old));
	/* Powers of two only, so most calls do nothing. */
	if (count & (count - 1))
		return 0;
	grown = realloc(old, (count ? 2 * (size_t)count : 1) * sizeof(void *));
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	return 0;
}

int sw_add_port(struct sw *sw, const char *name, uint32_t node, uint32_t *port,
		struct why *why)
{
	struct port *p;

	if (node >= sw->config.node_count)
		return why_set(why, -EINVAL, "port %s: node %u of %u", name, node,
			       sw->config.node_count);
	p = calloc(1, sizeof(*p));
	if (!p || !(p->name = strdup(name)) || grow(&sw->ports, sw->port_count) < 0) {
		if (p)
			free(p->name);
		free(p);
		return why_set(why, -ENOMEM, "port %s: out of memory", name);
	}
	p->index = sw->port_count;
	p->node = node;
	sw->ports[sw->port_count++] = p;
	*port = p->index;
	return 0;
}

int sw_add_segment(struct sw *sw, const char *name, uint64_t ageing_ns, uint32_t *segment,
		   struct why *why)
{
	struct segment *s = calloc(1, sizeof(*s));
	char *copy = strdup(name);

	if (!s || !copy || grow(&sw->segments, sw->segment_count) < 0) {
		free(s);
		free(copy);
		return why_set(why, -ENOMEM, "network %s: out of memory", name);
	}
	segment_init(s, sw->config.seed, copy, ageing_ns);
	sw->segments[sw->segment_count] = s;
	*segment = sw->segment_count++;
	return 0;
}

static struct port *port_at(const struct sw *sw, uint32_t port)
{
	ASSERT(port < sw->port_count);
	return sw->ports[port];
}

static struct segment *segment_at(const struct sw *sw, uint32_t segment)
{
	ASSERT(segment < sw->segment_count);
	return sw->segments[segment];
}

static struct direction *direction_at(const struct sw *sw, uint32_t link, int dir)
{
	ASSERT(link < sw->link_count && (dir == DIR_AB || dir == DIR_BA));
	return &sw->links[link]->dir[dir];
}

/* "n1:eth0" is called "n1" in a direction's name. */
static int node_part(const struct port *port)
{
	return (int)strcspn(port->name, ":");
}

/* A link whose two directions are named; nothing leads anywhere yet. */
static struct link *link_create(struct sw *sw, const char *name, const char *a,
				int a_bytes, const char *b, int b_bytes)
{
	struct link *link = calloc(1, sizeof(*link));
	cleanup_free char *ab = NULL;
	cleanup_free char *ba = NULL;

	if (asprintf(&ab, "%s %.*s->%.*s", name, a_bytes, a, b_bytes, b) < 0)
		ab = NULL;
	if (asprintf(&ba, "%s %.*s->%.*s", name, b_bytes, b, a_bytes, a) < 0)
		ba = NULL;
	if (!link || !ab || !ba || grow(&sw->links, sw->link_count) < 0) {
		free(link);
		return NULL;
	}
	direction_init(&link->dir[DIR_AB], sw->config.seed, steal_ptr(&ab));
	direction_init(&link->dir[DIR_BA], sw->config.seed, steal_ptr(&ba));
	return link;
}

static int check_free(const struct port *port, const char *name, struct why *why)
{
	if (port->out_of)
		return why_set(why, -EBUSY, "link %s: %s is already an end of %s", name,
			       port->name, port->out_of->name);
	return 0;
}

int sw_link_ports(struct sw *sw, const char *name, uint32_t a, uint32_t b, uint32_t *link,
		  struct why *why)
{
	struct port *pa = port_at(sw, a), *pb = port_at(sw, b);
	int a_bytes = node_part(pa), b_bytes = node_part(pb);
	struct link *l;

	if (a == b)
		return why_set(why, -EINVAL, "link %s: both ends are %s", name, pa->name);
	if (check_free(pa, name, why) < 0 || check_free(pb, name, why) < 0)
		return -EBUSY;
	if (a_bytes == b_bytes && !strncmp(pa->name, pb->name, (size_t)a_bytes)) {
		a_bytes = (int)strlen(pa->name);
		b_bytes = (int)strlen(pb->name);
	}
	l = link_create(sw, name, pa->name, a_bytes, pb->name, b_bytes);
	if (!l)
		return why_set(why, -ENOMEM, "link %s: out of memory", name);
	l->dir[DIR_AB].to = l->dir[DIR_BA].to = TO_PORT;
	l->dir[DIR_AB].port = pb;
	l->dir[DIR_BA].port = pa;
	pa->out_of = &l->dir[DIR_AB];
	pb->out_of = &l->dir[DIR_BA];
	sw->links[sw->link_count] = l;
	*link = sw->link_count++;
	return 0;
}

int sw_link_segment(struct sw *sw, const char *name, uint32_t port, uint32_t segment,
		    uint32_t *link, struct why *why)
{
	struct port *p = port_at(sw, port);
	struct segment *s = segment_at(sw, segment);
	struct link *l;

	if (check_free(p, name, why) < 0)
		return -EBUSY;
	l = link_create(sw, name, p->name, node_part(p), s->name, (int)strlen(s->name));
	if (!l)
		return why_set(why, -ENOMEM, "link %s: out of memory", name);
	if (segment_add_member(s, p, &l->dir[DIR_BA]) < 0) {
		direction_destroy(sw, &l->dir[DIR_AB]);
		direction_destroy(sw, &l->dir[DIR_BA]);
		free(l);
		return why_set(why, -ENOMEM, "link %s: out of memory", name);
	}
	l->dir[DIR_AB].to = TO_SEGMENT;
	l->dir[DIR_AB].segment = s;
	l->dir[DIR_BA].to = TO_PORT;
	l->dir[DIR_BA].port = p;
	p->out_of = &l->dir[DIR_AB];
	sw->links[sw->link_count] = l;
	*link = sw->link_count++;
	return 0;
}

static void arrive(struct sw *sw, struct hold *hold, uint64_t due_ns)
{
	struct transit transit = hold_begin(sw, hold);

	timing_came(sw, &transit, due_ns);
	direction_arrive(sw, &transit, due_ns);
	hold_end(sw);
	hold_give(sw, hold);
}

/* What is due by now happens, each at its own time. */
static void settle(struct sw *sw)
{
	while (delay_queue_due_ns(&sw->queue) <= sw->now_ns) {
		struct delay_entry first = delay_queue_pop(&sw->queue);

		if (*(enum waiter_kind *)first.item == WAITER_LINE)
			line_queue_event(sw, first.item, first.due_ns);
		else
			arrive(sw, first.item, first.due_ns);
	}
}

/* Time moves to now_ns. */
static void move_to(struct sw *sw, uint64_t now_ns)
{
	ASSERT(now_ns >= sw->now_ns && !sw->busy);
	sw->now_ns = now_ns;
	settle(sw);
}

void sw_set_floor(struct sw *sw, uint64_t floor_ns)
{
	sw->floor_ns = floor_ns;
}

void sw_advance(struct sw *sw, uint64_t now_ns)
{
	move_to(sw, now_ns);
}

uint64_t sw_next_due_ns(const struct sw *sw)
{
	return delay_queue_due_ns(&sw->queue);
}

void sw_port_frame(struct sw *sw, uint32_t port, struct frame frame, uint64_t now_ns)
{
	move_to(sw, now_ns);
	hold_begin_lent(sw);
	port_enter(sw, port_at(sw, port), frame);
	hold_end(sw);
	/* A line that let go at once has put its frame there. */
	settle(sw);
}

void sw_port_writable(struct sw *sw, uint32_t port, uint64_t now_ns)
{
	move_to(sw, now_ns);
	port_drain(sw, port_at(sw, port));
}

void sw_port_up(struct sw *sw, uint32_t port, bool up)
{
	port_set_up(sw, port_at(sw, port), up);
}

void sw_port_tap(struct sw *sw, uint32_t port, bool on)
{
	port_at(sw, port)->tapped = on;
}

int sw_fault_set(struct sw *sw, uint32_t link, int dir, struct fault_spec *spec,
		 uint64_t now_ns, struct why *why)
{
	/* What was due before arrives under the fault that held then. */
	move_to(sw, now_ns);
	if (direction_fault_set(sw, direction_at(sw, link, dir), spec, now_ns))
		return why_set(why, -ENOMEM, "%s: out of memory for a fault",
			       sw_link_direction_name(sw, link, dir));
	timing_restart(sw, direction_at(sw, link, dir));
	settle(sw);
	return 0;
}

struct fault_spec *sw_fault_get(const struct sw *sw, uint32_t link, int dir)
{
	return direction_at(sw, link, dir)->spec;
}

const struct fault_state *sw_fault_state(const struct sw *sw, uint32_t link, int dir)
{
	return direction_at(sw, link, dir)->state;
}

int sw_pair_set(struct sw *sw, uint32_t segment, uint32_t from_port, uint32_t to_port,
		struct fault_spec *spec, uint64_t now_ns, struct why *why)
{
	struct pair *pair;
	int err;

	move_to(sw, now_ns);
	err = segment_pair_set(sw, segment_at(sw, segment), port_at(sw, from_port),
			       port_at(sw, to_port), spec, now_ns, why);
	pair = err ? NULL
		   : segment_pair(segment_at(sw, segment), port_at(sw, from_port),
				  port_at(sw, to_port));
	if (pair)
		timing_restart(sw, &pair->direction);
	settle(sw);
	return err;
}

struct fault_spec *sw_pair_get(const struct sw *sw, uint32_t segment, uint32_t from_port,
			       uint32_t to_port)
{
	const struct pair *pair = segment_pair(
		segment_at(sw, segment), port_at(sw, from_port), port_at(sw, to_port));

	return pair && pair->in_force ? pair->direction.spec : NULL;
}

const struct fault_state *sw_pair_state(const struct sw *sw, uint32_t segment,
					uint32_t from_port, uint32_t to_port)
{
	const struct pair *pair = segment_pair(
		segment_at(sw, segment), port_at(sw, from_port), port_at(sw, to_port));

	return pair && pair->in_force ? pair->direction.state : NULL;
}

void sw_cut(struct sw *sw, uint32_t from_node, uint32_t to_node, bool cut)
{
	cut_matrix_set(&sw->cuts, from_node, to_node, cut);
}

bool sw_is_cut(const struct sw *sw, uint32_t from_node, uint32_t to_node)
{
	ASSERT(from_node < sw->cuts.nodes && to_node < sw->cuts.nodes);
	return cut_matrix_get(&sw->cuts, from_node, to_node);
}

void sw_heal(struct sw *sw)
{
	cut_matrix_clear(&sw->cuts);
}

uint64_t sw_now_ns(const struct sw *sw)
{
	return sw->now_ns;
}

void sw_skip_to(struct sw *sw, uint32_t port, uint64_t frame_no)
{
	struct direction *d = port_at(sw, port)->out_of;

	ASSERT(d && frame_no >= d->skipped + d->count.frames);
	d->skipped = frame_no - d->count.frames;
}

const struct sw_timing *sw_link_timing(const struct sw *sw, uint32_t link, int dir)
{
	return direction_at(sw, link, dir)->timing;
}

const struct sw_timing *sw_pair_timing(const struct sw *sw, uint32_t segment,
				       uint32_t from_port, uint32_t to_port)
{
	const struct pair *pair = segment_pair(
		segment_at(sw, segment), port_at(sw, from_port), port_at(sw, to_port));

	return pair ? pair->direction.timing : NULL;
}

const uint64_t *sw_take_dues(struct sw *sw, uint32_t *count)
{
	*count = sw->due_count;
	sw->due_count = 0;
	return sw->dues;
}

const char *sw_link_direction_name(const struct sw *sw, uint32_t link, int dir)
{
	return direction_at(sw, link, dir)->name;
}

uint64_t sw_pool_bytes(const struct sw *sw)
{
	return sw->pool.bytes_taken;
}

const struct sw_count *sw_link_count(const struct sw *sw, uint32_t link, int dir)
{
	return &direction_at(sw, link, dir)->count;
}

const struct sw_count *sw_pair_count(const struct sw *sw, uint32_t segment,
				     uint32_t from_port, uint32_t to_port)
{
	const struct pair *pair = segment_pair(
		segment_at(sw, segment), port_at(sw, from_port), port_at(sw, to_port));

	return pair ? &pair->direction.count : NULL;
}

const struct sw_count *sw_port_count_in(const struct sw *sw, uint32_t port)
{
	return &port_at(sw, port)->in;
}

const struct sw_count *sw_port_count_out(const struct sw *sw, uint32_t port)
{
	return &port_at(sw, port)->out;
}

const char *sw_fate_name(enum sw_fate fate)
{
	static const char *const names[SW_FATES] = {
		[SW_PASS] = "pass",
		[SW_DROP_CUT] = "cut",
		[SW_DROP_DOWN] = "down",
		[SW_DROP_LOSS] = "loss",
		[SW_DROP_LIMIT] = "limit",
		[SW_DROP_POOL] = "pool",
		[SW_DROP_FULL] = "full",
		[SW_DROP_NO_PORT] = "no-port",
		[SW_DROP_BAD_FRAME] = "bad-frame",
		[SW_DROP_AQM] = "aqm",
		[SW_DROP_FCS] = "fcs",
		[SW_DROP_MTU] = "mtu",
	};

	return (unsigned)fate < SW_FATES ? names[fate] : "?";
}
