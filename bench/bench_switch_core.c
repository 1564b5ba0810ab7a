/* SPDX-License-Identifier: MIT */
/* What one frame costs in the switch's core alone: no rings, no sockets.
 *
 *	bench_switch_core [MILLIONS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "switch/switch.h"

enum { FRAME_BYTES = 64 };

static uint64_t delivered;

static int deliver(void *ctx, uint32_t port, struct frame frame)
{
	(void)ctx;
	(void)port;
	(void)frame;
	delivered++;
	return 0;
}

static const struct sw_sink sink = { .deliver = deliver };

struct lab {
	struct sw *sw;
	uint32_t links[128];
};

static struct lab lab_create(uint32_t members, bool segment)
{
	struct sw_config config = { .seed = 1,
				    .node_count = members,
				    .pool_bytes_max = UINT64_C(256) << 20,
				    .sink = &sink };
	struct lab lab;
	uint32_t id, lan = 0;

	ASSERT(sw_create(&lab.sw, &config, NULL) == 0);
	if (segment)
		ASSERT(sw_add_segment(lab.sw, "lan", UINT64_MAX, &lan, NULL) == 0);
	for (uint32_t i = 0; i < members; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u:eth0", i);
		ASSERT(sw_add_port(lab.sw, name, i, &id, NULL) == 0);
		sw_port_up(lab.sw, id, true);
		if (segment)
			ASSERT(sw_link_segment(lab.sw, name, id, lan, &lab.links[i],
					       NULL) == 0);
	}
	if (!segment)
		ASSERT(sw_link_ports(lab.sw, "wire", 0, 1, &lab.links[0], NULL) == 0);
	return lab;
}

static struct frame frame_of(uint8_t bytes[FRAME_BYTES], uint8_t to, uint8_t from)
{
	memset(bytes, 0, FRAME_BYTES);
	bytes[0] = bytes[6] = 2;
	bytes[5] = to;
	bytes[11] = from;
	return (struct frame){ bytes, FRAME_BYTES };
}

static double host_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Frames from port 0 to port 1, one each gap_ns of lab time. */
static void run(const char *what, uint32_t members, bool segment, struct fault_rule spec,
		uint64_t gap_ns, uint64_t frames)
{
	struct lab lab = lab_create(members, segment);
	uint8_t there[FRAME_BYTES], back[FRAME_BYTES];
	struct frame frame = frame_of(there, 1, 0);
	uint64_t now_ns = 0;
	struct fault_spec *spec_of;
	double seconds;

	sw_port_frame(lab.sw, 1, frame_of(back, 0, 1), now_ns); /* is learnt */
	spec_of = fault_spec_of(&spec);
	ASSERT(spec_of &&
	       sw_fault_set(lab.sw, lab.links[0], 0, spec_of, now_ns, NULL) == 0);
	delivered = 0;
	seconds = host_seconds();
	for (uint64_t i = 0; i < frames; i++)
		sw_port_frame(lab.sw, 0, frame, now_ns += gap_ns);
	sw_advance(lab.sw, now_ns + UINT64_C(3600000000000));
	seconds = host_seconds() - seconds;
	printf("%-44s %7.1f ns/frame %8.2f M frames/s, %5.1f %% arrived\n", what,
	       1e9 * seconds / (double)frames, 1e-6 * (double)frames / seconds,
	       100.0 * (double)delivered / (double)frames);
	sw_destroy(lab.sw);
	fault_spec_free(spec_of);
}

/* Each model that goes with the others, gently: most frames arrive. */
static const struct fault_rule everything = {
	.flap = { .on_ns = 900000000, .off_ns = 1000000 },
	.mtu_bytes = 1500,
	.duplicate = { .p_ppb = 10000 * FAULT_PPM, .rho_ppb = 100000 * FAULT_PPM },
	.replay_ppb = 1000 * FAULT_PPM,
	.replay_ns = 1000000,
	.loss_model = LOSS_GEMODEL,
	.loss_p_ppb = { 10000 * FAULT_PPM, 300000 * FAULT_PPM, 500000 * FAULT_PPM,
			1000 * FAULT_PPM },
	.corrupt = { .p_ppb = 10000 * FAULT_PPM, .rho_ppb = 100000 * FAULT_PPM },
	.corrupt_mode = CORRUPT_REPAIR,
	.rate_bps = 1000000000,
	.overhead_bytes = 24,
	.cell_bytes = 48,
	.cell_overhead_bytes = 5,
	.limit_frames = 1000,
	.queue = QUEUE_CODEL,
	.codel_target_ns = 5000000,
	.codel_interval_ns = 100000000,
	.ecn = true,
	.slot_min_ns = 500,
	.slot_max_ns = 1000,
	.clog = { .on_ns = 900000000, .off_ns = 1000000 },
	.delay_ns = 100000,
	.jitter_ns = 20000,
	.jitter_rho_ppb = 250000 * FAULT_PPM,
	.distribution = DIST_PARETONORMAL,
	.reorder = { .p_ppb = 10000 * FAULT_PPM, .rho_ppb = 100000 * FAULT_PPM },
	.gap = 5,
};

int main(int argc, char **argv)
{
	uint64_t frames = 1000000 * (argc > 1 ? strtoull(argv[1], NULL, 10) : 10);
	struct fault_rule none = { 0 };

	run("point to point", 2, false, none, 1, frames);
	run("LAN of 3", 3, true, none, 1, frames);
	run("LAN of 102, 100 of them silent", 102, true, none, 1, frames);
	run("point to point, loss 10 %", 2, false,
	    (struct fault_rule){ .loss.p_ppb = 100000 * FAULT_PPM }, 1, frames);
	run("point to point, delay: 100 frames under way", 2, false,
	    (struct fault_rule){ .delay_ns = 100000 }, 1000, frames);
	run("point to point, delay: 50,000 under way", 2, false,
	    (struct fault_rule){ .delay_ns = 50000000 }, 1000, frames);
	run("point to point, delay and jitter: 50,000", 2, false,
	    (struct fault_rule){ .delay_ns = 50000000, .jitter_ns = 50000000 }, 1000,
	    frames);
	run("point to point, rate 1 Gbit/s", 2, false,
	    (struct fault_rule){ .rate_bps = 1000000000 }, 600, frames);
	run("point to point, every model at once", 2, false, everything, 2000, frames);
	return 0;
}
