/* SPDX-License-Identifier: MIT */
#include "base/outbuf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { ROOM_MIN = 4096, ROOM_KEPT = 256 << 10 };

int outbuf_append(struct outbuf *buf, const void *bytes, size_t size)
{
	size_t have = outbuf_size(buf);

	if (size == 0)
		return 0;
	if (have + size > buf->limit)
		return -ENOBUFS;
	if (buf->end + size > buf->room && buf->start) {
		memmove(buf->bytes, buf->bytes + buf->start, have);
		buf->start = 0;
		buf->end = have;
	}
	if (have + size > buf->room) {
		size_t room = buf->room ? buf->room : ROOM_MIN;
		uint8_t *grown;

		while (room < have + size)
			room *= 2;
		grown = realloc(buf->bytes, room);
		if (!grown)
			return -ENOMEM;
		buf->bytes = grown;
		buf->room = room;
	}
	memcpy(buf->bytes + buf->end, bytes, size);
	buf->end += size;
	return 0;
}

void outbuf_take(struct outbuf *buf, size_t size)
{
	ASSERT(size <= outbuf_size(buf));
	buf->start += size;
	if (buf->start < buf->end)
		return;
	buf->start = buf->end = 0;
	/* A burst is over: do not hold its memory for ever. */
	if (buf->room > ROOM_KEPT) {
		free(buf->bytes);
		buf->bytes = NULL;
		buf->room = 0;
	}
}

void outbuf_free(struct outbuf *buf)
{
	free(buf->bytes);
	*buf = (struct outbuf){ .limit = buf->limit };
}
