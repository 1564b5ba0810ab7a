/* SPDX-License-Identifier: MIT */
/* cpu.h - lab_cpu: what a kernel must keep of a program, and how many it must bear
 *
 *	lab_cpu [--avx2] NAME [ARGUMENT...]
 *
 * Each test ends by itself, says what it did, and returns 0, or says what was wrong.
 * Static, so that it runs in any machine and on the host.
 *
 * Vector state.  A *pattern* is a function of a seed: what each register of the widest
 * kind holds (32 zmm and 8 mask registers, else 16 ymm; also the x87 stack and the
 * rounding modes).  Whoever loads it and later stores another has lost state.
 */
#ifndef CPU_H
#define CPU_H

#include <stdbool.h>
#include <stdint.h>

enum { CPU_ZMM_BYTES = 64, CPU_VECTORS_MAX = 32, CPU_MASKS = 8, CPU_X87 = 8 };

struct cpu_state {
	uint8_t vector[CPU_VECTORS_MAX][CPU_ZMM_BYTES] __attribute__((aligned(64)));
	uint64_t mask[CPU_MASKS];
	double x87[CPU_X87];
	uint32_t mxcsr;
	uint16_t x87_control;
};

/* How long a loaded state is kept before it is stored again. */
enum cpu_pause {
	CPU_YIELD, /* a system call that lets others run */
	CPU_SPIN,  /* no system call: only timers and signals come between */
	CPU_FAULT, /* a page that is not there yet is written */
	CPU_PAUSES,
};

/* Use no wider registers than ymm. */
void cpu_limit_to_avx2(void);
/* "AVX-512", "AVX2" or "SSE2". */
const char *cpu_widest(void);
unsigned cpu_vector_count(void);
unsigned cpu_vector_bytes(void);
bool cpu_has_masks(void);

void cpu_pattern(struct cpu_state *state, uint64_t seed);
/* Load, pause, store; page: somewhere to write to. */
void cpu_round(const struct cpu_state *load, struct cpu_state *store,
	       enum cpu_pause pause, volatile char *page);
/* Load and leave it so, as far as the compiler lets us: for signal handlers. */
void cpu_clobber(uint64_t seed);
/* After a handler that did so has jumped out. */
void cpu_reset(void);
/* NULL, or what differs. */
const char *cpu_difference(const struct cpu_state *want, const struct cpu_state *got);

/* The tests; each returns its exit status. */
int cpu_test_switches(
	char **args);		  /* PROCESSES THREADS MILLISECONDS [still: no signals] */
int cpu_test_frames(char **args); /* MILLISECONDS */
int cpu_test_threads(char **args); /* MILLISECONDS */
int cpu_test_forks(char **args);   /* PROCESSES CHILDREN */

int cpu_forked_child(char **args); /* for cpu_test_forks() only */

uint64_t cpu_now_ms(void);

#endif
