/* SPDX-License-Identifier: MIT */
/* backtrace.h - what a machine's kernel says when it is asked what it is doing
 *
 * netlab's own kernel (guest/patches, um_where=) answers a signal with one line on its
 * console:
 *
 *   um_where: user pid=57 tid=57 ip=0x401136 call=-1 comm=spin<TAB>in=/root/spin+0x1136
 *   um_where: kernel pid=9 tid=9 ip=0x60031f20 call=24 comm=erl<TAB>in=foo+0x10/0x80
 *
 * call is the system call that the process made last, -1 if none is known; kernels from
 * before have no such word.
 *
 * A program in the machine may print such a line, too: it is believed as little as any
 * other name that a machine gives, and only told to people.
 *
 * Errors:    a line that is another is no answer.
 * Ownership: plain values.
 * Threads:   pure.
 */
#ifndef NL_MACHINE_BACKTRACE_H
#define NL_MACHINE_BACKTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BACKTRACE_COMM_BYTES = 32, BACKTRACE_IN_BYTES = 300, BACKTRACE_TEXT_BYTES = 480,
       BACKTRACE_CALL_BYTES = 32 };

struct backtrace {
	bool user; /* a program runs; else the kernel, on its behalf or its own */
	unsigned pid, tid;
	uint64_t pc;
	int call; /* its number; -1: not known */
	char comm[BACKTRACE_COMM_BYTES];
	char in[BACKTRACE_IN_BYTES]; /* FILE+OFFSET or SYMBOL+OFFSET; "?" if not known */
};

enum backtrace_cut {
	BACKTRACE_NONE, /* no answer */
	BACKTRACE_PART, /* perhaps the beginning of one: look again when there is more */
	BACKTRACE_WHOLE,
};

/* What the machine was asked, and not what it says by itself, so it is taken out of what
 * its console says: an answer is a line with an end of line before it.  *size: bytes that
 * stay, with BACKTRACE_PART those before the part, which stays behind them. */
enum backtrace_cut backtrace_cut(struct backtrace *out, char *text, size_t *size);
/* The name of that system call, "" if there is none. */
void backtrace_call(char name[BACKTRACE_CALL_BYTES], const struct backtrace *where);
/* In words: "process 'spin' (pid 57) at 0x401136 in /root/spin+0x1136". */
void backtrace_text(char text[BACKTRACE_TEXT_BYTES], const struct backtrace *where);

#endif
