/* SPDX-License-Identifier: MIT */
/* rerun_text.h - the first difference of two runs, in words
 *
 *	the first difference is at 3.006187232s: a frame of a
 *	  then  3.006187232s  a:eth0 (a--b) sent frame 1: 98 bytes, hash cf256cc2540e6f4b
 *	  now   3.006187232s  a:eth0 (a--b) sent frame 1: 98 bytes, hash 2b8b8fa4b3cd3927
 *
 * Errors: none.  Ownership: borrows the answer of the verb `replay`.
 */
#ifndef NL_CLI_RERUN_TEXT_H
#define NL_CLI_RERUN_TEXT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

enum { RERUN_TIME_BYTES = 40 };
/* Seconds, to the nanosecond where it matters: "7.512345678s", as --until reads it. */
const char *rerun_time(char text[RERUN_TIME_BYTES], uint64_t ns);

void rerun_text_print(FILE *out, const json_t *divergence);

#endif
