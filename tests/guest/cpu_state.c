/* SPDX-License-Identifier: MIT */
/* Registers are loaded, kept and stored within one asm statement, so that nothing of the
 * compiler's comes between. */
#include <cpuid.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest/cpu.h"

enum { MXCSR_DEFAULT = 0x1f80, X87_DEFAULT = 0x037f, SPIN_TIMES = 2000000 };
enum { XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6 };

static const uint32_t mxcsr_default = MXCSR_DEFAULT;
static const uint16_t x87_default = X87_DEFAULT;

static enum { UNKNOWN, SSE, AVX, AVX512 } widest;

static uint32_t enabled_features(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static int find_widest(void)
{
	unsigned a, b, c, d, enabled;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
		return SSE;
	enabled = enabled_features();
	if ((enabled & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return SSE;
	if ((enabled & XCR0_AVX512) == XCR0_AVX512 && (b & bit_AVX512F) &&
	    (b & bit_AVX512BW))
		return AVX512;
	return AVX;
}

static int kind(void)
{
	if (widest == UNKNOWN)
		widest = find_widest();
	return widest;
}

void cpu_limit_to_avx2(void)
{
	if (kind() == AVX512)
		widest = AVX;
}

const char *cpu_widest(void)
{
	return kind() == AVX512 ? "AVX-512" : kind() == AVX ? "AVX2" : "SSE2";
}

unsigned cpu_vector_count(void)
{
	return kind() == AVX512 ? 32 : 16;
}

unsigned cpu_vector_bytes(void)
{
	return kind() == AVX512 ? 64 : kind() == AVX ? 32 : 16;
}

bool cpu_has_masks(void)
{
	return kind() == AVX512;
}

/* One step of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators): any two seeds differ in every register. */
static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void cpu_pattern(struct cpu_state *state, uint64_t seed)
{
	memset(state, 0, sizeof(*state));
	for (unsigned v = 0; v < cpu_vector_count(); v++)
		for (unsigned i = 0; i < cpu_vector_bytes(); i += 8) {
			uint64_t word = next(&seed);

			memcpy(&state->vector[v][i], &word, 8);
		}
	for (int i = 0; cpu_has_masks() && i < CPU_MASKS; i++)
		state->mask[i] = next(&seed);
	for (int i = 0; i < CPU_X87; i++)
		state->x87[i] = (double)(next(&seed) >> 12);
	state->mxcsr = MXCSR_DEFAULT | (uint32_t)(next(&seed) & 3) << 13;
	state->x87_control = (uint16_t)(X87_DEFAULT | (next(&seed) & 3) << 10);
}

#define TIMES_8(m, a) m(a##0) m(a##1) m(a##2) m(a##3) m(a##4) m(a##5) m(a##6) m(a##7)
#define TIMES_16(m)                                                                      \
	m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14)  \
		m(15)
#define TIMES_16_MORE(m)                                                                 \
	m(16) m(17) m(18) m(19) m(20) m(21) m(22) m(23) m(24) m(25) m(26) m(27) m(28)    \
		m(29) m(30) m(31)

/* %[v]: the structure to load from; %[w]: the one to store to. */
#define LOAD_X(n)   "movdqu 64*" #n "(%[v]), %%xmm" #n "\n\t"
#define LOAD_Y(n)   "vmovdqu 64*" #n "(%[v]), %%ymm" #n "\n\t"
#define LOAD_Z(n)   "vmovdqu64 64*" #n "(%[v]), %%zmm" #n "\n\t"
#define LOAD_K(n)   "kmovq %c[masks]+8*" #n "(%[v]), %%k" #n "\n\t"
#define LOAD_ST(n)  "fldl %c[x87]+56-8*" #n "(%[v])\n\t"
#define STORE_X(n)  "movdqu %%xmm" #n ", 64*" #n "(%[w])\n\t"
#define STORE_Y(n)  "vmovdqu %%ymm" #n ", 64*" #n "(%[w])\n\t"
#define STORE_Z(n)  "vmovdqu64 %%zmm" #n ", 64*" #n "(%[w])\n\t"
#define STORE_K(n)  "kmovq %%k" #n ", %c[masks]+8*" #n "(%[w])\n\t"
#define STORE_ST(n) "fstpl %c[x87]+8*" #n "(%[w])\n\t"

#define LOAD_CONTROL                                                                     \
	"ldmxcsr %c[mxcsr](%[v])\n\tfldcw %c[control](%[v])\n\t" TIMES_8(LOAD_ST, )
#define STORE_CONTROL                                                                    \
	TIMES_8(STORE_ST, )                                                              \
	"stmxcsr %c[mxcsr](%[w])\n\tfnstcw %c[control](%[w])\n\t"                        \
	"ldmxcsr %[md]\n\tfldcw %[xd]\n\t"

#define OFFSETS                                                                          \
	[masks] "i"(offsetof(struct cpu_state, mask)),                                   \
		[x87] "i"(offsetof(struct cpu_state, x87)),                              \
		[mxcsr] "i"(offsetof(struct cpu_state, mxcsr)),                          \
		[control] "i"(offsetof(struct cpu_state, x87_control))

_Static_assert(offsetof(struct cpu_state, vector) == 0, "the vectors come first");

#define PAUSE                                                                            \
	"cmpl %[spin], %[p]\n\tje 2f\n\tja 3f\n\t"                                       \
	"movl %[yield], %%eax\n\tsyscall\n\tjmp 4f\n"                                    \
	"2:\tmovl %[times], %%ecx\n"                                                     \
	"5:\tdecl %%ecx\n\tjnz 5b\n\tjmp 4f\n"                                           \
	"3:\tmovb $1, (%[page])\n"                                                       \
	"4:\n\t"

#define CLOBBERS                                                                         \
	"rax", "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",     \
		"xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",       \
		"xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)",     \
		"st(5)", "st(6)", "st(7)"

/* The vectors of a kind; masks only of the widest. */
#define ROUND(load, store)                                                               \
	__asm__ volatile(LOAD_CONTROL load PAUSE store STORE_CONTROL                     \
			 :                                                               \
			 : [v] "r"(from), [w] "r"(to), [page] "r"(page), [p] "r"(pause), \
			   OFFSETS, [md] "m"(mxcsr_default), [xd] "m"(x87_default),      \
			   [spin] "i"(CPU_SPIN), [yield] "i"(SYS_sched_yield),           \
			   [times] "i"(SPIN_TIMES)                                       \
			 : CLOBBERS)

void cpu_round(const struct cpu_state *from, struct cpu_state *to, enum cpu_pause pause,
	       volatile char *page)
{
	memset(to, 0, sizeof(*to));
	if (kind() == AVX512)
		ROUND(TIMES_16(LOAD_Z) TIMES_16_MORE(LOAD_Z) TIMES_8(LOAD_K, ),
		      TIMES_16(STORE_Z) TIMES_16_MORE(STORE_Z)
			      TIMES_8(STORE_K, ) "vzeroupper\n\t");
	else if (kind() == AVX)
		ROUND(TIMES_16(LOAD_Y), TIMES_16(STORE_Y) "vzeroupper\n\t");
	else
		ROUND(TIMES_16(LOAD_X), TIMES_16(STORE_X));
}

#define CLOBBER(load)                                                                    \
	__asm__ volatile("fninit\n\t" LOAD_CONTROL load                                  \
			 :                                                               \
			 : [v] "r"(&state), OFFSETS                                      \
			 : CLOBBERS)

void cpu_clobber(uint64_t seed)
{
	struct cpu_state state;

	cpu_pattern(&state, seed);
	if (kind() == AVX512)
		CLOBBER(TIMES_16(LOAD_Z) TIMES_16_MORE(LOAD_Z) TIMES_8(LOAD_K, ));
	else if (kind() == AVX)
		CLOBBER(TIMES_16(LOAD_Y));
	else
		CLOBBER(TIMES_16(LOAD_X));
}

void cpu_reset(void)
{
	__asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr_default) : "memory");
}

const char *cpu_difference(const struct cpu_state *want, const struct cpu_state *got)
{
	static __thread char text[128];

	for (unsigned v = 0; v < cpu_vector_count(); v++)
		for (unsigned i = 0; i < cpu_vector_bytes(); i++)
			if (want->vector[v][i] != got->vector[v][i]) {
				snprintf(
					text, sizeof(text),
					"vector register %u, byte %u: 0x%02x, not 0x%02x",
					v, i, got->vector[v][i], want->vector[v][i]);
				return text;
			}
	for (int i = 0; cpu_has_masks() && i < CPU_MASKS; i++)
		if (want->mask[i] != got->mask[i]) {
			snprintf(text, sizeof(text), "mask register %d", i);
			return text;
		}
	for (int i = 0; i < CPU_X87; i++)
		if (want->x87[i] != got->x87[i]) {
			snprintf(text, sizeof(text), "x87 register %d: %g, not %g", i,
				 got->x87[i], want->x87[i]);
			return text;
		}
	if (want->mxcsr != got->mxcsr || want->x87_control != got->x87_control) {
		snprintf(text, sizeof(text), "control words: mxcsr 0x%x, x87 0x%x",
			 got->mxcsr, got->x87_control);
		return text;
	}
	return NULL;
}
