/* SPDX-License-Identifier: MIT */
/* filter.h - which frames are wanted, in libpcap's language
 *
 * Errors:    filter_compile() returns -EINVAL (the text makes no sense) or -ENOMEM.
 * Ownership: the filter owns its program until filter_free().
 * Threads:   one.
 */
#ifndef NL_CAPTURE_FILTER_H
#define NL_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

struct filter; /* NULL: everything is wanted */

/* NULL or "" gives NULL. */
int filter_compile(struct filter **out, const char *text, struct why *why);
bool filter_wants(const struct filter *filter, const uint8_t *bytes, uint32_t size);
void filter_free(struct filter *filter);

#endif
