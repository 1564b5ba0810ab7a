/* SPDX-License-Identifier: MIT */
#include "capture/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

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

/* So many bytes went: where in which block are we now? */
static void went(struct outbox *outbox, size_t size)
{
	while (size) {
		uint32_t block;
		size_t part;

		if (!outbox->left) {
			/* Type, then the length of the whole block. */
			memcpy(&block, outbox->bytes + outbox->first + sizeof(block),
			       sizeof(block));
			outbox->left = block ? block : size;
			outbox->sent = 0;
		}
		part = size < outbox->left ? size : outbox->left;
		outbox->first += part;
		outbox->sent += part;
		outbox->left -= part;
		size -= part;
	}
}

/* The file ends behind the last whole block again. */
static void take_back(const struct outbox *outbox, int fd)
{
	off_t end = outbox->left ? lseek(fd, 0, SEEK_CUR) : -1;

	if (end >= (off_t)outbox->sent && ftruncate(fd, end - (off_t)outbox->sent) == 0)
		lseek(fd, end - (off_t)outbox->sent, SEEK_SET);
}

int outbox_send(struct outbox *outbox, int fd, enum quiet_kind kind)
{
	while (outbox_waiting(outbox)) {
		ssize_t n = quiet_write(fd, kind, outbox->bytes + outbox->first,
					outbox_waiting(outbox));

		if (n <= 0) {
			if (n != -EAGAIN && kind == QUIET_FILE)
				take_back(outbox, fd);
			return n ? (int)n : -EIO;
		}
		went(outbox, (size_t)n);
	}
	outbox->first = outbox->last = 0;
	return 0;
}
