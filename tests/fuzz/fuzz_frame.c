/* SPDX-License-Identifier: MIT */
/* Whatever three guests send, and whatever is done to their LAN and wire, the
 * switch's books balance and its memory is its own.
 *
 * The input is a row of steps: a byte that says what, a byte that says where, and
 * for a frame its length and its bytes as they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "switch/switch.h"

enum { PORTS = 5, LINKS = 4, NODES = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static struct input input;
static int room; /* frames that receivers take before they are full */

static unsigned next(void)
{
	if (!input.left)
		return 0;
	input.left--;
	return *input.at++;
}

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	static uint8_t copy[FRAME_BYTES_MAX];

	(void)ctx;
	ASSERT(port < PORTS);
	ASSERT(frame.size >= FRAME_BYTES_MIN && frame.size <= FRAME_BYTES_MAX);
	memcpy(copy, frame.bytes, frame.size); /* all of it can be read */
	if (!room)
		return -EAGAIN;
	room--;
	return 0;
}

static const struct sw_sink sink = { .deliver = deliver };

static struct sw *build(void)
{
	static const char *const names[PORTS] = { "n1:eth0", "n2:eth0", "n3:eth0",
						  "n1:eth1", "n2:eth1" };
	const struct sw_config config = {
		.seed = 1, .node_count = NODES, .pool_bytes_max = 1 << 16, .sink = &sink
	};
	uint32_t id, lan;
	struct sw *sw;

	ASSERT(sw_create(&sw, &config, NULL) == 0);
	ASSERT(sw_add_segment(sw, "lan", 1000000, &lan, NULL) == 0);
	for (uint32_t port = 0; port < PORTS; port++) {
		ASSERT(sw_add_port(sw, names[port], port % NODES, &id, NULL) == 0);
		if (port < 3)
			ASSERT(sw_link_segment(sw, names[port], port, lan, &id, NULL) ==
			       0);
		sw_port_up(sw, port, true);
	}
	ASSERT(sw_link_ports(sw, "wire", 3, 4, &id, NULL) == 0);
	return sw;
}

static void send_frame(struct sw *sw, unsigned where, uint64_t now_ns)
{
	size_t want = next() * 40, have = want < input.left ? want : input.left;
	uint8_t *bytes = malloc(want + 1); /* exact: reading beyond it is seen */

	ASSERT(bytes);
	memset(bytes, 0, want + 1);
	memcpy(bytes, input.at, have);
	input.at += have;
	input.left -= have;
	sw_port_frame(sw, where % PORTS, (struct frame){ bytes, (uint32_t)want }, now_ns);
	free(bytes);
}

static uint32_t some_ppb(void)
{
	return next() * 3900000;
}

/* What holds frames back, and what copies or changes them. */
static void add_models(struct fault_rule *rule)
{
	rule->queue = (enum fault_queue)(next() % (QUEUE_CODEL + 1));
	rule->red_min_bytes = 100;
	rule->red_max_bytes = 3000;
	rule->red_ppb = some_ppb();
	rule->codel_target_ns = 1 + next() * 1000;
	rule->codel_interval_ns = 1 + next() * 10000;
	rule->ecn = next() % 2;
	rule->slot_min_ns = next() * 1000;
	rule->slot_max_ns = rule->slot_min_ns + next() * 1000;
	rule->slot_frames = next() % 4;
	rule->hold = next() % 8 == 7;
	rule->mtu_bytes = next() % 2 ? next() * 20 : 0;
	rule->duplicate.p_ppb = some_ppb();
	rule->duplicate_count = next() % 4;
	rule->replay_ppb = some_ppb();
	rule->replay_ns = next() * 10000;
	rule->corrupt.p_ppb = some_ppb();
	rule->corrupt_mode = (enum fault_corrupt_mode)(next() % (CORRUPT_FCS + 1));
	rule->corrupt_bits = next() % 8;
	rule->reorder.p_ppb = some_ppb();
	rule->gap = next() % 4;
	rule->distribution = (enum fault_distribution)(next() % DIST_TABLE);
	rule->keep_order = next() % 2;
}

/* NULL: what came out of it is no fault. */
static struct fault_spec *some_fault(void)
{
	struct fault_rule rule = { .down = next() % 8 == 7,
				   .loss.p_ppb = some_ppb(),
				   .delay_ns = next() * 10000,
				   .rate_bps = next() % 2 ? 8 + next() * 100000 : 0 };
	struct fault_spec *spec;

	rule.jitter_ns = next() % (rule.delay_ns + 1);
	if (rule.rate_bps)
		rule.limit_frames = next() % 8;
	if (next() % 2)
		add_models(&rule);
	spec = fault_spec_of(&rule);
	ASSERT(spec);
	if (!fault_spec_check(spec, NULL))
		return spec;
	fault_spec_free(spec);
	return NULL;
}

static void step(struct sw *sw, uint64_t *now_ns)
{
	unsigned what = next(), where = next();
	struct fault_spec *spec;
	struct why why;

	*now_ns += where * 1000;
	switch (what % 8) {
	case 0:
	case 1:
		send_frame(sw, where, *now_ns);
		break;
	case 2:
		sw_advance(sw, *now_ns += next() * 100000);
		break;
	case 3:
		spec = some_fault();
		ASSERT(!sw_fault_set(sw, where % LINKS, where / LINKS % 2, spec, *now_ns,
				     &why));
		fault_spec_free(spec);
		break;
	case 4:
		spec = some_fault();
		/* Not every two ports are members. */
		(void)sw_pair_set(sw, 0, where % PORTS, where / PORTS % PORTS, spec,
				  *now_ns, &why);
		fault_spec_free(spec);
		break;
	case 5:
		sw_cut(sw, where % NODES, where / NODES % NODES, what & 8);
		break;
	case 6:
		sw_port_up(sw, where % PORTS, what & 8);
		break;
	case 7:
		room = (int)next();
		sw_port_writable(sw, where % PORTS, *now_ns);
		break;
	}
}

static void check(const struct sw_count *count)
{
	uint64_t sum = count->passed + count->queued;

	for (int fate = 0; fate < SW_FATES; fate++)
		sum += count->dropped[fate];
	ASSERT(sum == count->frames + count->copies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sw *sw = build();
	uint64_t now_ns = 0;

	input = (struct input){ data, size };
	room = 64;
	while (input.left) {
		step(sw, &now_ns);
		for (uint32_t link = 0; link < LINKS; link++) {
			check(sw_link_count(sw, link, 0));
			check(sw_link_count(sw, link, 1));
		}
		for (uint32_t port = 0; port < PORTS; port++) {
			check(sw_port_count_in(sw, port));
			check(sw_port_count_out(sw, port));
		}
	}
	sw_destroy(sw);
	return 0;
}
