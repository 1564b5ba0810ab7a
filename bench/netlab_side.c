/* SPDX-License-Identifier: MIT */
/* The netlab switch as the lab runs it: one LAN, a vnet for each port, the real
 * switch core between them, the clock read for each frame. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "bench_run.h"
#include "clock/clock.h"
#include "netlab_guest.h"
#include "switch/switch.h"
#include "virtio/vnet.h"

struct lan;

struct member {
	struct lan *lan;
	struct vnet *vnet;
	uint32_t port;
	bool to_flush;
};

struct lan {
	struct loop *loop;
	struct clock *clock;
	struct sw *sw;
	struct member *members;
	struct member **flush;
	unsigned flush_count;
};

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	struct lan *lan = ctx;
	struct member *m = &lan->members[port];
	int err = vnet_send(m->vnet, frame.bytes, frame.size);

	if (!err && !m->to_flush) {
		m->to_flush = true;
		lan->flush[lan->flush_count++] = m;
	}
	return err;
}

static void flush_all(struct lan *lan)
{
	for (unsigned i = 0; i < lan->flush_count; i++) {
		lan->flush[i]->to_flush = false;
		vnet_flush(lan->flush[i]->vnet);
	}
	lan->flush_count = 0;
}

static void on_up(void *ctx)
{
	struct member *m = ctx;

	sw_port_up(m->lan->sw, m->port, true);
}

static void on_frame(void *ctx, const uint8_t *bytes, uint32_t size)
{
	struct member *m = ctx;

	sw_port_frame(m->lan->sw, m->port, (struct frame){ bytes, size },
		      clock_now_ns(m->lan->clock));
}

static void on_batch_end(void *ctx)
{
	struct member *m = ctx;

	flush_all(m->lan);
}

static void on_writable(void *ctx)
{
	struct member *m = ctx;

	sw_port_writable(m->lan->sw, m->port, clock_now_ns(m->lan->clock));
	flush_all(m->lan);
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	(void)ctx;
	(void)broken;
	errno = 0;
	bench_die(why);
}

static const struct vnet_ops vnet_ops = {
	.up = on_up,
	.frame = on_frame,
	.batch_end = on_batch_end,
	.writable = on_writable,
	.dead = on_dead,
};

static void add_member(struct run *run, struct lan *lan, unsigned i, uint32_t segment)
{
	struct member *m = &lan->members[i];
	char name[32], path[200];
	struct vnet_config config = { .name = name, .path = path, .mtu_bytes = 1500 };
	struct why why = { .text = "" };
	uint32_t link;

	m->lan = lan;
	snprintf(name, sizeof(name), "n%u:eth0", i);
	netlab_guest_path(run, i, path, sizeof(path));
	ASSERT(sw_add_port(lan->sw, name, i, &m->port, &why) == 0);
	ASSERT(sw_link_segment(lan->sw, name, m->port, segment, &link, &why) == 0);
	if (vnet_create(&m->vnet, lan->loop, &config, &vnet_ops, m, &why))
		bench_die(why.text);
}

static void run_switch(struct run *run)
{
	static const struct sw_sink sink = { .deliver = deliver };
	unsigned count = 2 + run->silent;
	struct lan lan = { .members = calloc(count, sizeof(*lan.members)),
			   .flush = calloc(count, sizeof(*lan.flush)) };
	struct sw_config config = { .seed = 1,
				    .node_count = count,
				    .pool_bytes_max = UINT64_C(64) << 20,
				    .sink = &sink,
				    .ctx = &lan };
	struct why why = { .text = "" };
	uint32_t segment;

	netlab_guest_many_files();
	ASSERT(lan.members && lan.flush);
	ASSERT(loop_create(&lan.loop, &why) == 0);
	ASSERT(clock_real_create(&lan.clock, lan.loop, &why) == 0);
	ASSERT(sw_create(&lan.sw, &config, &why) == 0);
	ASSERT(sw_add_segment(lan.sw, "lan", UINT64_C(300) * NS_PER_S, &segment, &why) == 0);
	for (unsigned i = 0; i < count; i++)
		add_member(run, &lan, i, segment);
	__atomic_store_n(&run->shared->switch_ready, 1, __ATOMIC_RELEASE);
	loop_run(lan.loop);
}

const struct side netlab_side = {
	.name = "netlab",
	.run_switch = run_switch,
	.run_sender = netlab_guest_send,
	.run_receiver = netlab_guest_receive,
	.run_silent = netlab_guest_silent,
};
