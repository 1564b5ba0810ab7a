/* SPDX-License-Identifier: MIT */
/* bench_run.h - one run: a switch, a sender, a receiver, and silent ports
 *
 * Each is a process.  A *side* (netlab, vde) says what these processes do; the run
 * starts them, lets them warm up, and measures a window: frames that the receiver
 * counted, and CPU time that the switch's process used (its own clock, which counts
 * user and system time in nanoseconds).
 *
 * The method is the same for both: the sender sends as fast as it is let, sleeping
 * when the switch takes no more; the receiver sleeps when there is nothing, copies
 * each frame out and counts it; frames that were dropped on the way do not count.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FRAME_BYTES_LARGE = 1514, FRAME_SERIAL_AT = 42 };

struct run {
	const char *dir; /* private, empty */
	uint32_t frame_bytes;
	unsigned silent;
	double seconds;

	/* Shared between the run's processes. */
	struct shared {
		uint64_t received;
		uint64_t offered; /* to the switch, where it tells; 0: it does not */
		uint32_t switch_ready; /* its sockets are there */
		uint32_t receiver_ready;
		uint32_t silent_ready;
	} *shared;
	pid_t pids[8];
	unsigned pid_count;
};

struct result {
	double frames_per_second;
	double cpu_ns_per_frame; /* of the switch */
	double cpu_share;	 /* of one processor, in the window */
	double cpu_ns_per_offered; /* by frames that came, dropped ones too; or 0 */
};

struct side {
	const char *name;
	/* Each runs in a process of its own, until it is killed. */
	void (*run_switch)(struct run *run);
	void (*run_sender)(struct run *run);
	void (*run_receiver)(struct run *run); /* counts in shared->received */
	void (*run_silent)(struct run *run);   /* run->silent ports; then silent_ready */
};

extern const struct side netlab_side, vde_side;
/* A link between the two instead of a LAN: perfect, and with every fault there is. */
extern const struct side netlab_link_side, netlab_faults_side;
/* The same with BENCH_PACE frames a second from the sender. */
extern const struct side netlab_link_paced_side, netlab_faults_paced_side;

/* 0, or -1 with the reason on stderr. */
int bench_run(const struct side *side, uint32_t frame_bytes, unsigned silent,
	      double seconds, struct result *result);

/* For the processes. */
void bench_wait_ms(int ms);
void bench_await(const uint32_t *flag); /* for ever; we are killed if it is in vain */
_Noreturn void bench_die(const char *what);
/* A frame from station a to station b: UDP in IPv4 that may be marked (ECT), whose
 * bytes from FRAME_SERIAL_AT on may be anything. */
void bench_frame(uint8_t *frame, uint32_t size, uint8_t to, uint8_t from);

#endif
