/* SPDX-License-Identifier: MIT */
/* filter.h - which frames are meant, in libpcap's language
 *
 * "tcp port 2380 and greater 200" becomes a BPF program once, when it is read;
 * then it is a pure function of the frame's bytes.  Captures and fault rules share
 * it, and so do all that have the same text.  Names are refused, never looked up.
 *
 * What is short is compiled on the spot.  A long text takes libpcap seconds, so that is
 * done in a helper process with a limit of time; filter_compile() waits for it.  Who must
 * not wait asks filter_takes_long() before, and begins and ends that itself.
 *
 * Errors:    filter_compile() returns -EINVAL (the text makes no sense, or names
 *            something), -ERANGE (too large) or -ENOMEM.
 * Ownership: counted: filter_compile() gives one reference, filter_ref() another,
 *            filter_free() gives one back.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_FILTER_H
#define NL_LINKFAULT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

enum {
	FILTER_TEXT_BYTES_MAX = 8192,
	FILTER_INSNS_MAX = 4096,
	FILTER_COMPILE_MS_MAX = 5000,
};

struct helper;

struct filter; /* NULL: everything is wanted */

/* NULL or "" gives NULL. */
int filter_compile(struct filter **out, const char *text, struct why *why);

/* Nothing that must not reach libpcap: too long, or names. */
int filter_check(const char *text, struct why *why);
/* Would filter_compile() have to wait?  Not if there is one with that text. */
bool filter_takes_long(const char *text);
/* The same in two steps, of a text that filter_check() let pass.  The caller frees the
 * helper; the text is lent for the call. */
int filter_begin(struct helper **helper, const char *text, struct why *why);
int filter_end(struct filter **out, struct helper *helper, const char *text,
	       struct why *why);
bool filter_wants(const struct filter *filter, const uint8_t *bytes, uint32_t size);
const char *filter_text(const struct filter *filter); /* "": everything */
struct filter *filter_ref(struct filter *filter);
void filter_free(struct filter *filter);

#endif
