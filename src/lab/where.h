/* SPDX-License-Identifier: MIT */
/* where.h - what a machine's kernel says when it is asked what it is doing
 *
 * netlab's own kernel (guest/patches, um_where=) answers a signal with one line on its
 * console:
 *
 *   um_where: user pid=57 tid=57 ip=0x401136 comm=spin<TAB>in=/root/spin+0x1136
 *   um_where: kernel pid=9 tid=9 ip=0x60031f20 comm=kworker/0:1<TAB>in=foo+0x10/0x80
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

enum { WHERE_COMM_BYTES = 32, WHERE_IN_BYTES = 300, WHERE_TEXT_BYTES = 480 };

struct where {
	bool user; /* a program runs; else the kernel, on its behalf or its own */
	unsigned pid, tid;
	uint64_t pc;
	char comm[WHERE_COMM_BYTES];
	char in[WHERE_IN_BYTES]; /* FILE+OFFSET or SYMBOL+OFFSET; "?" if not known */
};

/* The last answer among these lines of a console; false: there is none that is whole. */
bool where_find(struct where *out, const char *text, size_t size);
/* In words: "process 'spin' (pid 57) at 0x401136 in /root/spin+0x1136". */
void where_text(char text[WHERE_TEXT_BYTES], const struct where *where);

#endif
