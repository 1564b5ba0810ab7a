/* SPDX-License-Identifier: MIT */
#include "sim/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "plan/plan.h"

enum { ID_AT = 14, FILL_AT = 18 };

__attribute__((format(printf, 2, 3))) static void say(struct sim *sim, const char *fmt,
						      ...)
{
	char line[160];
	va_list ap;
	int n, m;

	n = snprintf(line, sizeof(line), "[%" PRIu64 "] ", sim_now(sim));
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	n += m;
	for (int i = 0; i < n; i++)
		sim->hash = fnv_on(sim->hash, (uint8_t)line[i]);
	if (sim->quiet)
		return;
	assert_true(sim->said_bytes + (size_t)n + 2 < SIM_SAID_BYTES);
	memcpy(sim->said + sim->said_bytes, line, (size_t)n);
	sim->said_bytes += (size_t)n;
	sim->said[sim->said_bytes++] = '\n';
	sim->said[sim->said_bytes] = '\0';
}

static uint8_t fill_of(uint32_t id, uint32_t at)
{
	return (uint8_t)((id * 31 + at) * 7);
}

static uint32_t id_of(struct frame frame)
{
	uint32_t id;

	assert_true(frame.size >= FILL_AT);
	memcpy(&id, frame.bytes + ID_AT, sizeof(id));
	return id;
}

/* Everything that must be true of any frame that comes out of the switch. */
static void check_frame(struct sim *sim, uint32_t port, struct frame frame)
{
	uint32_t id = id_of(frame);
	struct sim_frame *f = &sim->frames[id];

	assert_true(id < sim->frame_count);
	assert_int_equal(frame.size, f->size);
	for (uint32_t i = FILL_AT; i < frame.size; i++)
		assert_int_equal(frame.bytes[i], fill_of(id, i));
	assert_true(port != f->from);
	assert_false(sw_is_cut(sim->sw, sim->ports[f->from].node, sim->ports[port].node));
	assert_true(sim_now(sim) >= f->sent_ns);
}

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	struct sim *sim = ctx;
	struct sim_port *p = &sim->ports[port];
	uint32_t id = id_of(frame);

	check_frame(sim, port, frame);
	if (sim->down_in_deliver) {
		int err = sim->down_in_deliver;

		sim->down_in_deliver = 0;
		sw_port_up(sim->sw, port, false);
		return err;
	}
	if (!p->room) {
		say(sim, "%s full #%u", p->name, id);
		return -EAGAIN;
	}
	if (p->room != SIM_ROOM_ENDLESS)
		p->room--;
	assert_true(sim->copies || !(sim->frames[id].seen_by >> port & 1));
	sim->frames[id].seen_by |= UINT64_C(1) << port;
	p->got++;
	say(sim, "%s got #%u", p->name, id);
	if (sim->got)
		sim->got(sim, port, id);
	return 0;
}

static void tap(void *ctx, const struct sw_tap_event *event)
{
	struct sim *sim = ctx;
	const char *name = sim->ports[event->port].name;
	unsigned id = event->frame.size >= FILL_AT ? id_of(event->frame) : 0;

	assert_int_equal(event->now_ns, sim_now(sim));
	assert_non_null(event->trail);
	fault_trail_format(sim->trail, event->trail);
	if (!event->inbound)
		say(sim, "%s out #%u", name, id);
	else if (event->fate == SW_PASS)
		say(sim, "%s in #%u pass", name, id);
	else
		say(sim, "%s in #%u %s %s/%" PRIu64, name, id, sw_fate_name(event->fate),
		    event->direction ? event->direction : "-", event->frame_no);
}

static const struct sw_sink sink = { .deliver = deliver, .tap = tap };

static void arm(struct sim *sim)
{
	uint64_t due_ns = sw_next_due_ns(sim->sw);

	if (due_ns == UINT64_MAX)
		timer_cancel(sim->clock, &sim->timer);
	else
		timer_set(sim->clock, &sim->timer, due_ns);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct sim *sim = ctx;

	sw_advance(sim->sw, now_ns);
	assert_true(sw_next_due_ns(sim->sw) > now_ns);
	arm(sim);
}

