/* SPDX-License-Identifier: MIT */
#include "capture/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/quiet_write.h"

int outbox_init(struct outbox *outbox, size_t limit)
{
	*outbox = (struct outbox){ .bytes = malloc(2 * limit), .room = 2 * limit };
	return outbox->bytes ? 0 : -ENOMEM;
}

void outbox_free(struct outbox *outbox)
{
	free(outbox->bytes);
	*outbox = (struct outbox){ 0 };
}

uint8_t *outbox_add(struct outbox *outbox, size_t size)
{
	ASSERT(outbox_waiting(outbox) + size <= outbox->room / 2);
	if (outbox->last + size > outbox->room) {
		memmove(outbox->bytes, outbox->bytes + outbox->first,
			outbox_waiting(outbox));
		outbox->last -= outbox->first;
		outbox->first = 0;
	}
	return outbox->bytes + outbox->last;
}

void outbox_added(struct outbox *outbox, const uint8_t *end)
{
	outbox->last = (size_t)(end - outbox->bytes);
	ASSERT(outbox->last >= outbox->first && outbox->last <= outbox->room);
}

int outbox_send(struct outbox *outbox, int fd)
{
	while (outbox_waiting(outbox)) {
		ssize_t n = quiet_write(fd, outbox->bytes + outbox->first,
					outbox_waiting(outbox));

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EIO;
		outbox->first += (size_t)n;
	}
	outbox->first = outbox->last = 0;
	return 0;
}
