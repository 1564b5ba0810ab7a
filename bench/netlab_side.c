/* SPDX-License-Identifier: MIT */
/* The netlab switch as the lab runs it: one LAN or one link, a vnet for each port, the
 * real switch core between them, the clock read for each frame, a timer for what
 * waits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "bench_run.h"
#include "clock/clock.h"
#include "netlab_guest.h"
#include "switch/switch.h"
#include "faultwords/fault_words.h"
#include "device/vnet.h"

struct lan;

struct member {
	struct lan *lan;
	struct vnet *vnet;
	uint32_t port;
	bool to_flush;
};

struct lan {
	struct run *run;
	struct timer due;
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

/* As fabric/wire.c: tell the receivers, and wake when the next frame is due. */
static void settle(struct lan *lan)
{
	uint64_t due_ns = sw_next_due_ns(lan->sw);

	flush_all(lan);
	if (due_ns == UINT64_MAX)
		timer_cancel(lan->clock, &lan->due);
	else if (!lan->due.set || lan->due.due_ns != due_ns)
		timer_set(lan->clock, &lan->due, due_ns);
}

static void on_due(void *ctx, uint64_t now_ns)
{
	struct lan *lan = ctx;

	sw_advance(lan->sw, now_ns);
	settle(lan);
}

static void on_up(void *ctx)
{
	struct member *m = ctx;

	sw_port_up(m->lan->sw, m->port, true);
}

static unsigned on_frame(void *ctx, const uint8_t *bytes, uint32_t size)
{
	struct member *m = ctx;

	sw_port_frame(m->lan->sw, m->port, (struct frame){ bytes, size },
		      clock_now_ns(m->lan->clock));
	return 1;
}

static void on_batch_end(void *ctx)
{
	struct member *m = ctx;

	__atomic_store_n(&m->lan->run->shared->offered,
			 sw_port_count_in(m->lan->sw, m->lan->members[1].port)->frames,
			 __ATOMIC_RELAXED);
	settle(m->lan);
}