struct sim *sim_create(uint64_t seed, uint32_t nodes, uint64_t pool_bytes)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	struct sw_config config = { .seed = seed,
				    .node_count = nodes,
				    .pool_bytes_max = pool_bytes,
				    .sink = &sink,
				    .ctx = sim };

	assert_non_null(sim);
	sim->frames = calloc(SIM_FRAMES_MAX, sizeof(*sim->frames));
	assert_non_null(sim->frames);
	assert_int_equal(sw_create(&sim->sw, &config, NULL), 0);
	assert_int_equal(clock_fake_create(&sim->clock, NULL), 0);
	sim->timer.fire = on_timer;
	sim->timer.ctx = sim;
	sim->hash = FNV_BASIS;
	return sim;
}

void sim_destroy(struct sim *sim)
{
	timer_cancel(sim->clock, &sim->timer);
	clock_destroy(sim->clock);
	sw_destroy(sim->sw);
	free(sim->frames);
	free(sim);
}

uint32_t sim_port(struct sim *sim, const char *name, uint32_t node)
{
	struct sim_port *p = &sim->ports[sim->port_count];
	uint32_t port;

	assert_true(sim->port_count < SIM_PORTS_MAX);
	assert_int_equal(sw_add_port(sim->sw, name, node, &port, NULL), 0);
	assert_int_equal(port, sim->port_count++);
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->node = node;
	p->room = SIM_ROOM_ENDLESS;
	sw_port_up(sim->sw, port, true);
	return port;
}

uint32_t sim_segment(struct sim *sim, const char *name, uint64_t ageing_ns)
{
	uint32_t segment;

	assert_int_equal(sw_add_segment(sim->sw, name, ageing_ns, &segment, NULL), 0);
	assert_int_equal(segment, sim->segment_count++);
	return segment;
}

uint32_t sim_link(struct sim *sim, const char *name, uint32_t a, uint32_t b)
{
	uint32_t link;

	assert_true(sim->link_count < SIM_LINKS_MAX);
	assert_int_equal(sw_link_ports(sim->sw, name, a, b, &link, NULL), 0);
	assert_int_equal(link, sim->link_count);
	sim->links[sim->link_count++] = (struct sim_link){ .a = a, .b = b };
	sim->ports[a].link = sim->ports[b].link = link;
	sim->ports[a].dir_out = DIR_BA;
	sim->ports[b].dir_out = DIR_AB;
	sim->ports[a].linked = sim->ports[b].linked = true;
	return link;
}

uint32_t sim_join(struct sim *sim, const char *name, uint32_t port, uint32_t segment)
{
	uint32_t link;

	assert_true(sim->link_count < SIM_LINKS_MAX);
	assert_int_equal(sw_link_segment(sim->sw, name, port, segment, &link, NULL), 0);
	assert_int_equal(link, sim->link_count);
	sim->links[sim->link_count++] =
		(struct sim_link){ .segment = true, .a = port, .b = segment };
	sim->ports[port].link = link;
	sim->ports[port].dir_out = DIR_BA;
	sim->ports[port].linked = sim->ports[port].on_segment = true;
	return link;
}

uint64_t sim_now(const struct sim *sim)
{
	return clock_now_ns(sim->clock);
}

void sim_until(struct sim *sim, uint64_t now_ns)
{
	clock_fake_advance(sim->clock, now_ns);
	sim_check(sim);
}

void sim_stall(struct sim *sim, uint64_t now_ns)
{
	timer_cancel(sim->clock, &sim->timer);
	clock_fake_advance(sim->clock, now_ns);
}

void sim_until_late(struct sim *sim, uint64_t now_ns)
{
	sim_stall(sim, now_ns);
	on_timer(sim, now_ns);
	sim_check(sim);
}

