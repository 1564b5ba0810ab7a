/* SPDX-License-Identifier: MIT */
/* epoch.h - what day it is where virtual time begins: "epoch", and up --epoch
 *
 *	2026-11-28, 2026-11-28T12:30:00 (both may end in Z), or now on the command line
 *
 * A date without a time is its midnight; all are UTC.
 *
 * Errors:    -EINVAL with *why, and *out is unchanged.
 * Units:     seconds since 1970.
 * Threads:   pure.
 */
#ifndef NL_PLAN_EPOCH_H
#define NL_PLAN_EPOCH_H

#include <stdint.h>

#include "base/why.h"

/* The first second of 2026, in every lab for which nothing else is said: what a run is
 * shall not depend on the day on which it is run. */
#define EPOCH_DEFAULT_S UINT64_C(1767225600)
/* Years that all programs know, and whose nanoseconds fit. */
enum { EPOCH_YEAR_MIN = 1971, EPOCH_YEAR_MAX = 2199, EPOCH_TEXT_BYTES = 24 };

int epoch_parse(const char *text, uint64_t *out_s, struct why *why);
const char *epoch_format(char text[EPOCH_TEXT_BYTES], uint64_t epoch_s);

#endif
