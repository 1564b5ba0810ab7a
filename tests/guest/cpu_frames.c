/* SPDX-License-Identifier: MIT */
/* What a signal handler finds in its frame, what it changes there, and what is left of
 * the interrupted program's registers when it returns or jumps away. */
#include <asm/sigcontext.h>
#include <cpuid.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* glibc's ucontext.h and the kernel's sigcontext.h define the same names: these are the
 * only parts of <signal.h> that are needed. */
#include "guest/cpu.h"
#include "guest/cpu_signal.h"

enum { XMM_AT = 160, XMM_COUNT = 16, SW_AT = 464, XSTATE_BV_AT = 512 };
/* Components of the extended state, as in the processor's manual (XSAVE). */
enum { AVX_HIGH = 2, MASKS = 5, ZMM_HIGH = 6, ZMM_MORE = 7 };
enum { JUMPS = 300, CHANGED_REGISTER = 3, STACK_BYTES = 1 << 17 };

static struct cpu_state want;  /* what is loaded while a signal is expected */
static volatile bool expected; /* it is */
static volatile unsigned seen, extended;
static volatile bool change;
static char wrong[256];
static sigjmp_buf away;
static volatile bool jump;

/* Where a component lies in the frame, and its size. */
static bool component(unsigned number, uint32_t *at, uint32_t *bytes)
{
	unsigned c, d;

	return __get_cpuid_count(0xd, number, bytes, at, &c, &d) && *bytes;
}

static void complain(const char *what, unsigned number)
{
	if (!*wrong)
		snprintf(wrong, sizeof(wrong), "frame of signal %u: %s %u", seen, what,
			 number);
}

/* The frame says how large it is, and that is so. */
static void check_size(const uint8_t *frame, const struct _fpx_sw_bytes *sw)
{
	uint32_t magic2, a, b, c, d;

	if (sw->extended_size < sw->xstate_size + FP_XSTATE_MAGIC2_SIZE)
		complain("its whole size is less than its state's:", sw->extended_size);
	memcpy(&magic2, frame + sw->xstate_size, sizeof(magic2));
	if (magic2 != FP_XSTATE_MAGIC2)
		complain("no magic at the end of its state, at", sw->xstate_size);
	__cpuid_count(0xd, 0, a, b, c, d);
	if (sw->xstate_size > c)
		complain("more than the processor has:", sw->xstate_size);
	for (unsigned i = AVX_HIGH; i <= ZMM_MORE; i++)
		if ((sw->xfeatures & (1ULL << i)) && component(i, &a, &b) &&
		    a + b > sw->xstate_size)
			complain("it is too small for component", i);
}

static void check_part(const uint8_t *frame, unsigned number, unsigned from,
		       unsigned count, unsigned offset, unsigned bytes)
{
	uint32_t at, size;

	if (!component(number, &at, &size))
		return;
	for (unsigned i = 0; i < count; i++)
		if (memcmp(frame + at + i * bytes, &want.vector[from + i][offset], bytes))
			complain(number == AVX_HIGH ? "upper half of ymm"
						    : "upper part of zmm",
				 from + i);
}

static void check_extended(const uint8_t *frame, const struct _fpx_sw_bytes *sw)
{
	uint32_t at, size;
	uint64_t present;

	memcpy(&present, frame + XSTATE_BV_AT, sizeof(present));
	if (present & ~sw->xfeatures)
		complain("state that it does not announce, bits", (unsigned)present);
	if (cpu_vector_bytes() >= 32)
		check_part(frame, AVX_HIGH, 0, 16, 16, 16);
	if (!cpu_has_masks())
		return;
	check_part(frame, ZMM_HIGH, 0, 16, 32, 32);
	check_part(frame, ZMM_MORE, 16, 16, 0, 64);
	if (component(MASKS, &at, &size))
		for (unsigned i = 0; i < CPU_MASKS; i++)
			if (memcmp(frame + at + i * 8, &want.mask[i], 8))
				complain("mask register", i);
}

static void inspect(uint8_t *frame)
{
	struct _fpx_sw_bytes sw;
	uint32_t at, size;

	for (unsigned i = 0; i < XMM_COUNT; i++)
		if (memcmp(frame + XMM_AT + i * 16, want.vector[i], 16))
			complain("xmm", i);
	memcpy(&sw, frame + SW_AT, sizeof(sw));
	if (sw.magic1 == FP_XSTATE_MAGIC1) {
		extended++;
		check_size(frame, &sw);
		check_extended(frame, &sw);
	}
	if (!change)
		return;
	/* As a debugger or a runtime would, to have the program go on with it. */
	memset(frame + XMM_AT + CHANGED_REGISTER * 16, 0x5a, 16);
	memset(want.vector[CHANGED_REGISTER], 0x5a, 16);
	if (sw.magic1 == FP_XSTATE_MAGIC1 && cpu_vector_bytes() >= 32 &&
	    component(AVX_HIGH, &at, &size)) {
		memset(frame + at + CHANGED_REGISTER * 16, 0xa5, 16);
		memset(&want.vector[CHANGED_REGISTER][16], 0xa5, 16);
	}
}

