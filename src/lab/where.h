/* SPDX-License-Identifier: MIT */
/* where.h - what a machine's kernel says when it is asked what it is doing
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
#ifndef NL_LAB_WHERE_H
#define NL_LAB_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHERE_COMM_BYTES = 32, WHERE_IN_BYTES = 300, WHERE_TEXT_BYTES = 480,
       WHERE_CALL_BYTES = 32 };

struct where {
	bool user; /* a program runs; else the kernel, on its behalf or its own */
	unsigned pid, tid;
	uint64_t pc;
	int call; /* its number; -1: not known */
	char comm[WHERE_COMM_BYTES];
	char in[WHERE_IN_BYTES]; /* FILE+OFFSET or SYMBOL+OFFSET; "?" if not known */
};

enum where_cut {
	WHERE_NONE, /* no answer */
	WHERE_PART, /* perhaps the beginning of one: look again when there is more */
	WHERE_WHOLE,
};

/* What the machine was asked, and not what it says by itself, so it is taken out of what
 * its console says: an answer is a line with an end of line before it.  *size: bytes that
 * stay, with WHERE_PART those before the part, which stays behind them. */
enum where_cut where_cut(struct where *out, char *text, size_t *size);
/* The name of that system call, "" if there is none. */
void where_call(char name[WHERE_CALL_BYTES], const struct where *where);
/* In words: "process 'spin' (pid 57) at 0x401136 in /root/spin+0x1136". */
void where_text(char text[WHERE_TEXT_BYTES], const struct where *where);

#endif
