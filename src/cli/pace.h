/* SPDX-License-Identifier: MIT */
/* pace.h - how fast virtual time passes, as people write it
 *
 * "max", or a factor of the host's time: "1", "0.5", "20", with at most three digits
 * behind the point, from 0.001 to 1000.
 *
 * Errors:  -EINVAL with *why.  Units: parts per million; 0 is max.  Threads: pure.
 */
#ifndef NL_CLI_PACE_H
#define NL_CLI_PACE_H

#include <stdint.h>

#include "base/why.h"

enum { PACE_TEXT_BYTES_MAX = 24 };

int pace_parse(const char *text, uint64_t *pace_ppm, struct why *why);
const char *pace_format(char text[PACE_TEXT_BYTES_MAX], uint64_t pace_ppm);

#endif