static void on_writable(void *ctx)
{
	struct member *m = ctx;

	sw_port_writable(m->lan->sw, m->port, clock_now_ns(m->lan->clock));
	settle(m->lan);
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

static void add_member(struct run *run, struct lan *lan, unsigned i)
{
	struct member *m = &lan->members[i];
	char name[32], path[200];
	struct vnet_config config = { .name = name, .path = path, .mtu_bytes = 1500 };
	struct why why = { .text = "" };

	m->lan = lan;
	snprintf(name, sizeof(name), "n%u:eth0", i);
	netlab_guest_path(run, i, path, sizeof(path));
	ASSERT(sw_add_port(lan->sw, name, i, &m->port, &why) == 0);
	if (vnet_create(&m->vnet, lan->loop, &config, &vnet_ops, m, &why))
		bench_die(why.text);
}

static void open_switch(struct lan *lan, struct run *run)
{
	static const struct sw_sink sink = { .deliver = deliver };
	unsigned count = 2 + run->silent;
	struct sw_config config = { .seed = 1,
				    .node_count = count,
				    .pool_bytes_max = UINT64_C(64) << 20,
				    .sink = &sink,
				    .ctx = lan };
	struct why why = { .text = "" };

	*lan = (struct lan){ .run = run,
			     .members = calloc(count, sizeof(*lan->members)),
			     .flush = calloc(count, sizeof(struct member *)) };
	lan->due = (struct timer){ .fire = on_due, .ctx = lan };
	netlab_guest_many_files();
	ASSERT(lan->members && lan->flush);
	ASSERT(loop_create(&lan->loop, &why) == 0);
	ASSERT(clock_real_create(&lan->clock, lan->loop, &why) == 0);
	ASSERT(sw_create(&lan->sw, &config, &why) == 0);
	for (unsigned i = 0; i < count; i++)
		add_member(run, lan, i);
}

static void serve(struct lan *lan)
{
	__atomic_store_n(&lan->run->shared->switch_ready, 1, __ATOMIC_RELEASE);
	loop_run(lan->loop);
}

static void run_switch(struct run *run)
{
	struct why why = { .text = "" };
	uint32_t segment, link;
	struct lan lan;

	open_switch(&lan, run);
	ASSERT(sw_add_segment(lan.sw, "lan", UINT64_C(300) * NS_PER_S, &segment, &why) == 0);
	for (unsigned i = 0; i < 2 + run->silent; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u:eth0", i);
		ASSERT(sw_link_segment(lan.sw, name, lan.members[i].port, segment, &link,
				       &why) == 0);
	}
	serve(&lan);
}

/* Every model at once, each for some of the frames; the rate is one that the sender
 * does not reach.  (What excludes another stands in a rule of its own.) */
static const char every_fault[] =
	"{\"loss\":\"gemodel 0.1% 30% 50% 0.1%\",\"ecn\":true,"
	"\"delay\":\"100us 20us 25%\",\"distribution\":\"paretonormal\","
	"\"reorder\":\"1% 25%\",\"gap\":5,"
	"\"duplicate\":\"1% 25%\",\"replay\":\"0.5% 1ms\","
	"\"corrupt\":\"1% 25%\",\"corrupt-bits\":2,\"corrupt-mode\":\"repair\","
	"\"mtu-drop\":1500,\"flap\":\"up 1h down 1ms random\","
	"\"rate\":\"100Gbit\",\"overhead\":\"24B\",\"cell\":\"48B 5B\","
	"\"limit\":\"100000frames\",\"queue\":\"red 10MB 20MB 1%\","
	"\"slot\":\"10us 20us\",\"clog\":\"open 1h closed 1ms random\","
	"\"faults\":["
	"{\"name\":\"a\",\"match\":\"udp port 9 and greater 60\",\"apply\":\"50%\","
	"\"loss\":\"state 0.1% 50%\",\"delay\":\"10us\",\"order\":\"keep\","
	"\"corrupt\":\"0.5%\",\"corrupt-mode\":\"fcs\"},"
	"{\"name\":\"b\",\"match\":\"tcp\",\"loss\":\"1% 25%\"},"
	"{\"name\":\"c\",\"when\":\"on 5ms off 5ms random\",\"loss\":\"every 1000\"}]}";

static void run_wire(struct run *run, const char *words)
{
	struct fault_spec *spec = NULL;
	struct why why = { .text = "" };
	uint32_t link;
	struct lan lan;

	open_switch(&lan, run);
	ASSERT(sw_link_ports(lan.sw, "wire", lan.members[1].port, lan.members[0].port, &link,
			     &why) == 0);
	if (words) {
		json_t *json = json_loads(words, 0, NULL);

		ASSERT(json);
		if (fault_words_from_json(&spec, NULL, json, &why) ||
		    sw_fault_set(lan.sw, link, 0, spec, clock_now_ns(lan.clock), &why)) {
			errno = 0;
			bench_die(why.text);
		}
		json_decref(json);
	}
	serve(&lan);
}

static void run_link(struct run *run)
{
	run_wire(run, NULL);
}

static void run_faults(struct run *run)
{
	run_wire(run, every_fault);
}

const struct side netlab_side = {
	.name = "netlab",
	.run_switch = run_switch,
	.run_sender = netlab_guest_send,
	.run_receiver = netlab_guest_receive,
	.run_silent = netlab_guest_silent,
};

const struct side netlab_link_side = {
	.name = "no fault",
	.run_switch = run_link,
	.run_sender = netlab_guest_send,
	.run_receiver = netlab_guest_receive,
};

const struct side netlab_faults_side = {
	.name = "every fault",
	.run_switch = run_faults,
	.run_sender = netlab_guest_send,
	.run_receiver = netlab_guest_receive,
};

const struct side netlab_link_paced_side = {
	.name = "no fault, paced",
	.run_switch = run_link,
	.run_sender = netlab_guest_send_paced,
	.run_receiver = netlab_guest_receive,
};

const struct side netlab_faults_paced_side = {
	.name = "every fault, paced",
	.run_switch = run_faults,
	.run_sender = netlab_guest_send_paced,
	.run_receiver = netlab_guest_receive,
};