static void on_signal(void *floating_point)
{
	seen++;
	if (expected && !floating_point)
		complain("it has no floating-point state", 0);
	else if (expected)
		inspect(floating_point);
	cpu_clobber(0xbad0000 + seen);
	if (jump)
		siglongjmp(away, 1);
}

/* A page that cannot be written: its fault is the signal, in the middle of a round. */
static volatile char *trap_page;

static void open_page(void)
{
	mprotect((void *)trap_page, 4096, PROT_READ | PROT_WRITE);
}

static void on_fault(void *floating_point)
{
	open_page();
	on_signal(floating_point);
}

static int one_fault(uint64_t seed)
{
	struct cpu_state got;
	const char *difference;

	cpu_pattern(&want, seed);
	mprotect((void *)trap_page, 4096, PROT_NONE);
	expected = true;
	cpu_round(&want, &got, CPU_FAULT, trap_page);
	expected = false;
	difference = cpu_difference(&want, &got);
	if (!*wrong && difference)
		snprintf(wrong, sizeof(wrong), "after handler %u%s: %s", seen,
			 change ? " that changed its frame" : "", difference);
	return *wrong != 0;
}

static int faults(uint64_t end_ms, unsigned *rounds)
{
	for (*rounds = 0; cpu_now_ms() < end_ms; ++*rounds) {
		change = *rounds % 2;
		if (one_fault(*rounds))
			return 1;
	}
	return 0;
}

/* Signals from outside, at any instruction. */
static int timers(uint64_t end_ms, unsigned *rounds)
{
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } },
			 off = { { 0, 0 }, { 0, 0 } };
	struct cpu_state mine, got;
	char page[1];
	const char *difference = NULL;

	setitimer(ITIMER_REAL, &timer, NULL);
	for (*rounds = 0; !difference && cpu_now_ms() < end_ms; ++*rounds) {
		cpu_pattern(&mine, 7000 + *rounds);
		cpu_round(&mine, &got, *rounds % 2 ? CPU_SPIN : CPU_YIELD, page);
		difference = cpu_difference(&mine, &got);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	if (difference)
		snprintf(wrong, sizeof(wrong), "interrupted round %u: %s", *rounds,
			 difference);
	return difference != NULL;
}

/* Out of a handler that has clobbered everything: the next round is nobody's but ours. */
static int jumps(void)
{
	struct cpu_state mine, got;
	volatile unsigned done = 0;
	const char *difference;
	char page[1];

	jump = true;
	for (; done < JUMPS; done++) {
		if (!sigsetjmp(away, 1)) {
			cpu_signal_raise();
			snprintf(wrong, sizeof(wrong), "the handler did not jump");
			break;
		}
		cpu_reset();
		if (cpu_signal_is_blocked()) {
			snprintf(wrong, sizeof(wrong), "the signal stayed blocked");
			break;
		}
		cpu_pattern(&mine, 9000 + done);
		cpu_round(&mine, &got, CPU_YIELD, page);
		difference = cpu_difference(&mine, &got);
		if (difference) {
			snprintf(wrong, sizeof(wrong), "after jump %u: %s", done,
				 difference);
			break;
		}
	}
	jump = false;
	return *wrong != 0;
}

int cpu_test_frames(char **args)
{
	uint64_t milliseconds = args[0] ? (uint64_t)strtol(args[0], NULL, 10) : 3000;
	unsigned fault_rounds, timer_rounds, faulted;

	trap_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (trap_page == MAP_FAILED || cpu_signal_setup(on_signal, on_fault))
		return 2;
	if (faults(cpu_now_ms() + milliseconds / 2, &fault_rounds))
		goto out;
	faulted = seen;
	if (faulted != fault_rounds)
		snprintf(wrong, sizeof(wrong), "%u faults, %u handled", fault_rounds,
			 faulted);
	else if (!timers(cpu_now_ms() + milliseconds / 2, &timer_rounds) && !jumps())
		printf("%s: %u faults (extended state in the frame of %u), %u rounds "
		       "with %u "
		       "timer signals, %d jumps\n",
		       cpu_widest(), faulted, extended, timer_rounds,
		       seen - faulted - JUMPS, JUMPS);
out:
	if (*wrong)
		fprintf(stderr, "%s: %s\n", cpu_widest(), wrong);
	return *wrong != 0;
}
