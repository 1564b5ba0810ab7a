/* SPDX-License-Identifier: MIT */
/* bench_delay.h - one case of the delay benchmark, and the sides that it is run on
 *
 * Three processes a side: the wire, a receiver and a sender; what they share is in
 * shared memory.
 */
#ifndef BENCH_DELAY_H
#define BENCH_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum { DELAY_FRAMES_MAX = 4 << 20, DELAY_FRAME_BYTES = 64 };

struct delay_case {
	uint64_t delay_ns, frames;
	unsigned per_second;
	struct delay_shared {
		uint64_t sent; /* once all are */
		uint64_t received;
		uint32_t wire_ready, receiver_ready;
		int64_t late_ns[DELAY_FRAMES_MAX];
	} * shared;

	/* The side's own. */
	char dir[64];
	int to_wire[2], from_wire[2]; /* pipes */
};

struct delay_side {
	const char *name;
	void (*prepare)(struct delay_case *c); /* in the parent */
	void (*run_wire)(struct delay_case *c);
	void (*run_receiver)(struct delay_case *c); /* sets receiver_ready */
	void (*run_sender)(struct delay_case *c);
	void (*clean_up)(struct delay_case *c);
};

extern const struct delay_side delay_netlab, delay_vde;

uint64_t delay_now_ns(void);
_Noreturn void delay_die(const char *what);
void delay_stamp(uint8_t *frame, uint64_t number);
void delay_received(struct delay_case *c, const uint8_t *frame, uint32_t size);
/* send: true if it was sent; false to be asked again. */
void delay_pace(struct delay_case *c, bool (*send)(void *ctx, uint64_t number),
		void *ctx);

#endif
