/* SPDX-License-Identifier: MIT */
/* outbuf.h - bytes that wait to be written
 *
 * A queue of bytes with a limit.  Append at the end, take from the front.
 *
 * Errors:    -ENOBUFS: over the limit; -ENOMEM.  Nothing is appended then.
 * Ownership: outbuf_free(); an all-zero outbuf with a limit is empty and valid.
 */
#ifndef NL_BASE_OUTBUF_H
#define NL_BASE_OUTBUF_H

#include <stddef.h>
#include <stdint.h>

struct outbuf {
	uint8_t *bytes;
	size_t start, end, room;
	size_t limit;
};

int outbuf_append(struct outbuf *buf, const void *bytes, size_t size);
static inline size_t outbuf_size(const struct outbuf *buf)
{
	return buf->end - buf->start;
}
static inline const uint8_t *outbuf_front(const struct outbuf *buf)
{
	return buf->bytes ? buf->bytes + buf->start : NULL;
}
void outbuf_take(struct outbuf *buf, size_t size);
void outbuf_free(struct outbuf *buf);

#endif