void sim_fault(struct sim *sim, uint32_t link, int dir, struct fault_rule spec)
{
	struct fault_spec *whole = fault_spec_of(&spec);

	assert_int_equal(sw_fault_set(sim->sw, link, dir, whole, sim_now(sim), NULL), 0);
	fault_spec_free(whole);
	arm(sim);
	sim_check(sim);
}

static void put_mac(uint8_t *at, uint64_t mac)
{
	for (int i = 0; i < 6; i++)
		at[i] = (uint8_t)(mac >> (40 - 8 * i));
}

static uint64_t mac_of(uint32_t port)
{
	if (port == SIM_BROADCAST)
		return UINT64_C(0xffffffffffff);
	return UINT64_C(0x020000000000) + port;
}

uint32_t sim_send_as(struct sim *sim, uint32_t from, uint64_t source_mac, uint32_t to,
		     uint32_t size)
{
	static uint8_t bytes[FRAME_BYTES_MAX + 2];
	uint32_t id = sim->frame_count++;

	assert_true(id < SIM_FRAMES_MAX && size <= sizeof(bytes));
	sim->frames[id] = (struct sim_frame){ from, size, sim_now(sim), 0 };
	put_mac(bytes, mac_of(to));
	put_mac(bytes + 6, source_mac);
	bytes[12] = 0x88; /* for local experiments */
	bytes[13] = 0xb5;
	memcpy(bytes + ID_AT, &id, sizeof(id));
	for (uint32_t i = FILL_AT; i < size; i++)
		bytes[i] = fill_of(id, i);
	sim->lent = bytes;
	sw_port_frame(sim->sw, from, (struct frame){ bytes, size }, sim_now(sim));
	sim->lent = NULL;
	/* What was lent is gone. */
	memset(bytes, 0xee, size);
	arm(sim);
	sim_check(sim);
	return id;
}

uint32_t sim_send(struct sim *sim, uint32_t from, uint32_t to, uint32_t size)
{
	return sim_send_as(sim, from, mac_of(from), to, size);
}

void sim_room(struct sim *sim, uint32_t port, int frames)
{
	sim->ports[port].room = frames;
	if (frames)
		sw_port_writable(sim->sw, port, sim_now(sim));
	arm(sim);
	sim_check(sim);
}

static void check_count(const struct sw_count *c)
{
	uint64_t dropped = 0;

	assert_int_equal(c->dropped[SW_PASS], 0);
	for (int fate = 0; fate < SW_FATES; fate++)
		dropped += c->dropped[fate];
	assert_int_equal(c->frames + c->copies, c->passed + dropped + c->queued);
	if (!c->copies)
		assert_true(c->passed_bytes <= c->bytes);
}

void sim_check(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->link_count; i++) {
		check_count(sw_link_count(sim->sw, i, DIR_AB));
		check_count(sw_link_count(sim->sw, i, DIR_BA));
	}
	for (uint32_t i = 0; i < sim->port_count; i++) {
		const struct sim_port *p = &sim->ports[i];
		const struct sw_count *in = sw_port_count_in(sim->sw, i);
		const struct sw_count *out = sw_port_count_out(sim->sw, i);
		const struct sw_count *to, *from;

		check_count(in);
		check_count(out);
		assert_int_equal(in->queued, 0);
		assert_int_equal(out->passed, p->got);
		if (!p->linked)
			continue;
		from = sw_link_count(sim->sw, p->link, !p->dir_out);
		assert_int_equal(from->frames, in->passed);
		assert_int_equal(from->bytes, in->passed_bytes);
		to = sw_link_count(sim->sw, p->link, p->dir_out);
		assert_int_equal(to->passed, out->frames);
		assert_int_equal(to->passed_bytes, out->bytes);
	}
}

int sim_pair(struct sim *sim, uint32_t segment, uint32_t from, uint32_t to,
	     struct fault_rule rule)
{
	struct fault_spec *spec = fault_spec_of(&rule);
	int err = sw_pair_set(sim->sw, segment, from, to, spec, sim_now(sim), NULL);

	fault_spec_free(spec);
	arm(sim);
	return err;
}
