/* SPDX-License-Identifier: MIT */
/* units.h - quantities as people write them, and back
 *
 *	duration   "50ms" "1.5s"      ns us ms s min h        -> nanoseconds
 *	rate       "10Mbit"           bit kbit Mbit Gbit, decimal, a second;
 *	                              "/s" may follow         -> bits per second
 *	part       "1%" "100ppm"      % ppm ppb               -> parts per million, or
 *	                                                         per billion
 *	memory     "64M" "64MiB"      K M G KiB MiB GiB       -> bytes, binary
 *	size       "150kB" "64KiB"    B kB MB KiB MiB         -> bytes
 *
 * A number is decimal, without exponent, and without sign but where a function's name has
 * "signed", and must come out as a whole number of the base unit: "0.5ns" is refused, not
 * rounded.  Zero needs a unit too.  A blank may stand between number and unit.  Formatting
 * gives the largest unit that keeps the value exact, so what is printed reads back as the
 * same number.
 *
 * Errors:  -EINVAL, or -ERANGE when the number does not fit; *why quotes the
 *          text and lists the accepted forms.  *out is unchanged on failure.
 * Threads: pure.
 */
#ifndef NL_BASE_UNITS_H
#define NL_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

enum { UNITS_TEXT_BYTES_MAX = 32 }; /* room for any formatted quantity */

int units_parse_ns(const char *text, uint64_t *ns, struct why *why);
int units_parse_bps(const char *text, uint64_t *bps, struct why *why);
int units_parse_ppm(const char *text, uint64_t *ppm, struct why *why);
int units_parse_ppb(const char *text, uint64_t *ppb, struct why *why);
int units_parse_memory(const char *text, uint64_t *bytes, struct why *why);
int units_parse_size(const char *text, uint64_t *bytes, struct why *why);

/* The same with a sign: "-5s", "+200ppm". */
int units_parse_signed_ns(const char *text, int64_t *ns, struct why *why);
int units_parse_signed_ppb(const char *text, int64_t *ppb, struct why *why);

/* A whole number and nothing else: "8080". */
int units_parse_count(const char *text, uint64_t *count, struct why *why);

/* Each fills text and returns it. */
const char *units_format_ns(char text[UNITS_TEXT_BYTES_MAX], uint64_t ns);
const char *units_format_signed_ns(char text[UNITS_TEXT_BYTES_MAX], int64_t ns);
const char *units_format_signed_ppb(char text[UNITS_TEXT_BYTES_MAX], int64_t ppb);
const char *units_format_bps(char text[UNITS_TEXT_BYTES_MAX], uint64_t bps);
const char *units_format_ppm(char text[UNITS_TEXT_BYTES_MAX], uint64_t ppm);
const char *units_format_ppb(char text[UNITS_TEXT_BYTES_MAX], uint64_t ppb);
const char *units_format_memory(char text[UNITS_TEXT_BYTES_MAX], uint64_t bytes);
const char *units_format_size(char text[UNITS_TEXT_BYTES_MAX], uint64_t bytes);

#endif
