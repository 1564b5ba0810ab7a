/* SPDX-License-Identifier: MIT */
/* sim.h - a lab without machines: the switch's core, fake ports, a fake clock
 *
 * Ports are peers, not mocks: they check each frame that they get (its bytes, that
 * it was sent, that it comes once, not to its sender, not through a partition)
 * and say what they saw.  The transcript has one line per event:
 *
 *	[TIME] PORT in #FRAME pass         it entered the switch
 *	[TIME] PORT in #FRAME REASON DIRECTION/NUMBER    it was dropped
 *	[TIME] PORT out #FRAME             it was shown to the tap as delivered
 *	[TIME] PORT got #FRAME             the machine has it
 *	[TIME] PORT full #FRAME            the machine took it not
 *
 * After every step the books must balance: each counter's offered = passed +
 * dropped + queued, and what one place passed is what the next was offered.
 */
#ifndef NL_TESTS_SIM_H
#define NL_TESTS_SIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "clock/clock.h"
#include "switch/switch.h"

enum {
	SIM_PORTS_MAX = 64,
	SIM_LINKS_MAX = 64,
	SIM_FRAMES_MAX = 1 << 17,
	SIM_SAID_BYTES = 1 << 16,
	SIM_BROADCAST = 1000, /* as a receiver */
	SIM_NOBODY = 1001,    /* an address that no port has */
	SIM_ROOM_ENDLESS = 1 << 30,
};

struct sim_port {
	char name[16];
	uint32_t node;
	int room; /* frames that it still takes */
	uint64_t got;
	uint32_t link;
	int dir_out; /* direction from the switch to this port */
	bool linked, on_segment;
};

struct sim_link {
	bool segment;
	uint32_t a, b; /* ports; b: the segment if segment */
};

struct sim_frame {
	uint32_t from, size;
	uint64_t sent_ns;
	uint64_t seen_by; /* bit per port */
};

struct sim {
	struct sw *sw;
	struct clock *clock;
	struct timer timer;
	struct sim_port ports[SIM_PORTS_MAX];
	struct sim_link links[SIM_LINKS_MAX];
	uint32_t port_count, link_count, segment_count;
	struct sim_frame *frames;
	uint32_t frame_count;
	const uint8_t *lent;		   /* the bytes of the frame that is being sent */
	char trail[FAULT_TRAIL_BYTES_MAX]; /* of what the tap saw last */
	bool quiet;			   /* no transcript */
	bool copies;			   /* a frame may come more than once */
	int down_in_deliver; /* the next delivery takes its port down and says this */
	void (*got)(struct sim *sim, uint32_t port, uint32_t frame);
	void *ctx;
	uint64_t hash; /* of the whole transcript, quiet or not */
	char said[SIM_SAID_BYTES];
	size_t said_bytes;
};

struct sim *sim_create(uint64_t seed, uint32_t nodes, uint64_t pool_bytes);
void sim_destroy(struct sim *sim);

uint32_t sim_port(struct sim *sim, const char *name, uint32_t node); /* and up */
uint32_t sim_segment(struct sim *sim, const char *name, uint64_t ageing_ns);
uint32_t sim_link(struct sim *sim, const char *name, uint32_t a, uint32_t b);
uint32_t sim_join(struct sim *sim, const char *name, uint32_t port, uint32_t segment);

uint64_t sim_now(const struct sim *sim);
void sim_until(struct sim *sim, uint64_t now_ns);
void sim_until_late(struct sim *sim, uint64_t now_ns); /* no timer on the way */
void sim_stall(struct sim *sim, uint64_t now_ns);      /* nor a call */
void sim_fault(struct sim *sim, uint32_t link, int dir, struct fault_rule spec);
/* As sw_pair_set(). */
int sim_pair(struct sim *sim, uint32_t segment, uint32_t from, uint32_t to,
	     struct fault_rule rule);
/* Returns the frame's number. */
uint32_t sim_send(struct sim *sim, uint32_t from, uint32_t to, uint32_t size);
uint32_t sim_send_as(struct sim *sim, uint32_t from, uint64_t source_mac, uint32_t to,
		     uint32_t size);
void sim_room(struct sim *sim, uint32_t port, int frames); /* tells the switch */
void sim_check(struct sim *sim);

/* The transcript since the last call. */
#define sim_said(sim, text)                                                              \
	do {                                                                             \
		assert_string_equal((sim)->said, text);                                  \
		(sim)->said[(sim)->said_bytes = 0] = '\0';                               \
	} while (0)

#endif
