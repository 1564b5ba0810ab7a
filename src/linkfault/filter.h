/* SPDX-License-Identifier: MIT */
/* filter.h - which frames are meant, in libpcap's language
 *
 * "tcp port 2380 and greater 200" becomes a BPF program once, when it is read;
 * then it is a pure function of the frame's bytes.  Captures and fault rules share
 * it.  Names of machines are not looked up: a lab has no resolver to ask.
 *
 * Errors:    filter_compile() returns -EINVAL (the text makes no sense) or -ENOMEM.
 * Ownership: counted: filter_compile() gives one reference, filter_ref() another,
 *            filter_free() gives one back.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_FILTER_H
#define NL_LINKFAULT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

enum { FILTER_TEXT_BYTES_MAX = 8192 };

struct filter; /* NULL: everything is wanted */

/* NULL or "" gives NULL. */
int filter_compile(struct filter **out, const char *text, struct why *why);
bool filter_wants(const struct filter *filter, const uint8_t *bytes, uint32_t size);
const char *filter_text(const struct filter *filter); /* "": everything */
struct filter *filter_ref(struct filter *filter);
void filter_free(struct filter *filter);

#endif
